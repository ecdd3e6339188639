import type { Dispatcher } from 'undici';

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
export function exchangeLogger(
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
