import pLimit from 'p-limit';
import { type ErrorCode, HugError } from '../errors.ts';
import { SkippedError } from '../failures.ts';

/** Tells how far a content is: what is being done with it, and how many bytes that has reached. */
export type ReportContent = (status: string, bytes: number) => void;

/** Does the work for one content when its turn comes. */
export type Pipeline = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Contents between the first byte and their place. More than are downloaded at once, so that
 * writing and downloading overlap; not many more, so that little waits on the disk.
 */
const MAX_UNDER_WAY = 64;

/** Faults of the surroundings: what failed for one content will fail for the next. */
const FATAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'EHUG_DISK_FULL',
  'EHUG_FILE_SYSTEM',
  'EHUG_NIX',
  'EHUG_RATE_LIMIT',
  'EHUG_TOKEN',
]);

/** Faults of one content or of all of them: a CDN may lack a file, or cut its connection each time. */
const AMBIGUOUS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['EHUG_HUB', 'EHUG_NETWORK']);

/**
 * Contents that failed so, one after the other and each tried several times: then the Hub or the
 * network is down, and not one file of it.
 */
const MAX_FAILURES_IN_A_ROW = 16;

/**
 * Makes what any number of contents pass at once: a bounded number is under way, the others wait.
 *
 * @returns throws what the work throws, or `SkippedError`
 */
export function createCircuitBreaker(): Pipeline {
  const limit = pLimit(MAX_UNDER_WAY);
  let isOpen = false;
  let failuresInARow = 0;
  return (work) =>
    limit(async () => {
      if (isOpen) throw new SkippedError();
      try {
        const result = await work();
        failuresInARow = 0;
        return result;
      } catch (error) {
        const code = error instanceof HugError ? error.code : undefined;
        if (code === undefined) throw error;
        failuresInARow = AMBIGUOUS.has(code) ? failuresInARow + 1 : 0;
        // Those that were under way by then fail in the same way, and have nothing to tell.
        if (failuresInARow > MAX_FAILURES_IN_A_ROW) throw new SkippedError();
        isOpen ||= failuresInARow === MAX_FAILURES_IN_A_ROW || FATAL.has(code);
        throw error;
      }
    });
}
