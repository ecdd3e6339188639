import pLimit from 'p-limit';
import { type ErrorCode, HugError } from '../errors.ts';
import { createAdder } from './adder.ts';
import type { Nix } from './nix.ts';
import type { LackingContent } from './plan.ts';

/** A content on disk, checked, and where it came from. */
export interface Supplied<Source> {
  readonly file: string;
  readonly source: Source;
  /** To be called when the file is in the store, or could not be added. */
  discard(): Promise<void>;
}

/** Tells how far a content is: what is being done with it, and how many bytes that has reached. */
export type ReportContent = (status: string, bytes: number) => void;

/** What brings contents into the store. */
export interface RealiseOptions<Source> {
  readonly nix: Pick<Nix, 'add'>;
  /** Brings a content to disk and checks it. */
  readonly supply: (content: LackingContent, report: ReportContent) => Promise<Supplied<Source>>;
}

/** Brings one content into the store under all its names. */
export type Realise<Source> = (content: LackingContent, report: ReportContent) => Promise<Source>;

/**
 * Contents between the first byte and the store. More than are downloaded at once, so that adding
 * and downloading overlap; not many more, so that little waits on the disk.
 */
const MOST_UNDER_WAY = 64;

/** Faults of the surroundings: what failed for one content will fail for the next. */
export const HOPELESS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'EHUG_DISK_FULL',
  'EHUG_FILE_SYSTEM',
  'EHUG_NETWORK',
  'EHUG_NIX',
  'EHUG_RATE_LIMIT',
  'EHUG_TOKEN',
]);

/** Stands for a content that was not tried, because the surroundings had failed for another. */
export class NotTried extends Error {
  override readonly name = 'NotTried';
}

/**
 * A pipeline from a supply into the store, for any number of contents at once: a bounded number is
 * under way, the others wait.
 *
 * @returns the function for one content; it throws what `supply` and `Nix.add` throw, or `NotTried`
 */
export function createRealise<Source>({ nix, supply }: RealiseOptions<Source>): Realise<Source> {
  const limit = pLimit(MOST_UNDER_WAY);
  const addFile = createAdder((files) => nix.add(files));
  let isHopeless = false;

  async function realise(content: LackingContent, report: ReportContent): Promise<Source> {
    if (isHopeless) throw new NotTried();
    try {
      const supplied = await supply(content, report);
      const { file, source } = supplied;
      try {
        report('adding to the store', content.size);
        const names = [...content.names];
        await Promise.all(names.map(([storePath, name]) => addFile({ file, name, storePath })));
      } finally {
        await supplied.discard();
      }
      return source;
    } catch (error) {
      isHopeless ||= error instanceof HugError && HOPELESS.has(error.code);
      throw error;
    }
  }

  return (content, report) => limit(() => realise(content, report));
}
