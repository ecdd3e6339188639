import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { succeedsUnless } from './failures.ts';

/**
 * Makes a folder with those above it, as `mkdir -p`. Node's own does not end where a folder that is
 * there cannot hold the next one, as `/proc`.
 *
 * @param mode permission bits of new folders, without those of the umask
 * @throws the error of the system
 */
export async function makeFolders(folder: string, mode = 0o777): Promise<void> {
  const make = () => succeedsUnless(['EEXIST'], () => mkdir(folder, { mode }));
  const parent = path.dirname(folder);
  if ((await succeedsUnless(['ENOENT'], make)) || parent === folder) return;
  await makeFolders(parent, mode);
  await make();
}
