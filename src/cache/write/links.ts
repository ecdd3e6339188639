import { lstat, mkdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { type Damage, reasonAgainst } from '../find.ts';
import type { CommitTree } from '../trees.ts';
import { type CacheBlob, isSameFile } from './blob-file.ts';
import { succeedsUnless } from './files.ts';

/** A commit to be written into the cache. */
export interface NewSnapshot {
  /** The commit. */
  readonly rev: string;
  /** Files whose blobs are in the cache; safe paths. */
  readonly files: readonly LinkedFile[];
  /** The known files of the commit, written now or not. */
  readonly tree: CommitTree;
}

interface LinkedFile extends CacheBlob {
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
 * Links the files of a commit to their blobs: in one step when the cache does not have the commit,
 * else one by one.
 *
 * @param onDamage told of files that were no links, had another content, and were replaced
 */
export async function putLinks(
  snapshot: NewSnapshot,
  folders: RepoFolders,
  onDamage: (damage: Damage) => void,
): Promise<void> {
  const target = path.join(await folders.folder('snapshots'), snapshot.rev);
  const isThere = await succeedsUnless(['ENOENT'], () => lstat(target));
  if (!isThere && (await makeSnapshot(snapshot, target, folders))) return;
  await addLinks(snapshot, folders, onDamage);
}

/** Makes a whole snapshot in one step; `false` when another process was faster. */
async function makeSnapshot(
  { rev, files }: NewSnapshot,
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
  { rev, files }: NewSnapshot,
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
    const reason = await reasonToReplace(target, file, path.join(blobs, file.name.hex));
    const temporary = path.join(await scratch(), 'link');
    await symlink(text, temporary);
    await rename(temporary, target);
    if (reason !== undefined) onDamage({ file: target, reason });
  }
}

/** The target of a link: up from its folder, and down to the blob. */
function linkText({ path: file, name }: LinkedFile): string {
  return `${'../'.repeat(file.split('/').length + 1)}blobs/${name.hex}`;
}

/**
 * Why a file in place of a link does not have the content of the blob, as in a cache without links;
 * `undefined` for a link, or when it has.
 */
async function reasonToReplace(
  file: string,
  { name, size }: CacheBlob,
  blob: string,
): Promise<string | undefined> {
  const found = await lstat(file).catch(() => undefined);
  if (found?.isFile() !== true || (await isSameFile(file, blob))) return undefined;
  return reasonAgainst(file, { size, digest: name }, () => undefined);
}
