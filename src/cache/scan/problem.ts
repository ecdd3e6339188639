import { systemCodeOf } from '../../errors.ts';

/** What can be odd in a cache. None of it stops a scan. */
export type ProblemKind =
  /** At the root of the cache, and no part of one. */
  | 'foreign'
  /** The name of a repository's folder is that of no repository: it had `--` in it, or worse. */
  | 'unclear-id'
  /** A repository without a folder `snapshots`. */
  | 'no-snapshots'
  /** A snapshot that is not named after a commit. */
  | 'not-a-commit'
  /** A file where only folders belong. */
  | 'stray-file'
  /** A link to nothing. */
  | 'broken-link'
  /** A link that leads to itself. */
  | 'link-loop'
  /** A link to a folder inside of a snapshot: nobody lists the files behind it. */
  | 'linked-folder'
  /** A link out of the cache; the official client deletes what is behind it with the snapshot. */
  | 'outside'
  /** A pipe, a socket or a device. */
  | 'not-a-file'
  /** A name that no repository path may have, see `safe-path.ts`. */
  | 'unsafe-name'
  /** A ref that holds no commit. */
  | 'bad-ref'
  /** A ref to a commit whose snapshot is not there. */
  | 'dangling-ref'
  /** What an interrupted download left. */
  | 'incomplete'
  /** The system refuses to read it. */
  | 'unreadable';

/** Something odd in a cache. */
export interface CacheProblem {
  readonly kind: ProblemKind;
  /** Where, relative to the cache. */
  readonly path: string;
  /** The reason, or where a link or a ref leads. */
  readonly detail?: string;
}

/** Notes a problem at a path, which is in full and begins with that of the cache. */
export type Report = (kind: ProblemKind, at: string, detail?: string) => void;

/**
 * Does one reading of the file system; what the system refuses is reported.
 *
 * @param at the path for the report
 * @param isLink whether nothing at the end means a broken link
 * @returns `undefined` when it was refused
 */
export function attempt<T>(report: Report, at: string, isLink: boolean, read: () => T) {
  try {
    return read();
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === undefined) throw error;
    if (code === 'ELOOP') report('link-loop', at);
    else if (isLink && (code === 'ENOENT' || code === 'ENOTDIR')) report('broken-link', at);
    else report('unreadable', at, code);
    return undefined;
  }
}
