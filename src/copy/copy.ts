import pLimit from 'p-limit';
import type { Damage } from '../cache/find.ts';
import type { BlobSource } from '../cache/write/blob-file.ts';
import { type ErrorCode, HugError } from '../errors.ts';
import { throwFailures, within } from '../failures.ts';
import { escapeControls } from '../quote.ts';
import type { Blob, RepoFile } from './blob.ts';
import {
  createSources,
  type Report,
  type Source,
  type SourceContext,
  type SourceOptions,
} from './sources.ts';

/** Where blobs are copied to. */
export interface CopyTarget {
  /** Throws `EHUG_DISK_FULL` before anything is copied, when the disk has no room for all blobs. */
  prepare(blobs: readonly Blob[]): Promise<void>;
  /** Puts a content into all of its places. */
  put(blob: Blob, file: BlobSource, report: Report): Promise<void>;
  /** What happens to a damaged file of the Hugging Face cache, for the warning. */
  damageOutcome(isCopied: boolean): string;
}

/** What copying needs from outside. */
export interface CopyContext extends SourceContext {
  /** Runs transfers at once, shows them, and returns how each ended, in order. */
  readonly runTransfers: <T>(
    transfers: readonly {
      readonly entry: string;
      readonly title: string;
      readonly size: number;
      readonly run: (report: Report) => Promise<T>;
    }[],
  ) => Promise<PromiseSettledResult<T>[]>;
}

/** What came of the blobs of one run. */
export interface CopyResult {
  /** Where the content of each copied file came from. */
  readonly sources: ReadonlyMap<RepoFile, Source>;
  /** What was thrown for the blobs that were tried and not copied. */
  readonly failures: ReadonlyMap<Blob, unknown>;
  /** How many blobs were not tried any more after a fatal error. */
  readonly skipped: number;
}

/**
 * Copies blobs to a target, as many as it can.
 *
 * @throws HugError that of `CopyTarget.prepare`
 */
export async function copyBlobs(
  blobs: readonly Blob[],
  target: CopyTarget,
  options: SourceOptions,
  context: CopyContext,
): Promise<CopyResult> {
  await target.prepare(blobs);
  // Shown when the progress display is gone.
  const warnings = new Set<string>();
  const warn = (line: string) => warnings.add(line);
  const sources = createSources(blobs, options, { ...context, warn });
  const whenItsTurnComes = createCircuitBreaker();

  async function copy(blob: Blob, report: Report): Promise<Source> {
    const damaged: Damage[] = [];
    let isCopied = false;
    try {
      const use = (file: BlobSource) => target.put(blob, file, report);
      const source = await sources.provide(blob, use, report, (damage) => damaged.push(damage));
      isCopied = true;
      return source;
    } finally {
      const outcome = target.damageOutcome(isCopied);
      for (const damage of damaged) warn(damageText(damage, outcome));
    }
  }

  try {
    const results = await context.runTransfers(
      blobs.map((blob) => ({
        entry: blob.places[0].snapshot.title,
        title: titleOf(blob),
        size: blob.size,
        run: (report) => whenItsTurnComes(() => copy(blob, report)),
      })),
    );
    context.signal.throwIfAborted();
    for (const line of warnings) context.warn(line);
    const copied = new Map<RepoFile, Source>();
    const failures = new Map<Blob, unknown>();
    let skipped = 0;
    for (const [index, blob] of blobs.entries()) {
      const result = results[index];
      if (result?.status === 'fulfilled') {
        for (const { file } of blob.places) copied.set(file, result.value);
      } else if (result?.reason instanceof SkippedError) skipped += 1;
      else failures.set(blob, result?.reason);
    }
    return { sources: copied, failures, skipped };
  } finally {
    await sources.close();
  }
}

/** The warning about a damaged file. */
export const damageText = ({ file, reason, isForeign }: Damage, outcome?: string): string =>
  `${file} ${reason}; ${isForeign === true ? NOT_USED : (outcome ?? NOT_USED)}`;

const NOT_USED = 'it was not used';

/**
 * Throws the failures of a run in one error, each with the title of its entry.
 *
 * @param others errors of the same command
 * @param notes further details, only with a failure
 */
export function throwFailed(
  { failures, skipped }: Pick<CopyResult, 'failures' | 'skipped'>,
  others: readonly HugError[] = [],
  notes: readonly string[] = [],
): void {
  const errors = [...failures].map(([{ places }, reason]) =>
    within(reason, places[0].snapshot.title),
  );
  const untried = skipped === 0 ? [] : [`not tried any more: ${skipped} other files`];
  throwFailures([...errors, ...others], [...untried, ...notes]);
}

function titleOf({ places: [{ file }, ...others] }: Blob): string {
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return escapeControls(file.path) + more;
}

/** Stands for a blob that was not tried any more, or failed in the same way as those before. */
export class SkippedError extends Error {
  override readonly name = 'SkippedError';
}

/**
 * Blobs between their first byte and their place. More than are downloaded at once, so that
 * downloading and writing overlap; not many more, so that little waits on the disk.
 */
const MAX_UNDER_WAY = 64;

/** Fatal errors: the same failure would hit every following file, so stop. */
const FATAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'EHUG_DISK_FULL',
  'EHUG_FILE_SYSTEM',
  'EHUG_NIX',
  'EHUG_RATE_LIMIT',
  'EHUG_TOKEN',
]);

/** Errors of one file or of all of them: a CDN may miss a file, or cut its connection each time. */
const AMBIGUOUS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['EHUG_HUB', 'EHUG_NETWORK']);

/** After so many ambiguous errors in a row, each after its retries, the Hub or the network is down. */
const MAX_FAILURES_IN_A_ROW = 16;

/**
 * Makes what any number of blobs pass at once: a bounded number is under way, the others wait.
 *
 * @returns throws what the work throws; `SkippedError` after a fatal error of another one
 */
export function createCircuitBreaker(): <T>(work: () => Promise<T>) => Promise<T> {
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
        // Those that were under way by then fail in the same way, and add nothing to the message.
        if (failuresInARow > MAX_FAILURES_IN_A_ROW) throw new SkippedError();
        isOpen ||= failuresInARow === MAX_FAILURES_IN_A_ROW || FATAL.has(code);
        throw error;
      }
    });
}
