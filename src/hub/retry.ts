import { setTimeout as sleep } from 'node:timers/promises';
import type { HugError } from '../errors.ts';

/** When and how long to wait before another try. */
export interface RetryPolicy {
  /** Tries after the first one. */
  readonly retries: number;
  /** Longest wait before the second try, in ms; it doubles with each further one. */
  readonly baseMs: number;
  /** Longest wait that a server may ask for, in ms. */
  readonly longestWaitMs: number;
}

/** The published windows of the Hub last 300 s; one is waited out, not more. */
export const DEFAULT_RETRY: RetryPolicy = { retries: 5, baseMs: 1_000, longestWaitMs: 310_000 };

/** A wait that is about to happen, for the user to see. */
export interface Wait {
  readonly reason: string;
  readonly ms: number;
}

/** A fault that may pass: try again, or end in `final`. */
export class TransientFault extends Error {
  readonly final: HugError;
  /** What the server asked for, in ms. */
  readonly waitMs: number | undefined;

  constructor(final: HugError, waitMs?: number) {
    super(final.message);
    this.final = final;
    this.waitMs = waitMs;
  }
}

/**
 * Repeats an attempt while it ends in a `TransientFault`, with exponential back-off and jitter,
 * or after the wait that the server asked for, if that is longer: by another clock, its date may
 * have passed.
 *
 * @param attempt may call `progressed`, after which the next fault counts as the first one
 * @throws whatever else the attempt throws, at once; the fault's `final` error when tries are used up
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
 * How long a server asks to wait, in ms: `Retry-After` in seconds or as a date (RFC 9110, section
 * 10.2.3), else the `t` of `RateLimit` (draft-ietf-httpapi-ratelimit-headers) when nothing remains.
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
