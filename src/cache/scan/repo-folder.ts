import { type Dirent, statSync } from 'node:fs';
import { byCodeUnit } from '../../collections.ts';
import { isGitId } from '../../digest.ts';
import { isRepoId } from '../../repo.ts';
import { type Folder, folderAt, list, type Reading } from './folder.ts';
import { attempt, type Report } from './problem.ts';
import { readRefs, SYSTEM_FILES } from './refs.ts';
import { createReadSnapshot, type SnapshotFiles } from './snapshot.ts';

/** The official client caches more than models and datasets. */
type CachedType = 'model' | 'dataset' | 'space' | 'kernel';

/** A repository in the cache. */
export interface CachedRepo {
  readonly type: CachedType;
  /**
   * The id as the official client reads it from the name of the folder, with `/` for `--`. It need
   * not be one by the rules of `isRepoId`.
   */
  readonly id: string;
  /** Path of its folder by way of the cache. */
  readonly folder: string;
  /** In the order of their names. */
  readonly revisions: readonly CachedRevision[];
}

/** A repository at one commit, or a part of it: nobody knows which files were asked for. */
export interface CachedRevision extends SnapshotFiles {
  /** Name of the snapshot: the commit, unless a problem says otherwise. */
  readonly rev: string;
  /** Path of the snapshot by way of the cache. */
  readonly folder: string;
  /** The refs that lead here, sorted. */
  readonly refs: readonly string[];
  /** Bytes of its contents, each counted once. */
  readonly size: number;
  /** When its newest content was written, in ms since 1970; that of the folder when it is empty. */
  readonly modified: number;
}

const TYPES: ReadonlyMap<string, CachedType> = new Map([
  ['models', 'model'],
  ['datasets', 'dataset'],
  ['spaces', 'space'],
  ['kernels', 'kernel'],
]);

/** What the name of a repository's folder says; `undefined` for any other name. */
export function parseRepoFolderName(name: string): Pick<CachedRepo, 'type' | 'id'> | undefined {
  const end = name.indexOf('--');
  const type = TYPES.get(name.slice(0, Math.max(end, 0)));
  return type === undefined ? undefined : { type, id: name.slice(end + 2).replaceAll('--', '/') };
}

/** Reads the folder of a repository, whose name has been parsed. */
export function readRepo(
  named: Pick<CachedRepo, 'type' | 'id'>,
  repo: Folder,
  cache: Folder,
  reading: Reading,
): CachedRepo {
  const { report } = reading;
  if (!isRepoId(named.id)) report('unclear-id', repo.at, named.id);
  const listed = list(repo, reading);
  const entries = new Map(listed?.map((entry) => [entry.name, entry]));
  const snapshots = partAt(repo, entries.get('snapshots'), reading);
  const blobs = partAt(repo, entries.get('blobs'), reading);
  const refs = partAt(repo, entries.get('refs'), reading);
  if (blobs !== undefined) reportIncomplete(blobs, reading);
  if (listed !== undefined && snapshots === undefined) report('no-snapshots', repo.at);
  const folders = snapshots === undefined ? [] : snapshotFolders(snapshots, reading);
  const names = new Set(folders.map(({ name }) => name));
  const byRef = refs === undefined ? new Map<string, string>() : readRefs(refs, names, reading);
  const read = createReadSnapshot({ repo, blobs, cache }, reading);
  const revisions = folders.map(({ name, folder }): CachedRevision => {
    const found = read(folder);
    const leading = [...byRef].flatMap(([ref, rev]) => (rev === name ? [ref] : []));
    return withSums(
      { rev: name, folder: folder.at, refs: leading.toSorted(byCodeUnit), ...found },
      found.files.length === 0 ? lastModified(folder, report) : 0,
    );
  });
  return { ...named, folder: repo.at, revisions };
}

/**
 * Adds what follows from the files of a revision.
 *
 * @param since when it was last modified if there are none, in ms since 1970
 */
export function withSums(
  revision: Omit<CachedRevision, 'size' | 'modified'>,
  since = 0,
): CachedRevision {
  const { files } = revision;
  const modified = files.reduce((last, file) => Math.max(last, file.modified), since);
  return { ...revision, size: sizeOf(files), modified };
}

/** Bytes that contents take, each counted once. */
export function sizeOf(files: Iterable<{ readonly file: string; readonly size: number }>): number {
  const counted = new Set<string>();
  let sum = 0;
  for (const { file, size } of files) {
    if (counted.has(file)) continue;
    counted.add(file);
    sum += size;
  }
  return sum;
}

/** One of the folders that make up a repository. */
function partAt(repo: Folder, entry: Dirent | undefined, { report }: Reading): Folder | undefined {
  if (entry === undefined) return undefined;
  const part = folderAt(repo, entry, report);
  if (typeof part !== 'string') return part;
  report('stray-file', `${repo.at}/${entry.name}`);
  return undefined;
}

function snapshotFolders(snapshots: Folder, reading: Reading): { name: string; folder: Folder }[] {
  const { report } = reading;
  const entries = list(snapshots, reading) ?? [];
  return entries.flatMap((entry) => {
    const { name } = entry;
    if (SYSTEM_FILES.has(name)) return [];
    const folder = folderAt(snapshots, entry, report);
    const at = `${snapshots.at}/${name}`;
    if (typeof folder === 'string') report('stray-file', at);
    else if (folder !== undefined && !isGitId(name)) report('not-a-commit', at);
    return typeof folder === 'object' ? { name, folder } : [];
  });
}

/** `<etag>.<8 hex>.incomplete`, without the middle part in old clients. */
function reportIncomplete(blobs: Folder, reading: Reading): void {
  for (const { name } of list(blobs, reading) ?? []) {
    if (name.endsWith('.incomplete')) reading.report('incomplete', `${blobs.at}/${name}`);
  }
}

function lastModified({ at }: Folder, report: Report): number {
  return attempt(report, at, true, () => statSync(at).mtimeMs) ?? 0;
}
