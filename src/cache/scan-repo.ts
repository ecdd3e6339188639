import { closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { byCodeUnit } from '../collections.ts';
import { isGitId } from '../digest.ts';
import { isRepoId } from '../repo.ts';
import { unsafeReason } from '../safe-path.ts';
import type { CachedType } from './layout.ts';
import { attempt, type Folder, folderAt, listFolder, type ReportProblem } from './problem.ts';
import { createSnapshotReader, type SnapshotFiles } from './scan-snapshot.ts';

/** A repository in the cache. */
export interface CachedRepo {
  readonly type: CachedType;
  /** Id as `parseRepoFolderName` reads it; not always one that a repository can have. */
  readonly id: string;
  /** Path of its folder as the cache has it. */
  readonly folder: string;
  /** Sorted by commit. */
  readonly revisions: readonly CachedRevision[];
}

/** A repository at one commit: all of its files, or those that somebody downloaded. */
export interface CachedRevision extends SnapshotFiles {
  /** Name of the snapshot: a commit, unless a problem says otherwise. */
  readonly rev: string;
  /** Path of the snapshot as the cache has it. */
  readonly folder: string;
  /** The refs to this commit, sorted. */
  readonly refs: readonly string[];
  /** Bytes of its files; a content that several of them have counts once. */
  readonly size: number;
  /** When its newest content was written, in ms since 1970; that of the folder when it is empty. */
  readonly modified: number;
}

/** Files that operating systems leave in folders; the official client ignores them, too. */
export const SYSTEM_FILES: ReadonlySet<string> = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini']);

/**
 * Reads the folder of a repository.
 *
 * @param named what the name of the folder says
 */
export function readRepo(
  named: Pick<CachedRepo, 'type' | 'id'>,
  repo: Folder,
  cache: Folder,
  report: ReportProblem,
): CachedRepo {
  if (!isRepoId(named.id)) report('unclear-id', repo.at, named.id);
  const listed = listFolder(repo.at, report);
  const part = (name: string): Folder | undefined => {
    const entry = listed?.find((each) => each.name === name);
    return entry && folderAt(repo, entry, 'stray-file', report);
  };
  const snapshots = part('snapshots');
  const blobs = part('blobs');
  const refs = part('refs');
  if (blobs !== undefined) reportIncomplete(blobs, report);
  if (listed !== undefined && snapshots === undefined) report('no-snapshots', repo.at);
  const folders = snapshots === undefined ? [] : snapshotFolders(snapshots, report);
  const refsOf = new Map<string, string[]>(folders.map(({ rev }) => [rev, []]));
  if (refs !== undefined) readRefs(refs.at, '', refsOf, report);
  const read = createSnapshotReader(cache, repo, blobs, report);
  const revisions = folders.map(({ rev, folder }): CachedRevision => {
    const snapshot = read(folder);
    const { files } = snapshot;
    const emptyModified = () => attempt(report, folder.at, true, () => statSync(folder.at).mtimeMs);
    return {
      ...snapshot,
      rev,
      folder: folder.at,
      refs: (refsOf.get(rev) ?? []).toSorted(byCodeUnit),
      size: sizeOf(files),
      modified: files.reduce(
        (last, file) => Math.max(last, file.modified),
        files.length > 0 ? 0 : (emptyModified() ?? 0),
      ),
    };
  });
  return { ...named, folder: repo.at, revisions };
}

/** Bytes of all files; a content that several of them have counts once. */
export function sizeOf(files: Iterable<{ readonly file: string; readonly size: number }>): number {
  const sizes = new Map(Array.from(files, ({ file, size }) => [file, size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

function snapshotFolders(
  snapshots: Folder,
  report: ReportProblem,
): { readonly rev: string; readonly folder: Folder }[] {
  const entries = listFolder(snapshots.at, report) ?? [];
  return entries.flatMap((entry) => {
    if (SYSTEM_FILES.has(entry.name)) return [];
    const folder = folderAt(snapshots, entry, 'stray-file', report);
    if (folder === undefined) return [];
    if (!isGitId(entry.name)) report('not-a-commit', folder.at);
    return [{ rev: entry.name, folder }];
  });
}

/** `<etag>.<8 hex>.incomplete`, or `<etag>.incomplete` by old clients. */
function reportIncomplete(blobs: Folder, report: ReportProblem): void {
  for (const { name } of listFolder(blobs.at, report) ?? []) {
    if (name.endsWith('.incomplete')) report('incomplete', `${blobs.at}/${name}`);
  }
}

/** A ref has 40 bytes. A longer file is not a ref, and is not read to its end. */
const MAX_REF_BYTES = 1024;

/** Where huggingface_hub writes a ref before it renames it. */
const TEMPORARY_REF = /\.[0-9a-f]{8}\.tmp$/u;

/**
 * Reads the refs of a repository that the official client follows: those whose text is exactly the
 * name of a snapshot.
 *
 * @param prefix the part of the ref that this folder stands for: empty, or `refs/pr/`
 * @param refsOf has an entry for every snapshot; each ref is added to the entry of its snapshot
 */
function readRefs(
  folder: string,
  prefix: string,
  refsOf: ReadonlyMap<string, string[]>,
  report: ReportProblem,
): void {
  for (const entry of listFolder(folder, report) ?? []) {
    const ref = prefix + entry.name;
    const at = `${folder}/${entry.name}`;
    const unsafe = unsafeReason(ref);
    if (SYSTEM_FILES.has(entry.name)) continue;
    if (unsafe !== undefined) report('unsafe-name', at, unsafe);
    else if (entry.isDirectory()) readRefs(at, `${ref}/`, refsOf, report);
    else if (TEMPORARY_REF.test(ref)) report('incomplete', at);
    else if (!entry.isFile() && !entry.isSymbolicLink()) report('not-a-file', at);
    else {
      const text = attempt(report, at, entry.isSymbolicLink(), () => readStart(at));
      if (text === undefined) continue;
      const refs = refsOf.get(text);
      // A ref that is named by its commit keeps the revision, and says nothing about it.
      if (refs !== undefined) refs.push(...(ref === text ? [] : [ref]));
      else if (isGitId(text)) report('dangling-ref', at, text);
      else report('bad-ref', at, badRefReason(text, refsOf));
    }
  }
}

function badRefReason(text: string, revisions: ReadonlyMap<string, unknown>): string {
  if (text.length > MAX_REF_BYTES) return 'is too long';
  const commit = text.trim().toLowerCase();
  return isGitId(commit) || revisions.has(commit)
    ? 'has more than the commit in lower case'
    : 'holds no commit';
}

/** The first bytes of a file. Does not wait for the writer of a FIFO. */
function readStart(at: string): string {
  const fd = openSync(at, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.alloc(MAX_REF_BYTES + 1);
    return buffer.toString('latin1', 0, readSync(fd, buffer));
  } finally {
    closeSync(fd);
  }
}
