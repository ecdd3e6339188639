import { setMaxListeners } from 'node:events';
import { createGunzip } from 'node:zlib';
import pLimit from 'p-limit';
import { type Dispatcher, EnvHttpProxyAgent, interceptors, request } from 'undici';
import { HugError, messageOf, systemCodeOf } from '../errors.ts';
import { errorOfRefusal, type Subject } from './refusal.ts';
import {
  DEFAULT_RETRY,
  requestedWaitMs,
  type RetryPolicy,
  TransientFault,
  type Wait,
  withRetries,
} from './retry.ts';

/** How to reach a Hub. */
export interface HttpOptions {
  /** Address of the Hub, without a trailing slash. */
  readonly endpoint: string;
  /** Sent to the endpoint's origin only. */
  readonly token?: string | undefined;
  readonly userAgent: string;
  /** Proxy addresses; an empty text means none. */
  readonly proxy?: { readonly http: string; readonly https: string; readonly no: string };
  /** Longest wait for an answer to begin, in ms. */
  readonly answerTimeoutMs?: number;
  /** Longest wait for more bytes of a body, in ms. */
  readonly readTimeoutMs?: number;
  /** API requests at once. */
  readonly apiConcurrency?: number;
  /** Downloads at once. */
  readonly downloadConcurrency?: number;
  readonly retry?: RetryPolicy;
  readonly onWait?: (wait: Wait) => void;
  readonly onExchange?: (exchange: Exchange) => void;
  readonly signal?: AbortSignal | undefined;
}

/** One request and its answer, for `--debug`. */
interface Exchange {
  readonly method: string;
  /** Path without the query, which may hold a signature. */
  readonly path: string;
  readonly status: number;
  readonly ms: number;
}

/** An answer of the JSON API. */
interface JsonAnswer {
  readonly body: unknown;
  readonly headers: Headers;
}

/** The same, as it was sent. */
interface TextAnswer {
  readonly text: string;
  readonly headers: Headers;
}

/** HTTP as the rest of the Hub client needs it. */
export interface Http {
  readonly endpoint: string;
  readonly hasToken: boolean;
  /**
   * GETs JSON.
   *
   * @param url absolute address on the endpoint's origin
   * @throws HugError, see `errorOfRefusal`; `EHUG_PROTOCOL` when the answer is not JSON
   */
  json(url: string, subject: Subject): Promise<JsonAnswer>;
  /**
   * GETs text of the JSON API as anybody would, without the token.
   *
   * @param url absolute address on the endpoint's origin
   */
  publicText(url: string, subject: Subject): Promise<TextAnswer>;
  /**
   * GETs a body and hands it to `consume`, again from the start after a fault.
   *
   * @param url absolute address on the endpoint's origin
   */
  download<T>(
    url: string,
    subject: Subject,
    consume: (body: AsyncIterable<Uint8Array>) => Promise<T>,
  ): Promise<T>;
  /** Closes all connections. */
  close(): Promise<void>;
}

type Headers = Dispatcher.ResponseData['headers'];

const MOST_REDIRECTS = 10;
/** A tree page of 1,000 entries has under 1 MB; nothing the API answers is near this, in bytes. */
const LARGEST_JSON = 64 * 1024 * 1024;
/** Certificate problems do not pass by themselves. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)|ERR_TLS/u;

/** Makes the HTTP client: one pool, redirects, retries, the token at home. */
export function createHttp(options: HttpOptions): Http {
  const { endpoint, token, retry = DEFAULT_RETRY, signal } = options;
  const origin = new URL(endpoint).origin;
  const bearer = token === undefined ? undefined : `Bearer ${token}`;
  // Each request under way listens; Node would warn of a leak at eleven.
  if (signal !== undefined) setMaxListeners(0, signal);
  const pool = new EnvHttpProxyAgent({
    headersTimeout: options.answerTimeoutMs ?? 30_000,
    bodyTimeout: options.readTimeoutMs ?? 30_000,
    httpProxy: options.proxy?.http ?? '',
    httpsProxy: options.proxy?.https ?? '',
    noProxy: options.proxy?.no ?? '',
  });
  const dispatcher = pool.compose(interceptors.redirect({ maxRedirections: MOST_REDIRECTS }));
  const apiLimit = pLimit(options.apiConcurrency ?? 16);
  const downloadLimit = pLimit(options.downloadConcurrency ?? 8);

  async function send(
    url: string,
    subject: Subject,
    authorization: string | undefined,
  ): Promise<Dispatcher.ResponseData> {
    if (new URL(url).origin !== origin) {
      throw new HugError('EHUG_PROTOCOL', `the Hub points to another origin: ${bare(url)}`);
    }
    const started = performance.now();
    const response = await request(url, {
      dispatcher,
      headers: {
        'user-agent': options.userAgent,
        'accept-encoding': 'gzip',
        ...(authorization === undefined ? {} : { authorization }),
      },
      ...(signal === undefined ? {} : { signal }),
    });
    const { statusCode, headers, body } = response;
    options.onExchange?.({
      method: 'GET',
      path: new URL(url).pathname,
      status: statusCode,
      ms: performance.now() - started,
    });
    assertEndOfRedirects(response, origin);
    if (statusCode < 400) return response;
    const text = await readText(body, 64 * 1024).catch(() => '');
    const error = errorOfRefusal(refusalOf(statusCode, headers, text), subject, {
      endpoint,
      hasToken: authorization !== undefined,
    });
    if (statusCode === 408 || statusCode === 429 || statusCode >= 500) {
      throw new TransientFault(error, requestedWaitMs(headers, Date.now()));
    }
    throw error;
  }

  /** One request with its body, from the start each time. */
  function exchange<T>(
    url: string,
    subject: Subject,
    authorization: string | undefined,
    consume: (response: Dispatcher.ResponseData) => Promise<T>,
  ): Promise<T> {
    const attempt = async () => {
      try {
        const response = await send(url, subject, authorization);
        try {
          return await consume(response);
        } finally {
          response.body.destroy();
        }
      } catch (error) {
        throw classify(error, url, signal);
      }
    };
    return withRetries(attempt, retry, options.onWait ?? (() => undefined), signal);
  }

  return {
    endpoint,
    hasToken: token !== undefined,
    json: (url, subject) =>
      apiLimit(() =>
        exchange(url, subject, bearer, async ({ headers, body }) => ({
          headers,
          body: parseJson(await readText(decoded(body, headers), LARGEST_JSON), url),
        })),
      ),
    publicText: (url, subject) =>
      apiLimit(() =>
        exchange(url, subject, undefined, async ({ headers, body }) => ({
          headers,
          text: await readText(decoded(body, headers), LARGEST_JSON),
        })),
      ),
    download: (url, subject, consume) =>
      downloadLimit(() =>
        exchange(url, subject, bearer, ({ headers, body }) => consume(decoded(body, headers))),
      ),
    close: () => pool.destroy(),
  };
}

/** Address without query and credentials, fit for a message. */
function bare(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** A redirect may lead to a CDN, but not on for ever, and not out of TLS. */
function assertEndOfRedirects(response: Dispatcher.ResponseData, origin: string): void {
  const context = response.context as { history?: URL[] } | undefined;
  const last = context?.history?.at(-1);
  if (response.statusCode >= 300 && response.statusCode < 400) {
    throw new HugError('EHUG_PROTOCOL', `the Hub redirects ${MOST_REDIRECTS} times and more`);
  }
  if (origin.startsWith('https:') && last !== undefined && last.protocol !== 'https:') {
    throw new HugError('EHUG_PROTOCOL', `the Hub redirects out of TLS, to ${last.origin}`);
  }
}

/** Undoes gzip, which some answers have even when it was not asked for. */
function decoded(
  body: Dispatcher.ResponseData['body'],
  headers: Headers,
): AsyncIterable<Uint8Array> {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return body;
  if (encoding === 'gzip') return body.compose(createGunzip());
  throw new HugError('EHUG_PROTOCOL', `the Hub answers in the encoding ${String(encoding)}`);
}

async function readText(body: AsyncIterable<Uint8Array>, largest: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > largest) {
      throw new HugError('EHUG_PROTOCOL', `the Hub answers more than ${largest} bytes of JSON`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HugError('EHUG_PROTOCOL', `the answer of ${bare(url)} is not JSON`, {
      hint: 'Is HF_ENDPOINT the address of a Hub? Does a proxy or a login page answer instead?',
      cause,
    });
  }
}

function refusalOf(status: number, headers: Headers, body: string) {
  const header = (name: string) => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  return {
    status,
    errorCode: header('x-error-code'),
    errorMessage: header('x-error-message') ?? errorInBody(body),
    requestId: header('x-request-id'),
  };
}

function errorInBody(body: string): string {
  if (body.trimStart().startsWith('<')) return '';
  const quoted = /"(?:error|message)":\s*"([^"]*)"/u.exec(body);
  return quoted?.[1] ?? body;
}

/** Tells faults of the connection, which may pass, from everything else. */
function classify(error: unknown, url: string, signal: AbortSignal | undefined): unknown {
  if (error instanceof HugError || error instanceof TransientFault) return error;
  if (signal?.aborted === true) return error;
  const { origin } = new URL(url);
  const code = systemCodeOf(error) ?? '';
  if (code === 'UND_ERR_INVALID_ARG') {
    return new HugError('EHUG_PROTOCOL', `the Hub redirects wrongly: ${messageOf(error)}`);
  }
  if (CERTIFICATE.test(code)) {
    return new HugError('EHUG_NETWORK', `${origin} has no certificate that is trusted (${code})`, {
      hint: 'NODE_EXTRA_CA_CERTS names a file with further certificates.',
      cause: error,
    });
  }
  return new TransientFault(
    new HugError('EHUG_NETWORK', `the connection to ${origin} failed: ${messageOf(error)}`, {
      hint: 'Check the network, HTTPS_PROXY and HF_ENDPOINT, then run it again.',
      cause: error,
    }),
  );
}
