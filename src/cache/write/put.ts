import { chmod, link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { succeedsUnless } from './folders.ts';

/**
 * Makes a file in one step, unless it is there.
 *
 * @param scratch folder of this process, on the same file system
 * @param mode permission bits to have; default those of a new file
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
  await putNew(temporary, file);
}

/** Puts a file in place, unless one is there; either way it is gone from where it was. */
async function putNew(temporary: string, file: string): Promise<boolean> {
  let isNew = true;
  try {
    isNew = await succeedsUnless(['EEXIST'], () => link(temporary, file));
  } catch {
    // There are no hard links here, and no such file: that would have been told before.
    await rename(temporary, file);
  }
  await rm(temporary, { force: true });
  return isNew;
}

/** The text of a file; `undefined` when it is not there. */
export async function readText(file: string): Promise<string | undefined> {
  let text: string | undefined;
  await succeedsUnless(['ENOENT'], async () => (text = await readFile(file, 'utf8')));
  return text;
}
