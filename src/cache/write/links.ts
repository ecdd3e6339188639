import { lstat, mkdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { digestOfEtag } from '../../digest.ts';
import { type Damage, reasonAgainst } from '../find.ts';
import type { CommitTree } from '../trees.ts';
import { type Blob, isSameFile } from './blob.ts';
import { succeedsUnless } from './folders.ts';

/** A commit as it goes into the cache. */
export interface Snapshot {
  /** The commit. */
  readonly rev: string;
  /** Files whose blobs are there; safe paths. */
  readonly files: readonly SnapshotFile[];
  /** The files of the commit, there or not. */
  readonly tree: CommitTree;
}

interface SnapshotFile extends Blob {
  readonly path: string;
}

/** The folder of a repository in the cache. */
interface RepoFolders {
  /** Makes a folder in it, see `makeFolder`. */
  readonly folder: (...segments: readonly string[]) => Promise<string>;
  /** Makes a folder of this process in it. */
  readonly scratch: () => Promise<string>;
}

/**
 * Links the files of a commit to their blobs: in one step where the commit is not in the cache yet,
 * else one by one.
 *
 * @param onDamage told of files without links that were replaced and had another content
 */
export async function putLinks(
  snapshot: Snapshot,
  folders: RepoFolders,
  onDamage: (damage: Damage) => void,
): Promise<void> {
  const target = path.join(await folders.folder('snapshots'), snapshot.rev);
  const isThere = await succeedsUnless(['ENOENT'], () => lstat(target));
  if (!isThere && (await makeSnapshot(snapshot, target, folders))) return;
  await addLinks(snapshot, folders, onDamage);
}

/** Makes a whole snapshot in one step; `false` when there is one meanwhile. */
async function makeSnapshot(
  { rev, files }: Snapshot,
  target: string,
  { scratch }: RepoFolders,
): Promise<boolean> {
  const prepared = path.join(await scratch(), rev);
  await mkdir(prepared);
  for (const file of files) {
    const link = path.join(prepared, file.path);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(linkText(file), link);
  }
  const isFirst = await succeedsUnless(['ENOTEMPTY', 'EEXIST', 'ENOTDIR'], () =>
    rename(prepared, target),
  );
  if (!isFirst) await rm(prepared, { recursive: true });
  return isFirst;
}

/** Adds links to a snapshot, one by one. */
async function addLinks(
  { rev, files }: Snapshot,
  { folder, scratch }: RepoFolders,
  onDamage: (damage: Damage) => void,
): Promise<void> {
  const parents = new Map<string, Promise<string>>();
  const parentOf = (file: string) => {
    const parent = path.posix.dirname(file);
    const segments = parent === '.' ? [] : parent.split('/');
    const known = parents.get(parent) ?? folder('snapshots', rev, ...segments);
    parents.set(parent, known);
    return known;
  };
  const blobs = await folder('blobs');
  for (const file of files) {
    const target = path.join(await parentOf(file.path), path.posix.basename(file.path));
    const text = linkText(file);
    if ((await readlink(target).catch(() => undefined)) === text) continue;
    const reason = await damageWithoutLink(target, file, path.join(blobs, file.etag));
    const temporary = path.join(await scratch(), 'link');
    await symlink(text, temporary);
    await rename(temporary, target);
    if (reason !== undefined) onDamage({ file: target, reason });
  }
}

/** What a link says: the way up from its folder, and down to the blob. */
function linkText({ path: file, etag }: SnapshotFile): string {
  return `${'../'.repeat(file.split('/').length + 1)}blobs/${etag}`;
}

/** What is wrong with a file that is no link, as where there are none; `undefined` for a link. */
async function damageWithoutLink(
  file: string,
  { etag, size }: Blob,
  blob: string,
): Promise<string | undefined> {
  const found = await lstat(file).catch(() => undefined);
  if (found?.isFile() !== true || (await isSameFile(file, blob))) return undefined;
  return reasonAgainst(file, { size, hash: digestOfEtag(etag) }, () => undefined);
}
