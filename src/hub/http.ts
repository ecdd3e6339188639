import { setMaxListeners } from 'node:events';
import pLimit from 'p-limit';
import { decoded, type Headers, parseJson, readText } from './answer.ts';
import { type Answer, type ConnectionOptions, createConnection } from './connection.ts';
import { protocolError } from './errors.ts';
import type { Subject } from './errors.ts';
import { DEFAULT_RETRY, type RetryPolicy, type Wait, withRetries } from './retry.ts';

/** How to reach a Hub. */
export interface HttpOptions extends ConnectionOptions {
  /** API requests at once. */
  readonly apiConcurrency?: number;
  /** Downloads at once. */
  readonly downloadConcurrency?: number;
  /** When faults are tried again; default: five times, after 1 s and more. */
  readonly retry?: RetryPolicy;
  /** Told of each wait before another try. */
  readonly onWait?: (wait: Wait) => void;
  /** Ends all requests. */
  readonly signal?: AbortSignal | undefined;
}

/** An answer of the JSON API. */
export interface JsonAnswer {
  readonly body: unknown;
  readonly headers: Headers;
}

/** The same, as it was sent. */
export interface TextAnswer {
  readonly text: string;
  readonly headers: Headers;
}

/** HTTP as the rest of the Hub client needs it. */
export interface Http {
  /** Address of the Hub, without a trailing slash. */
  readonly endpoint: string;
  /** Whether a token is sent to it. */
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
   * GETs bytes of a file and hands them to `consume`, again after a fault. Its `progressed` makes the
   * tries start anew, so that a long file survives any number of faults.
   */
  range<T>(request: RangeRequest<T>): Promise<T>;
  /** Closes all connections. Requests that are under way end at once, and are not repeated. */
  close(): Promise<void>;
}

/** Which bytes of a file to GET. */
export interface RangeRequest<T> {
  readonly subject: Subject;
  /** What to ask for, said anew for each try. */
  readonly next: () => RangeTry;
  /** Takes the answer; `progressed` says that a fault from here on is the first one again. */
  readonly consume: (answer: RangeAnswer, progressed: () => void) => Promise<T>;
  readonly signal: AbortSignal;
}

/** One try at some bytes of a file. */
export interface RangeTry {
  /** Absolute address, on the endpoint's origin or one that an answer came from before. */
  readonly url: string;
  /** Whether it is the latter: what refuses it may do so because it has expired. */
  readonly isRemembered?: boolean;
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

/** A tree page of 1,000 entries has under 1 MB; nothing the API answers is near this, in bytes. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;

/** Makes the HTTP client: single requests of `connection.ts`, bounded in number and repeated. */
export function createHttp(options: HttpOptions): Http {
  const { endpoint, token, retry = DEFAULT_RETRY, onWait = () => undefined } = options;
  const { origin } = new URL(endpoint);
  const closed = new AbortController();
  const signal = AbortSignal.any([closed.signal, ...(options.signal ? [options.signal] : [])]);
  // Each request under way listens; Node would warn of a leak at eleven.
  setMaxListeners(0, signal);
  const connection = createConnection(options);
  const apiLimit = pLimit(options.apiConcurrency ?? 16);
  const downloadLimit = pLimit(options.downloadConcurrency ?? 8);

  /** A request on the endpoint's origin with its whole body, from the start each time. */
  async function whole<T>(
    url: string,
    subject: Subject,
    consume: (answer: Answer) => Promise<T>,
    isPublic = false,
  ): Promise<T> {
    if (new URL(url).origin !== origin) {
      throw protocolError(`the Hub points to another origin: ${bare(url)}`);
    }
    const how = { headers: { 'accept-encoding': 'gzip' }, signal, isPublic };
    const attempt = () => connection.exchange(url, subject, how, consume);
    return withRetries(attempt, retry, onWait, signal);
  }

  return {
    endpoint,
    hasToken: token !== undefined,
    json: (url, subject) =>
      apiLimit(async () => {
        const { headers, text } = await whole(url, subject, textOf);
        return { headers, body: parseJson(text, bare(url)) };
      }),
    publicText: (url, subject) => apiLimit(() => whole(url, subject, textOf, true)),
    download: (url, subject, consume) =>
      downloadLimit(() =>
        whole(url, subject, ({ headers, body }) => consume(decoded(body, headers))),
      ),
    range: ({ subject, next, consume, signal: own }) =>
      downloadLimit(() => {
        const stop = AbortSignal.any([signal, own]);
        return withRetries(
          (progressed) => {
            const { url, range, isRemembered = false } = next();
            const headers = {
              'accept-encoding': 'identity',
              ...(range === undefined ? {} : { range }),
            };
            const how = { headers, signal: stop, isRemembered };
            return connection.exchange(url, subject, how, (answer) =>
              consume({ ...answer, body: decoded(answer.body, answer.headers) }, progressed),
            );
          },
          retry,
          onWait,
          stop,
        );
      }),
    close: () => {
      closed.abort();
      return connection.close();
    },
  };
}

async function textOf({ headers, body }: Answer): Promise<TextAnswer> {
  return { headers, text: await readText(decoded(body, headers), MAX_JSON_BYTES) };
}

/** Address without query and credentials, fit for a message. */
function bare(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
