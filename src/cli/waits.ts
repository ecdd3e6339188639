import type { Wait } from '../hub/retry.ts';

/** Waits for the Hub. */
export interface Waits {
  /** Tells of a wait that begins now. */
  readonly announce: (wait: Wait) => void;
  /** A line that says how long the wait goes on; none without a wait. */
  readonly notice: () => string[];
}

/**
 * Tells of waits by a line each, and counts them down. Several requests wait for the same window of
 * the rate limit; one line is enough.
 */
export function createWaits(note: (line: string) => void): Waits {
  let until = 0;
  return {
    announce({ reason, ms }) {
      const end = Date.now() + ms;
      if (end < until + 1_000) return;
      until = end;
      note(`${reason}; waiting ${Math.ceil(ms / 1_000)} s`);
    },
    notice() {
      const seconds = Math.ceil((until - Date.now()) / 1_000);
      return seconds > 0 ? [`the next request follows in ${seconds} s`] : [];
    },
  };
}
