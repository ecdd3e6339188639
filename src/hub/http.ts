import { setMaxListeners } from 'node:events';
import pLimit from 'p-limit';
import { type Headers, parseJson, readText } from './answer.ts';
import { type Answer, type ConnectionOptions, createConnection } from './connection.ts';
import type { Subject } from './errors.ts';
import { DEFAULT_RETRY, type RetryPolicy, type Wait, withRetries } from './retry.ts';

/** Options of the HTTP client. */
export interface HttpOptions extends ConnectionOptions {
  /** API requests at once; default 16. */
  readonly apiConcurrency?: number | undefined;
  /** Downloads at once; default 8. */
  readonly downloadConcurrency?: number | undefined;
  /** Default: five retries, after 1 s and more. */
  readonly retry?: RetryPolicy | undefined;
  /** Called before each wait for a retry. */
  readonly onWait?: (wait: Wait) => void;
  /** Aborts all requests. */
  readonly signal?: AbortSignal | undefined;
}

/** A response of the JSON API. */
interface JsonAnswer {
  readonly body: unknown;
  readonly headers: Headers;
}

/** The same before parsing. */
interface TextAnswer {
  readonly text: string;
  readonly headers: Headers;
}

/** HTTP client of one Hub: limits the requests at once, and retries. */
export interface Http {
  /** Address of the Hub, without a trailing slash. */
  readonly endpoint: string;
  /** Whether requests carry a token. */
  readonly hasToken: boolean;
  /**
   * GETs JSON.
   *
   * @param url absolute address on the endpoint's origin
   * @param maxBytes largest accepted response, unpacked
   * @throws HugError, see `errorOfRefusal`; `EHUG_PROTOCOL` when the response is not JSON
   */
  json(url: string, subject: Subject, maxBytes: number): Promise<JsonAnswer>;
  /**
   * GETs text of the JSON API without the token.
   *
   * @param url absolute address on the endpoint's origin
   * @param maxBytes largest accepted response, unpacked
   */
  publicText(url: string, subject: Subject, maxBytes: number): Promise<TextAnswer>;
  /**
   * GETs a body and passes it to `consume`, again from the start after a fault.
   *
   * @param url absolute address on the endpoint's origin
   */
  download<T>(
    url: string,
    subject: Subject,
    consume: (body: AsyncIterable<Uint8Array>) => Promise<T>,
  ): Promise<T>;
  /**
   * GETs bytes of a file and passes them to `consume`, again after a fault. A call of its `progressed`
   * resets the number of retries, so that a long file survives any number of faults.
   */
  range<T>(request: RangeRequest<T>): Promise<T>;
  /** Closes all connections. Running requests are aborted, without a retry. */
  close(): Promise<void>;
}

/** A request for bytes of a file. */
interface RangeRequest<T> {
  readonly subject: Subject;
  /** Called before each try. */
  readonly next: () => RangeTry;
  /** `progressed` makes the next fault count as the first one. */
  readonly consume: (answer: RangeAnswer, progressed: () => void) => Promise<T>;
  readonly signal: AbortSignal;
}

/** One try of a range request. */
interface RangeTry {
  /** Absolute address on the endpoint's origin, or the target of an earlier redirect. */
  readonly url: string;
  /** Whether it is the latter, which may have expired. */
  readonly isRemembered?: boolean;
  /** Value of `Range`; absent for the whole file. */
  readonly range?: string | undefined;
}

/** A response with bytes of a file, or with status 416: the caller decides what a bad range means. */
export interface RangeAnswer {
  /** Address of the response, after redirects. */
  readonly address: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Opens an HTTP client for one Hub. */
export function createHttp(options: HttpOptions): Http {
  const { endpoint, token, retry = DEFAULT_RETRY, onWait = () => undefined } = options;
  const closed = new AbortController();
  const signal = AbortSignal.any([closed.signal, ...(options.signal ? [options.signal] : [])]);
  // Each running request adds a listener; Node would warn of a leak at eleven.
  setMaxListeners(0, signal);
  const connection = createConnection(options);
  const apiLimit = pLimit(options.apiConcurrency ?? 16);
  const downloadLimit = pLimit(options.downloadConcurrency ?? 8);

  /** A request to the endpoint's origin; each retry starts from the first byte. */
  async function whole<T>(
    url: string,
    subject: Subject,
    consume: (answer: Answer) => Promise<T>,
    kind: { readonly isPublic?: boolean; readonly isDownload?: boolean } = {},
  ): Promise<T> {
    const how = { headers: { 'accept-encoding': 'gzip' }, signal, ...kind };
    const attempt = () => connection.exchange(url, subject, how, consume);
    return withRetries(attempt, retry, onWait, signal);
  }

  return {
    endpoint,
    hasToken: token !== undefined,
    json: (url, subject, maxBytes) =>
      apiLimit(async () => {
        const { headers, text } = await whole(url, subject, textOf(maxBytes));
        return { headers, body: parseJson(text, bare(url)) };
      }),
    publicText: (url, subject, maxBytes) =>
      apiLimit(() => whole(url, subject, textOf(maxBytes), { isPublic: true })),
    download: (url, subject, consume) =>
      downloadLimit(() => whole(url, subject, ({ body }) => consume(body), { isDownload: true })),
    range: ({ subject, next, consume, signal: own }) =>
      downloadLimit(() => {
        const stop = AbortSignal.any([signal, own]);
        const attempt = (progressed: () => void) => {
          const { url, range, isRemembered = false } = next();
          const bytes = range === undefined ? {} : { range };
          const headers = { 'accept-encoding': 'identity', ...bytes };
          const how = { headers, signal: stop, isRemembered, isDownload: true };
          return connection.exchange(url, subject, how, (answer) => consume(answer, progressed));
        };
        return withRetries(attempt, retry, onWait, stop);
      }),
    close: () => {
      closed.abort();
      return connection.close();
    },
  };
}

const textOf =
  (maxBytes: number) =>
  async ({ headers, body }: Answer): Promise<TextAnswer> => ({
    headers,
    text: await readText(body, maxBytes),
  });

/** Address without query and credentials, fit for a message. */
function bare(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
