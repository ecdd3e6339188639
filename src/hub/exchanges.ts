import type { Dispatcher } from 'undici';

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
export function tellingOf(
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
