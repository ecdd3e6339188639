import { setMaxListeners } from 'node:events';
import pLimit from 'p-limit';
import { type Dispatcher, EnvHttpProxyAgent, interceptors, request } from 'undici';
import { HugError, messageOf, systemCodeOf } from '../errors.ts';
import { decoded, type Headers, parseJson, readText, refusalOf } from './answer.ts';
import { type Exchange, tellingOf } from './exchanges.ts';
import { errorOfRefusal, errorOfStorage, type Subject } from './refusal.ts';
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
  /**
   * GETs bytes of a file and hands them to `consume`, again after a fault. Progress makes the tries
   * start anew, so that a long file survives any number of faults.
   */
  range<T>(request: RangeRequest<T>): Promise<T>;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** Which bytes of a file to GET. */
interface RangeRequest<T> {
  readonly subject: Subject;
  /** What to ask for, said anew for each try. */
  readonly next: () => RangeTry;
  /** Takes the answer; `progressed` says that a fault from here on is the first one again. */
  readonly consume: (answer: RangeAnswer, progressed: () => void) => Promise<T>;
  readonly signal: AbortSignal;
}

/** One try at some bytes of a file. */
interface RangeTry {
  /** Absolute address, on the endpoint's origin or one that an answer came from before. */
  readonly url: string;
  /** Value of `Range`; absent for the whole file. */
  readonly range?: string | undefined;
}

/** An answer with bytes of a file; 416 is one too, since the range was not the Hub's wish. */
export interface RangeAnswer {
  /** Address that it came from, after redirects. */
  readonly address: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Parts of a request that differ between the API and files. */
interface How {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
  /** Whether to ask as anybody would, without the token. */
  readonly isPublic?: boolean;
}

const MOST_REDIRECTS = 10;
/** A tree page of 1,000 entries has under 1 MB; nothing the API answers is near this, in bytes. */
const LARGEST_JSON = 64 * 1024 * 1024;
/** Certificate problems do not pass by themselves. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)|ERR_TLS/u;

/** Makes the HTTP client: one pool, redirects, retries, the token at home. */
export function createHttp(options: HttpOptions): Http {
  const { endpoint, token, retry = DEFAULT_RETRY, signal } = options;
  const origin = new URL(endpoint).origin;
  // Each request under way listens; Node would warn of a leak at eleven.
  if (signal !== undefined) setMaxListeners(0, signal);
  const pool = new EnvHttpProxyAgent({
    headersTimeout: options.answerTimeoutMs ?? 30_000,
    bodyTimeout: options.readTimeoutMs ?? 30_000,
    httpProxy: options.proxy?.http ?? '',
    httpsProxy: options.proxy?.https ?? '',
    noProxy: options.proxy?.no ?? '',
  });
  const telling = options.onExchange === undefined ? [] : [tellingOf(options.onExchange)];
  const redirect = interceptors.redirect({ maxRedirections: MOST_REDIRECTS });
  const dispatcher = pool.compose([...telling, redirect]);
  const apiLimit = pLimit(options.apiConcurrency ?? 16);
  const downloadLimit = pLimit(options.downloadConcurrency ?? 8);

  /** The token, where it may go. */
  const bearerFor = (url: string, { isPublic = false }: How): string | undefined =>
    new URL(url).origin === origin && !isPublic ? token : undefined;

  async function send(url: string, how: How): Promise<Dispatcher.ResponseData> {
    const bearer = bearerFor(url, how);
    const response = await request(url, {
      dispatcher,
      headers: {
        'user-agent': options.userAgent,
        ...how.headers,
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      },
      ...(how.signal === undefined ? {} : { signal: how.signal }),
    });
    // Whoever reads the body hears of its faults; of one that nobody reads they do not matter.
    response.body.on('error', () => undefined);
    return response;
  }

  /** Throws what an answer without the wanted body means. */
  async function assertSuccess(
    response: Dispatcher.ResponseData,
    url: string,
    subject: Subject,
    how: How,
  ): Promise<void> {
    const { statusCode, headers, body } = response;
    assertEndOfRedirects(response, origin);
    if (statusCode < 400 || (statusCode === 416 && 'range' in how.headers)) return;
    const text = await readText(body, 64 * 1024).catch(() => '');
    const refusal = refusalOf(statusCode, headers, text);
    const answering = new URL(addressOf(response, url)).origin;
    if (answering !== origin && refusal.errorCode === undefined) {
      const error = errorOfStorage(refusal, subject, answering);
      throw new TransientFault(error, requestedWaitMs(headers, Date.now()));
    }
    const hasToken = bearerFor(url, how) !== undefined;
    const error = errorOfRefusal(refusal, subject, { endpoint, hasToken });
    if (statusCode === 408 || statusCode === 429 || statusCode >= 500) {
      throw new TransientFault(error, requestedWaitMs(headers, Date.now()));
    }
    throw error;
  }

  /** Sends one request and takes its answer; faults that may pass are told from the others. */
  async function exchange<T>(
    url: string,
    subject: Subject,
    how: How,
    consume: (response: Dispatcher.ResponseData) => Promise<T>,
  ): Promise<T> {
    try {
      const response = await send(url, how);
      try {
        await assertSuccess(response, url, subject, how);
        return await consume(response);
      } finally {
        response.body.destroy();
      }
    } catch (error) {
      throw classify(error, url, how.signal);
    }
  }

  const onWait = options.onWait ?? (() => undefined);

  /** A request on the endpoint's origin with its whole body, from the start each time. */
  async function whole<T>(
    url: string,
    subject: Subject,
    consume: (response: Dispatcher.ResponseData) => Promise<T>,
    isPublic = false,
  ): Promise<T> {
    if (new URL(url).origin !== origin) {
      throw new HugError('EHUG_PROTOCOL', `the Hub points to another origin: ${bare(url)}`);
    }
    const how = { headers: { 'accept-encoding': 'gzip' }, signal, isPublic };
    return withRetries(() => exchange(url, subject, how, consume), retry, onWait, signal);
  }

  return {
    endpoint,
    hasToken: token !== undefined,
    json: (url, subject) =>
      apiLimit(() =>
        whole(url, subject, async ({ headers, body }) => ({
          headers,
          body: parseJson(await readText(decoded(body, headers), LARGEST_JSON), bare(url)),
        })),
      ),
    publicText: (url, subject) =>
      apiLimit(() =>
        whole(
          url,
          subject,
          async ({ headers, body }) => ({
            headers,
            text: await readText(decoded(body, headers), LARGEST_JSON),
          }),
          true,
        ),
      ),
    download: (url, subject, consume) =>
      downloadLimit(() =>
        whole(url, subject, ({ headers, body }) => consume(decoded(body, headers))),
      ),
    range: ({ subject, next, consume, signal: stop }) =>
      downloadLimit(() =>
        withRetries(
          (progressed) => {
            const { url, range } = next();
            const headers = {
              'accept-encoding': 'identity',
              ...(range === undefined ? {} : { range }),
            };
            return exchange(url, subject, { headers, signal: stop }, (response) =>
              consume(
                {
                  address: addressOf(response, url),
                  status: response.statusCode,
                  headers: response.headers,
                  body: decoded(response.body, response.headers),
                },
                progressed,
              ),
            );
          },
          retry,
          onWait,
          stop,
        ),
      ),
    close: () => pool.destroy(),
  };
}

/** Address without query and credentials, fit for a message. */
function bare(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** Where an answer came from, after redirects from `url`. */
function addressOf({ context }: Dispatcher.ResponseData, url: string): string {
  const { history } = context as { history?: URL[] };
  return history?.at(-1)?.href ?? url;
}

/** A redirect may lead to a CDN, but not on for ever, and not out of TLS. */
function assertEndOfRedirects(response: Dispatcher.ResponseData, origin: string): void {
  const last = new URL(addressOf(response, origin));
  if (response.statusCode >= 300 && response.statusCode < 400) {
    throw new HugError('EHUG_PROTOCOL', `the Hub redirects ${MOST_REDIRECTS} times and more`);
  }
  if (origin.startsWith('https:') && last.protocol !== 'https:') {
    throw new HugError('EHUG_PROTOCOL', `the Hub redirects out of TLS, to ${last.origin}`);
  }
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
