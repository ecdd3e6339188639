import { lstat, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { RepoType } from '../../repo.ts';
import { repoFolderName } from '../layout.ts';
import { cacheError, makeFolder } from './files.ts';

/**
 * Folder in the folder of a repository, for the garbage collector roots that keep what its blobs link to.
 * It goes with the repository; no client looks there.
 */
const ROOTS = '.nix-hug-roots';

/** A root comes before its snapshot, of a process that may still be at work; in ms. */
const MAX_WORK_MS = 24 * 60 * 60 * 1_000;

/**
 * Makes the folder for the roots of a repository, without those of revisions that the cache does not have
 * any more.
 *
 * @param cache the cache folder
 * @returns path in the cache; the name of a root begins with the commit and a dot
 * @throws HugError `EHUG_FILE_SYSTEM`, `EHUG_UNSAFE_PATH`
 */
export async function prepareRoots(cache: string, type: RepoType, id: string): Promise<string> {
  const name = repoFolderName(type, id);
  return guarded(path.join(cache, name), async () => {
    const revs = new Set(await readdir(await makeFolder(cache, [name, 'snapshots'])));
    const folder = await makeFolder(cache, [name, ROOTS]);
    for (const root of await readdir(folder)) {
      if (revs.has(root.slice(0, root.indexOf('.')))) continue;
      const at = path.join(folder, root);
      const { mtimeMs } = await lstat(at).catch(() => ({ mtimeMs: Infinity }));
      if (Date.now() - mtimeMs > MAX_WORK_MS) await rm(at, { force: true });
    }
    return path.join(name, ROOTS);
  });
}

/**
 * Removes the roots of a repository where none of its blobs is a link any more.
 *
 * @throws HugError `EHUG_FILE_SYSTEM`
 */
export async function dropUnusedRoots(cache: string, type: RepoType, id: string): Promise<void> {
  const repo = path.join(cache, repoFolderName(type, id));
  await guarded(repo, async () => {
    const blobs = await readdir(path.join(repo, 'blobs'), { withFileTypes: true });
    if (blobs.some((blob) => blob.isSymbolicLink())) return;
    await rm(path.join(repo, ROOTS), { recursive: true, force: true });
  });
}

async function guarded<T>(repo: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw await cacheError(error, repo, 0);
  }
}
