import type { Headers } from './reply.ts';

/**
 * A way to answer wrongly. `delay`, `cut`, `stall`, `corrupt`, `truncate`, `extend`, `gzip`, `slow`, `json`,
 * `headers` and `paging` distort the true answer; the others replace it. Byte positions count in
 * the body of that answer, thus from the start of the range of a 206.
 */
export type Fault =
  /** Another status; the body is text unless the headers say otherwise. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Headers;
      readonly body?: string;
    }
  /** The connection is reset, before the status line or after so many bytes of the body. */
  | { readonly kind: 'reset'; readonly afterBytes?: number }
  /** The answer comes so many milliseconds late. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The connection is closed after so many bytes of the body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Nothing follows so many bytes of the body, and the connection stays open. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** The byte at this position, default the first, has all its bits flipped. */
  | { readonly kind: 'corrupt'; readonly at?: number }
  /** The body has only so many bytes, and `Content-Length` agrees. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** The body has so many bytes more, and `Content-Length` agrees. */
  | { readonly kind: 'extend'; readonly bytes: number }
  /** Compressed, whatever the request accepts, and without `Content-Length`. */
  | { readonly kind: 'gzip' }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /** A 200 page of HTML, as from a captive portal. */
  | { readonly kind: 'html' }
  /** A JSON value, or what a function makes of the true one; annotate its parameter. */
  | { readonly kind: 'json'; readonly body: Json | ((body: never) => unknown) }
  /** Headers set beside, or in place of, the true ones; undefined removes. */
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string | undefined>> }
  /** `Link` names the same page again, or always one more page with paths of its own. */
  | { readonly kind: 'paging'; readonly next: 'same' | 'endless' }
  | { readonly kind: 'redirect'; readonly location: string; readonly status?: 302 | 307 }
  /** The CDN's answer to a signed address that has expired. */
  | { readonly kind: 'expired' }
  /** A valid JSON array of so many bytes, at least 4; compressed, it is a thousandth on the way. */
  | { readonly kind: 'hugeJson'; readonly bytes: number; readonly compressed?: boolean };

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
