import { setTimeout as sleep } from 'node:timers/promises';
import type { HugError } from '../errors.ts';

/** How often to retry, and how long to wait before. */
export interface RetryPolicy {
  /** After the first try. */
  readonly retries: number;
  /** Longest wait before the first retry, in ms; it doubles with each further one. */
  readonly baseMs: number;
  /** Longest wait that a server may ask for, in ms. */
  readonly longestWaitMs: number;
}

/** The rate limit windows of the Hub last 300 s; nix-hug waits for the end of one, not more. */
export const DEFAULT_RETRY: RetryPolicy = { retries: 5, baseMs: 1_000, longestWaitMs: 310_000 };

/** A wait that is about to begin, for the user to see. */
export interface Wait {
  readonly reason: string;
  readonly ms: number;
}

/** A fault that a retry may fix. */
export class TransientFault extends Error {
  /** The error after the last retry. */
  readonly final: HugError;
  /** Requested by the server, in ms. */
  readonly waitMs: number | undefined;

  constructor(final: HugError, waitMs?: number) {
    super(final.message);
    this.final = final;
    this.waitMs = waitMs;
  }
}

/**
 * Repeats an attempt that throws `TransientFault`, with exponential back-off and jitter. The wait
 * that the server requests counts when it is longer; a date may have passed already by our clock.
 *
 * @param attempt may call `progressed`, after which the next fault counts as the first one
 * @throws the `final` error of the fault after the last retry; any other error at once
 */
export async function withRetries<T>(
  attempt: (progressed: () => void) => Promise<T>,
  policy: RetryPolicy,
  onWait: (wait: Wait) => void,
  signal?: AbortSignal,
): Promise<T> {
  let retry = 0;
  const progressed = () => {
    retry = 0;
  };
  for (;;) {
    try {
      return await attempt(progressed);
    } catch (error) {
      if (!(error instanceof TransientFault)) throw error;
      const backOff = policy.baseMs * 2 ** retry * (0.5 + Math.random() / 2);
      const ms = Math.max(error.waitMs ?? 0, backOff);
      if (retry >= policy.retries || ms > policy.longestWaitMs) throw error.final;
      onWait({ reason: error.message, ms });
      await sleep(ms, undefined, signal === undefined ? {} : { signal });
      retry += 1;
    }
  }
}

/**
 * The wait that a server requests, in ms: `Retry-After` in seconds or as a date (RFC 9110, section
 * 10.2.3), else the `t` of `RateLimit` (draft-ietf-httpapi-ratelimit-headers) when `r` is 0.
 *
 * @param now in ms since the epoch
 */
export function requestedWaitMs(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  now: number,
): number | undefined {
  const retryAfter = first(headers['retry-after'])?.trim();
  if (retryAfter !== undefined) {
    const ms = /^\d+$/u.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now;
    if (Number.isFinite(ms)) return Math.max(0, ms);
  }
  const window = /;\s*r=(\d+)\s*;\s*t=(\d+)/u.exec(first(headers['ratelimit']) ?? '');
  return window !== null && window[1] === '0' ? (Number(window[2]) + 1) * 1000 : undefined;
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
