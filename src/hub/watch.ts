/** Limits on the time of an exchange, in ms. */
export interface TimeLimits {
  /** Longest time from the request to the end of its response; of a download, to its first byte. */
  readonly exchangeMs: number;
  /** Time in which a download has to bring `MIN_BYTES`. */
  readonly paceMs: number;
}

/** Bytes; about 1 KiB a second, which the slowest connections in use exceed. */
const MIN_BYTES = 64 * 1024;

/** Ends an exchange that is too slow, however the server keeps the connection busy. */
export interface Watch {
  /** Aborted when the exchange is too slow, and with the signal of the caller. */
  readonly signal: AbortSignal;
  /** Why the exchange was ended; `undefined` while it is fast enough. */
  readonly fault: Error | undefined;
  /**
   * Passes the body of a download on. It may take any time, while enough bytes arrive; the time in
   * which the reader is busy does not count.
   */
  paced(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** To be called at the end of the exchange. */
  stop(): void;
}

/**
 * Starts to watch an exchange.
 *
 * @param outer signal of the caller
 */
export function watchExchange(limits: TimeLimits, outer: AbortSignal | undefined): Watch {
  const controller = new AbortController();
  let fault: Error | undefined;
  let timer: NodeJS.Timeout | undefined;
  const endIn = (ms: number, reason: string) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      fault = new Error(reason);
      controller.abort(fault);
    }, ms);
  };
  const follow = () => controller.abort(outer?.reason);
  if (outer?.aborted === true) follow();
  outer?.addEventListener('abort', follow);
  endIn(limits.exchangeMs, `the response took longer than ${limits.exchangeMs / 1000} s`);

  return {
    signal: controller.signal,
    get fault() {
      return fault;
    },
    async *paced(body) {
      const reason = `fewer than ${MIN_BYTES} bytes arrived in ${limits.paceMs / 1000} s`;
      let bytes = 0;
      let leftMs = limits.paceMs;
      let since = performance.now();
      endIn(leftMs, reason);
      for await (const chunk of body) {
        clearTimeout(timer);
        bytes += chunk.length;
        leftMs -= performance.now() - since;
        if (bytes >= MIN_BYTES) {
          bytes = 0;
          leftMs = limits.paceMs;
        }
        yield chunk;
        since = performance.now();
        endIn(leftMs, reason);
      }
    },
    stop() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', follow);
    },
  };
}
