import { HugError, messageOf, systemCodeOf } from '../errors.ts';
import { readText, refusalOf } from './answer.ts';
import { type Subject, errorOfRefusal, errorOfStorage, nameOf, protocolError } from './errors.ts';
import { TransientFault, requestedWaitMs } from './retry.ts';
import { type Dispatcher, EnvHttpProxyAgent, interceptors, request } from 'undici';

/** Where a Hub is, who asks, and how long an answer may take. */
export interface ConnectionOptions {
  /** Address of the Hub, without a trailing slash. */
  readonly endpoint: string;
  /** Sent to the endpoint's origin only. */
  readonly token?: string | undefined;
  /** Value of `User-Agent`. */
  readonly userAgent: string;
  /** Proxy addresses; an empty text means none. */
  readonly proxy?: { readonly http: string; readonly https: string; readonly no: string };
  /** Longest wait for an answer to begin, in ms. */
  readonly answerTimeoutMs?: number;
  /** Longest wait for more bytes of a body, in ms. */
  readonly readTimeoutMs?: number;
  /** Told of every request when it is over. */
  readonly onExchange?: (exchange: Exchange) => void;
}

/** What a request says beside its address. */
interface RequestOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
  /** Whether to ask as anybody would, without the token. */
  readonly isPublic?: boolean;
  /** Whether an answer came from this address before: it may have expired since. */
  readonly isRemembered?: boolean;
}

/** An answer whose status is none of an error, or is 416 where a range was asked for. */
export interface Answer {
  /** Addresses that were asked one after the other, as redirects led; the last one answered. */
  readonly history: readonly URL[];
  /** The last of them. */
  readonly address: string;
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Dispatcher.ResponseData['body'];
}

/** Single requests to a Hub, and to where it redirects. */
export interface Connection {
  /**
   * Sends a GET request, and hands the answer to `consume`; what that leaves of it is dropped.
   *
   * @param subject what the request is about, for messages
   * @throws TransientFault for what may pass; HugError, see `errorOfRefusal`, `EHUG_NETWORK` and
   *   `EHUG_PROTOCOL`, for what does not
   */
  exchange<T>(
    url: string,
    subject: Subject,
    options: RequestOptions,
    consume: (answer: Answer) => Promise<T>,
  ): Promise<T>;
  /** Closes all connections. */
  close(): Promise<void>;
}

const MAX_REDIRECTS = 10;
/** Bytes that are read of an answer with an error. */
const MAX_REFUSAL_BYTES = 64 * 1024;
/** Certificate problems do not pass by themselves. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)|ERR_TLS/u;

/** Makes the connections to a Hub: one pool, redirects, the token at home. */
export function createConnection(options: ConnectionOptions): Connection {
  const { endpoint, token, userAgent } = options;
  const origin = new URL(endpoint).origin;
  const pool = new EnvHttpProxyAgent({
    headersTimeout: options.answerTimeoutMs ?? 30_000,
    bodyTimeout: options.readTimeoutMs ?? 30_000,
    httpProxy: options.proxy?.http ?? '',
    httpsProxy: options.proxy?.https ?? '',
    noProxy: options.proxy?.no ?? '',
  });
  const telling = options.onExchange === undefined ? [] : [exchangeLogger(options.onExchange)];
  const redirect = interceptors.redirect({ maxRedirections: MAX_REDIRECTS });
  const dispatcher = pool.compose([...telling, redirect]);

  /** The token, where it may go. */
  const bearerFor = (url: string, { isPublic = false }: RequestOptions): string | undefined =>
    new URL(url).origin === origin && !isPublic ? token : undefined;

  async function send(url: string, how: RequestOptions): Promise<Answer> {
    const bearer = bearerFor(url, how);
    const { statusCode, headers, body, context } = await request(url, {
      dispatcher,
      headers: {
        'user-agent': userAgent,
        ...how.headers,
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      },
      ...(how.signal === undefined ? {} : { signal: how.signal }),
    });
    // Whoever reads the body hears of its faults; of one that nobody reads they do not matter.
    body.on('error', () => undefined);
    const { history = [] } = context as { history?: URL[] };
    return { history, address: history.at(-1)?.href ?? url, status: statusCode, headers, body };
  }

  /** Throws what an answer without the wanted body means. */
  async function assertSuccess(
    { address, status, headers, body }: Answer,
    url: string,
    subject: Subject,
    how: RequestOptions,
  ): Promise<void> {
    if (status < 400 || (status === 416 && 'range' in how.headers)) return;
    const text = await readText(body, MAX_REFUSAL_BYTES).catch(() => '');
    const refusal = refusalOf(status, headers, text);
    const answering = new URL(address).origin;
    const isOfStorage = answering !== origin && refusal.errorCode === undefined;
    if (isOfStorage || how.isRemembered === true) {
      const error = errorOfStorage(refusal, subject, answering);
      throw new TransientFault(error, requestedWaitMs(headers, Date.now()));
    }
    const hasToken = bearerFor(url, how) !== undefined;
    const error = errorOfRefusal(refusal, subject, { endpoint, hasToken });
    if (status === 408 || status === 429 || status >= 500) {
      throw new TransientFault(error, requestedWaitMs(headers, Date.now()));
    }
    throw error;
  }

  return {
    async exchange(url, subject, how, consume) {
      try {
        const answer = await send(url, how);
        try {
          assertEndOfRedirects(answer, origin);
          await assertSuccess(answer, url, subject, how);
          return await consume(answer);
        } finally {
          answer.body.destroy();
        }
      } catch (error) {
        throw classify(error, url, subject, how.signal);
      }
    },
    close: () => pool.destroy(),
  };
}

/** A redirect may lead to a CDN, but not on for ever, and not out of TLS, be it for one step. */
function assertEndOfRedirects({ history, status }: Answer, origin: string): void {
  const insecure = history.find(({ protocol }) => protocol !== 'https:');
  if (origin.startsWith('https:') && insecure !== undefined) {
    throw protocolError(`the Hub redirects out of TLS, to ${insecure.origin}`);
  }
  if (status < 300 || status >= 400) return;
  throw protocolError(
    history.length > MAX_REDIRECTS
      ? `the Hub redirects ${MAX_REDIRECTS} times and more`
      : `the Hub answers ${status}, which leads nowhere`,
  );
}

/** Tells faults of the connection, which may pass, from everything else. */
function classify(
  error: unknown,
  url: string,
  subject: Subject,
  signal: AbortSignal | undefined,
): unknown {
  if (error instanceof HugError || error instanceof TransientFault) return error;
  if (signal?.aborted === true) return error;
  const { origin } = new URL(url);
  const code = systemCodeOf(error) ?? '';
  if (code === 'UND_ERR_INVALID_ARG') {
    return protocolError(`the Hub redirects wrongly: ${messageOf(error)}`, error);
  }
  if (CERTIFICATE.test(code)) {
    return new HugError('EHUG_NETWORK', `${origin} has no certificate that is trusted (${code})`, {
      hint: 'NODE_EXTRA_CA_CERTS names a file with further certificates.',
      cause: error,
    });
  }
  const what = `the connection to ${origin} failed, asked for ${nameOf(subject)}`;
  return new TransientFault(
    new HugError('EHUG_NETWORK', `${what}: ${messageOf(error)}`, {
      hint: 'Check the network, HTTPS_PROXY and HF_ENDPOINT, then run it again.',
      cause: error,
    }),
  );
}

/** One request and its answer, for `--debug`. What a redirect leads to is a request of its own. */
export interface Exchange {
  readonly method: string;
  /** Path without the query, which may hold a signature. */
  readonly path: string;
  /** `undefined` when no answer came. */
  readonly status: number | undefined;
  /** Until the last byte of the answer, or until it broke off. */
  readonly ms: number;
  /** Bytes of the body as they came, before they are unpacked. */
  readonly bytes: number;
}

/** Tells of every exchange when it is over, however it ended. */
function exchangeLogger(
  tell: (exchange: Exchange) => void,
): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const started = performance.now();
    let status: number | undefined;
    let bytes = 0;
    const over = () => {
      const [path = ''] = options.path.split('?', 1);
      tell({ method: options.method, path, status, ms: performance.now() - started, bytes });
    };
    return dispatch(options, {
      onRequestStart: (...args) => handler.onRequestStart?.(...args),
      onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
      onResponseStart: (controller, statusCode, ...rest) => {
        status = statusCode;
        handler.onResponseStart?.(controller, statusCode, ...rest);
      },
      onResponseData: (controller, chunk) => {
        bytes += chunk.length;
        handler.onResponseData?.(controller, chunk);
      },
      onResponseEnd: (...args) => {
        over();
        handler.onResponseEnd?.(...args);
      },
      onResponseError: (...args) => {
        over();
        handler.onResponseError?.(...args);
      },
    });
  };
}
