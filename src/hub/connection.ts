import { HugError, messageOf, systemCodeOf } from '../errors.ts';
import { decoded, readText, refusalOf } from './answer.ts';
import { type Subject, errorOfRefusal, errorOfStorage, nameOf, protocolError } from './errors.ts';
import { type Exchange, exchangeLogger } from './exchange-log.ts';
import { createPool, type PoolOptions } from './pool.ts';
import { TransientFault, requestedWaitMs } from './retry.ts';
import { type Dispatcher, interceptors, request } from 'undici';

/** Address of a Hub, credentials, proxies and timeouts. */
export interface ConnectionOptions extends PoolOptions {
  /** Address of the Hub, without a trailing slash. */
  readonly endpoint: string;
  /** Sent to the endpoint's origin only. */
  readonly token?: string | undefined;
  /** Value of `User-Agent`. */
  readonly userAgent: string;
  /** Longest wait for the headers of a response, in ms. A whole exchange has four times as long. */
  readonly answerTimeoutMs?: number;
  /**
   * Longest wait for more bytes of a body, in ms. A download has to bring 64 KiB in twice that time,
   * and every other exchange ends within four times that time, unless `answerTimeoutMs` is longer.
   */
  readonly readTimeoutMs?: number;
  /** Called at the end of every request. */
  readonly onExchange?: ((exchange: Exchange) => void) | undefined;
}

/** The parts of a request beside its address. */
interface RequestOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
  /** Whether to send the request without the token. */
  readonly isPublic?: boolean;
  /** Whether the address comes from an earlier redirect, and may have expired since. */
  readonly isRemembered?: boolean;
  /** Whether the response may take any time while its bytes arrive. */
  readonly isDownload?: boolean;
}

/** A response with a status below 400, or with 416 to a range request. */
export interface Answer {
  /** Requested addresses, in the order of the redirects. */
  readonly history: readonly URL[];
  /** The last of them. */
  readonly address: string;
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  /** Without its content encoding. */
  readonly body: AsyncIterable<Uint8Array>;
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
  const { answerTimeoutMs = 30_000, readTimeoutMs = 30_000 } = options;
  const longestMs = 4 * Math.max(answerTimeoutMs, readTimeoutMs);
  const timeouts = { headersTimeout: answerTimeoutMs, bodyTimeout: readTimeoutMs };
  const pool = createPool(options, timeouts);
  const dispatcher = pool.dispatcher.compose([
    ...(onExchange === undefined ? [] : [exchangeLogger(onExchange)]),
    interceptors.redirect({ maxRedirections: MAX_REDIRECTS }),
  ]);

  const tokenFor = (url: string, { isPublic = false }: RequestOptions): string | undefined =>
    new URL(url).origin === origin && !isPublic ? token : undefined;

  async function send(url: string, how: RequestOptions, signal: AbortSignal): Promise<Answer> {
    const bearer = tokenFor(url, how);
    const {
      statusCode: status,
      headers,
      body,
      context,
    } = await request(url, {
      dispatcher,
      headers: {
        'user-agent': userAgent,
        ...how.headers,
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      },
      signal,
    });
    // The reader of the body gets its errors; without a reader they do not matter.
    body.on('error', () => undefined);
    const { history = [] } = context as { history?: URL[] };
    const address = history.at(-1)?.href ?? url;
    return { history, address, status, headers, body: decoded(body, headers) };
  }

  /** @throws the error that an error response stands for */
  async function assertSuccess(
    answer: Answer,
    url: string,
    subject: Subject,
    how: RequestOptions,
  ): Promise<void> {
    const { address, status, headers, body } = answer;
    if (status < 400 || (status === 416 && 'range' in how.headers)) return;
    const text = await readText(body, MAX_REFUSAL_BYTES).catch(() => '');
    const refusal = refusalOf(answer, text, token);
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
      const limit = createTimeLimit(longestMs);
      try {
        const signal = AbortSignal.any([limit.signal, ...(how.signal ? [how.signal] : [])]);
        const answer = await send(url, how, signal);
        assertEndOfRedirects(answer, origin);
        await assertSuccess(answer, url, subject, how);
        if (how.isDownload !== true) return await consume(answer);
        return await consume({ ...answer, body: limit.paced(answer.body, 2 * readTimeoutMs) });
      } catch (error) {
        throw classify(limit.signal.reason ?? error, url, subject, how.signal);
      } finally {
        limit.end();
      }
    },
    close: () => pool.destroy(),
  };
}

/** One for all exchanges: `abort()` without a reason makes an error with a stack each time. */
const ENDED = new Error('the exchange has ended');

/** Bytes that a download has to bring again and again: about 1 KiB a second. */
const MIN_BYTES = 64 * 1024;

/**
 * Ends an exchange that is too slow, however the server keeps the connection busy.
 *
 * @param longestMs from the request to the end of the response, or to the first byte of a download
 */
function createTimeLimit(longestMs: number) {
  const tooSlow = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const set = (ms: number, reason: string) => {
    timer = setTimeout(() => tooSlow.abort(new Error(reason)), ms);
  };
  set(longestMs, `the response took longer than ${longestMs / 1000} s`);
  return {
    signal: tooSlow.signal,
    /** A body with `MIN_BYTES` in each `ms`, without the time that its reader takes. */
    async *paced(body: AsyncIterable<Uint8Array>, ms: number) {
      const reason = `fewer than ${MIN_BYTES} bytes arrived in ${ms / 1000} s`;
      let [bytes, leftMs, since] = [0, ms, performance.now()];
      clearTimeout(timer);
      set(leftMs, reason);
      for await (const chunk of body) {
        clearTimeout(timer);
        bytes += chunk.length;
        leftMs -= performance.now() - since;
        if (bytes >= MIN_BYTES) [bytes, leftMs] = [0, ms];
        yield chunk;
        since = performance.now();
        set(leftMs, reason);
      }
    },
    /** Ends the exchange; what is left of the response is dropped. */
    end() {
      clearTimeout(timer);
      tooSlow.abort(ENDED);
    },
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
      hint: 'Set SSL_CERT_FILE to a file with the certificate of its authority.',
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
