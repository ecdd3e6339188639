import { createHash } from 'node:crypto';
import { type Content, contentOf } from './content.ts';

/** A request as the handlers see it. */
export interface HubRequest {
  readonly origin: 'hub' | 'cdn';
  readonly method: string;
  /** Path and query exactly as sent. */
  readonly url: string;
  /** Path exactly as sent, percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Values by lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Address of the server that was asked, without a trailing slash. */
  readonly base: string;
}

export type Headers = Readonly<Record<string, string>>;

/** An answer, before it is written to a connection. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Content;
  /** Bytes that `Content-Length` announces, default the body's; `none` leaves the header out. */
  readonly announcedBytes?: number | 'none';
  /** What happens instead of a clean end: `reset` before the status line, the others after the body. */
  readonly ending?: 'reset' | 'late reset' | 'cut' | 'stall';
  /** Rate at which the body is sent; default as fast as the connection takes it. */
  readonly bytesPerSecond?: number;
}

const REASONS: Readonly<Record<number, string>> = { 302: 'Found', 307: 'Temporary Redirect' };

/** An answer of the JSON API. */
export function json(value: unknown, headers: Headers = {}, status = 200): Reply {
  return tagged(status, 'application/json; charset=utf-8', JSON.stringify(value), headers);
}

/** An answer of plain text. */
export function plain(text: string, headers: Headers = {}, status = 200): Reply {
  return tagged(status, 'text/plain; charset=utf-8', text, headers);
}

/** A redirect; its body names the location, and it has no ETag. */
export function redirect(status: 302 | 307, location: string, headers: Headers = {}): Reply {
  return {
    status,
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      ...headers,
      Location: location,
      Vary: 'Origin, Accept',
    },
    body: contentOf(`${REASONS[status]}. Redirecting to ${location}`),
  };
}

/** The hub's ETag of an API answer: length in hex and 27 characters of the base64 SHA-1. */
function weakEtag(body: string): string {
  const digest = createHash('sha1').update(body).digest('base64').slice(0, 27);
  return `W/"${Buffer.byteLength(body).toString(16)}-${digest}"`;
}

function tagged(status: number, type: string, body: string, headers: Headers): Reply {
  return {
    status,
    headers: { 'Content-Type': type, ETag: weakEtag(body), ...headers },
    body: contentOf(body),
  };
}
