import type { CachedRevision } from '../../cache/scan/repo-folder.ts';
import type { CacheScan } from '../../cache/scan/scan.ts';
import type { Output } from '../output-schema.ts';

/** What `scan` has to tell. */
export interface ScanReport {
  readonly cacheFolder: string;
  readonly scan: CacheScan;
  /** Whether the store has all files of a revision; `undefined` when that is not known. */
  readonly isStored: (revision: CachedRevision) => boolean | undefined;
}

/** The last moment that a `Date` can be; file systems have later ones. In ms since 1970. */
const LAST_DATE = 8.64e15;

/** A document of it. Times are in ISO 8601. */
export function scanJson({ cacheFolder, scan, isStored }: ScanReport): Output<'scan'> {
  return {
    cache: cacheFolder,
    found: scan.found,
    size: scan.size,
    revisions: scan.repos.flatMap(({ id, type, revisions }) =>
      revisions.map((revision) => ({
        repo: id,
        type,
        rev: revision.rev,
        size: revision.size,
        files: revision.files.length,
        inStore: isStored(revision) ?? null,
        refs: revision.refs,
        modified: new Date(Math.min(revision.modified, LAST_DATE)).toISOString(),
        folder: revision.folder,
      })),
    ),
    problems: scan.problems,
  };
}
