import { HugError, messageOf, systemCodeOf } from '../errors.ts';
import { readText, refusalOf } from './answer.ts';
import { type Subject, errorOfRefusal, errorOfStorage, nameOf, protocolError } from './errors.ts';
import { TransientFault, requestedWaitMs } from './retry.ts';
import { type Dispatcher, EnvHttpProxyAgent, interceptors, request } from 'undici';

/** Address of a Hub, credentials, proxies and timeouts. */
export interface ConnectionOptions {
  /** Address of the Hub, without a trailing slash. */
  readonly endpoint: string;
  /** Sent to the endpoint's origin only. */
  readonly token?: string | undefined;
  /** Value of `User-Agent`. */
  readonly userAgent: string;
  /** Proxy addresses; an empty text means none. */
  readonly proxy?: { readonly http: string; readonly https: string; readonly no: string };
  /** Longest wait for the headers of a response, in ms. */
  readonly answerTimeoutMs?: number;
  /** Longest wait for more bytes of a body, in ms. */
  readonly readTimeoutMs?: number;
  /** Called at the end of every request. */
  readonly onExchange?: (exchange: Exchange) => void;
}

/** The parts of a request beside its address. */
interface RequestOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
  /** Whether to send the request without the token. */
  readonly isPublic?: boolean;
  /** Whether the address comes from an earlier redirect, and may have expired since. */
  readonly isRemembered?: boolean;
}

/** A response with a status below 400, or with 416 to a range request. */
export interface Answer {
  /** Requested addresses, in the order of the redirects. */
  readonly history: readonly URL[];
  /** The last of them. */
  readonly address: string;
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Dispatcher.ResponseData['body'];
}

/** Single requests to a Hub, and to the targets of its redirects. */
export interface Connection {
  /**
   * Sends a GET request and passes the response to `consume`; unread bytes are dropped.
   *
   * @param subject what the request is about, for messages
   * @throws TransientFault for a fault that a retry may fix; HugError for every other one, see
   *   `errorOfRefusal`, `EHUG_NETWORK` and `EHUG_PROTOCOL`
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
/** Of the body of an error response. */
const MAX_REFUSAL_BYTES = 64 * 1024;
/** System error codes of certificate problems, which no retry fixes. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)|ERR_TLS/u;

/** Opens a pool of connections to a Hub, which follows redirects without the token. */
export function createConnection(options: ConnectionOptions): Connection {
  const { endpoint, token, userAgent, onExchange } = options;
  const origin = new URL(endpoint).origin;
  const pool = new EnvHttpProxyAgent({
    headersTimeout: options.answerTimeoutMs ?? 30_000,
    bodyTimeout: options.readTimeoutMs ?? 30_000,
    httpProxy: options.proxy?.http ?? '',
    httpsProxy: options.proxy?.https ?? '',
    noProxy: options.proxy?.no ?? '',
  });
  const dispatcher = pool.compose([
    ...(onExchange === undefined ? [] : [exchangeLogger(onExchange)]),
    interceptors.redirect({ maxRedirections: MAX_REDIRECTS }),
  ]);

  const tokenFor = (url: string, { isPublic = false }: RequestOptions): string | undefined =>
    new URL(url).origin === origin && !isPublic ? token : undefined;

  async function send(url: string, how: RequestOptions): Promise<Answer> {
    const bearer = tokenFor(url, how);
    const { statusCode, headers, body, context } = await request(url, {
      dispatcher,
      headers: {
        'user-agent': userAgent,
        ...how.headers,
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      },
      ...(how.signal === undefined ? {} : { signal: how.signal }),
    });
    // The reader of the body gets its errors; without a reader they do not matter.
    body.on('error', () => undefined);
    const { history = [] } = context as { history?: URL[] };
    return { history, address: history.at(-1)?.href ?? url, status: statusCode, headers, body };
  }

  /** @throws the error that an error response stands for */
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
    const hasExpired = isOfStorage || how.isRemembered === true;
    const error = hasExpired
      ? errorOfStorage(refusal, subject, answering)
      : errorOfRefusal(refusal, subject, { endpoint, hasToken: tokenFor(url, how) !== undefined });
    const isTransient = hasExpired || status === 408 || status === 429 || status >= 500;
    throw isTransient ? new TransientFault(error, requestedWaitMs(headers, Date.now())) : error;
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

/** Refuses endless redirects, and every redirect from HTTPS to HTTP, even one that leads back. */
function assertEndOfRedirects({ history, status }: Answer, origin: string): void {
  const insecure = history.find(({ protocol }) => protocol !== 'https:');
  if (origin.startsWith('https:') && insecure !== undefined) {
    throw protocolError(`the Hub redirects from HTTPS to ${insecure.origin}`);
  }
  if (status < 300 || status >= 400) return;
  throw protocolError(
    history.length > MAX_REDIRECTS
      ? `the Hub redirects more than ${MAX_REDIRECTS} times`
      : `the Hub sent the unexpected status ${status}`,
  );
}

/** Separates faults of the connection, which a retry may fix, from all other errors. */
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
    return protocolError(`the Hub sent an invalid redirect: ${messageOf(error)}`, error);
  }
  if (CERTIFICATE.test(code)) {
    return new HugError('EHUG_NETWORK', `the certificate of ${origin} is not trusted (${code})`, {
      hint: 'Set NODE_EXTRA_CA_CERTS to a file with the certificate of its authority.',
      cause: error,
    });
  }
  const what = `the connection to ${origin} failed (request for ${nameOf(subject)})`;
  return new TransientFault(
    new HugError('EHUG_NETWORK', `${what}: ${messageOf(error)}`, {
      hint: 'Check the network, HTTPS_PROXY and HF_ENDPOINT, then run it again.',
      cause: error,
    }),
  );
}

/** One request and its response, for `--debug`. Each redirect is a request of its own. */
export interface Exchange {
  readonly method: string;
  /** Path without the query, which may hold a signature. */
  readonly path: string;
  /** `undefined` when no response came. */
  readonly status: number | undefined;
  /** From the request to the last byte of the response, or to its failure. */
  readonly ms: number;
  /** Bytes of the body as received, still encoded. */
  readonly bytes: number;
}

/** Calls `log` at the end of every exchange, successful or not. */
function exchangeLogger(
  log: (exchange: Exchange) => void,
): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const started = performance.now();
    let status: number | undefined;
    let bytes = 0;
    const end = () => {
      const [path = ''] = options.path.split('?', 1);
      log({ method: options.method, path, status, ms: performance.now() - started, bytes });
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
        end();
        handler.onResponseEnd?.(...args);
      },
      onResponseError: (...args) => {
        end();
        handler.onResponseError?.(...args);
      },
    });
  };
}
