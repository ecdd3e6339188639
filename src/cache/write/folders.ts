import { lstat, mkdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { HugError, systemCodeOf } from '../../errors.ts';
import { storageError } from '../../download/disk-space.ts';

/**
 * Makes a folder of the cache with those above it, and refuses to be led elsewhere: nothing below
 * the cache may be a link, but a repository's folder may, as long as it stays within the cache.
 * A cache that is marked as read-only stays as it is: Nix built it, most likely.
 *
 * @param cache the cache folder, made when missing; a link itself, it is followed
 * @param segments names of folders, the first of them directly in the cache
 * @returns where the folder really is
 * @throws HugError `EHUG_UNSAFE_PATH`, and those of the file system
 */
export async function makeFolder(cache: string, segments: readonly string[]): Promise<string> {
  await mkdir(cache, { recursive: true });
  const root = await realpath(cache);
  await refuseReadOnly(root);
  let folder = root;
  for (const [depth, segment] of segments.entries()) {
    const next = path.join(folder, segment);
    await succeedsUnless(['EEXIST'], () => mkdir(next));
    folder = (await lstat(next)).isDirectory() ? next : await followed(next, root, depth);
  }
  return folder;
}

/** The system refuses it too, but not to root, who could damage the Nix store. */
async function refuseReadOnly(folder: string): Promise<void> {
  const { mode } = await stat(folder);
  if ((mode & 0o222) !== 0) return;
  throw new HugError('EHUG_FILE_SYSTEM', `${folder} is read-only`, { hint: READ_ONLY });
}

/** Where a link in place of a repository's folder leads. */
async function followed(link: string, root: string, depth: number): Promise<string> {
  const target = await realpath(link);
  const stays = target.startsWith(`${root}${path.sep}`) && (await lstat(target)).isDirectory();
  if (depth === 0 && stays) return target;
  throw new HugError('EHUG_UNSAFE_PATH', `${link} is not a folder of the cache`, {
    hint: 'Nothing was written there. Move it away, or set HF_HUB_CACHE to another folder.',
  });
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
  const code = systemCodeOf(thrown) ?? '';
  const hint = isOfLink(thrown) && NO_LINKS.has(code) ? LINKLESS : READ_ONLY;
  if (hint === READ_ONLY && !FORBIDDEN.has(code)) return error;
  return new HugError(error.code, error.message, { hint, cause: thrown });
}

const isOfLink = (thrown: unknown): boolean =>
  thrown instanceof Error && 'syscall' in thrown && thrown.syscall === 'symlink';

const LINKLESS =
  'There are no symbolic links on this file system, which a cache needs; HF_HUB_CACHE names another place.';

/** What systems say of a link where there are none (symlink(2)). */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

const READ_ONLY =
  'The cache is read-only or belongs to another user; HF_HUB_CACHE names another one.';

const FORBIDDEN: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS']);

/** Whether something could be done; `false` for these error codes of the system, others are thrown. */
export async function succeedsUnless(
  codes: readonly string[],
  work: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (codes.includes(systemCodeOf(error) ?? '')) return false;
    throw error;
  }
}
