import { chmod, link, lstat, mkdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { storageError } from '../../download/disk-space.ts';
import { HugError, systemCodeOf } from '../../errors.ts';
import { succeedsUnless } from '../../failures.ts';
import { makeFolders } from '../../make-folders.ts';
import { readRegularFile } from '../../regular-file.ts';

/**
 * Makes a folder of the cache with those above it. Nothing below the cache may be a link, but a
 * repository's folder may, as long as it stays within the cache. A cache that is marked as read-only
 * stays as it is: Nix built it, most likely.
 *
 * @param cache the cache folder, made when missing; it may be a link itself
 * @param segments names of folders, the first of them directly in the cache
 * @returns path of the folder behind all links
 * @throws HugError `EHUG_UNSAFE_PATH`, `EHUG_FILE_SYSTEM`; errors of the file system
 */
export async function makeFolder(cache: string, segments: readonly string[]): Promise<string> {
  await makeFolders(cache);
  const root = await realpath(cache);
  // The system refuses it too, but not to root, who could damage the Nix store.
  if (((await stat(root)).mode & 0o222) === 0) {
    throw new HugError('EHUG_FILE_SYSTEM', `${root} is read-only`, { hint: READ_ONLY });
  }
  let folder = root;
  for (const [depth, segment] of segments.entries()) {
    const next = path.join(folder, segment);
    await succeedsUnless(['EEXIST'], () => mkdir(next));
    folder = (await lstat(next)).isDirectory() ? next : await followed(next, root, depth);
  }
  return folder;
}

/** The folder that a link in place of a repository's folder leads to. */
async function followed(folder: string, root: string, depth: number): Promise<string> {
  const target = await realpath(folder);
  const stays = target.startsWith(`${root}${path.sep}`) && (await lstat(target)).isDirectory();
  if (depth === 0 && stays) return target;
  throw new HugError('EHUG_UNSAFE_PATH', `${folder} is not a folder of the cache`, {
    hint: 'Nothing was written there. Move it away, or set HF_HUB_CACHE to another folder.',
  });
}

/**
 * Writes a file in one step, unless there is one.
 *
 * @param scratch folder of this process, on the same file system
 * @param mode permission bits; default those of a new file
 */
export async function create(
  scratch: string,
  file: string,
  text: string,
  mode?: number,
): Promise<void> {
  const temporary = path.join(scratch, path.basename(file));
  await writeFile(temporary, text);
  if (mode !== undefined) await chmod(temporary, mode);
  try {
    await succeedsUnless(['EEXIST'], () => link(temporary, file));
  } catch {
    // There are no hard links here, and no such file: that would have been EEXIST.
    await rename(temporary, file);
  }
  await rm(temporary, { force: true });
}

/** The text of a file; `undefined` when it is missing. What is no file is refused. */
export async function readIfThere(file: string): Promise<string | undefined> {
  let text: string | undefined;
  await succeedsUnless(['ENOENT'], async () => (text = await readRegularFile(file)));
  return text;
}

/**
 * The error that the user sees when the cache cannot be written.
 *
 * @param needed bytes that were still to be written
 */
export async function cacheError(
  thrown: unknown,
  folder: string,
  needed: number,
): Promise<HugError> {
  const error = await storageError(thrown, folder, needed);
  if (!FORBIDDEN.has(systemCodeOf(thrown) ?? '')) return error;
  return new HugError(error.code, error.message, { hint: READ_ONLY, cause: thrown });
}

const READ_ONLY =
  'The cache is read-only or belongs to another user; set HF_HUB_CACHE to another folder.';

const FORBIDDEN: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS']);
