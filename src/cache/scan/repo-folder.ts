import { type Dirent, statSync } from 'node:fs';
import { byCodeUnit } from '../../code-unit.ts';
import { isGitId } from '../../integrity.ts';
import { isRepoId } from '../../repo.ts';
import { type Folder, folderAt, list } from './folder.ts';
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
  report: Report,
): CachedRepo {
  if (!isRepoId(named.id)) report('unclear-id', repo.at, named.id);
  const listed = list(repo, report);
  const entries = new Map(listed?.map((entry) => [entry.name, entry]));
  const snapshots = partAt(repo, entries.get('snapshots'), report);
  const blobs = partAt(repo, entries.get('blobs'), report);
  const refs = partAt(repo, entries.get('refs'), report);
  if (blobs !== undefined) reportIncomplete(blobs, report);
  if (listed !== undefined && snapshots === undefined) report('no-snapshots', repo.at);
  const folders = snapshots === undefined ? [] : snapshotFolders(snapshots, report);
  const names = new Set(folders.map(({ name }) => name));
  const byRef = refs === undefined ? new Map<string, string>() : readRefs(refs, names, report);
  const read = createReadSnapshot({ repo, blobs, cache }, report);
  const revisions = folders.map(({ name, folder }): CachedRevision => {
    const { files, isWhole } = read(folder);
    return {
      rev: name,
      folder: folder.at,
      files,
      isWhole,
      refs: [...byRef].flatMap(([ref, rev]) => (rev === name ? [ref] : [])).toSorted(byCodeUnit),
      size: sizeOf(files),
      modified: lastModified(folder, files, report),
    };
  });
  return { ...named, folder: repo.at, revisions };
}

/** Bytes that contents take, each counted once. */
export function sizeOf(files: Iterable<{ readonly file: string; readonly size: number }>): number {
  const sizes = new Map<string, number>();
  for (const { file, size } of files) sizes.set(file, size);
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** One of the folders that make up a repository. */
function partAt(repo: Folder, entry: Dirent | undefined, report: Report): Folder | undefined {
  if (entry === undefined) return undefined;
  const part = folderAt(repo, entry, report);
  if (typeof part !== 'string') return part;
  report('stray-file', `${repo.at}/${entry.name}`);
  return undefined;
}

function snapshotFolders(snapshots: Folder, report: Report): { name: string; folder: Folder }[] {
  const entries = list(snapshots, report) ?? [];
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
function reportIncomplete(blobs: Folder, report: Report): void {
  for (const { name } of list(blobs, report) ?? []) {
    if (name.endsWith('.incomplete')) report('incomplete', `${blobs.at}/${name}`);
  }
}

function lastModified({ at }: Folder, files: SnapshotFiles['files'], report: Report): number {
  if (files.length > 0) return files.reduce((last, { modified }) => Math.max(last, modified), 0);
  return attempt(report, at, true, () => statSync(at).mtimeMs) ?? 0;
}
