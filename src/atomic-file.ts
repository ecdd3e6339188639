import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { systemCodeOf } from './errors.ts';

/** A new text on disk, in the same folder as the file that it is to replace. */
export interface StagedFile {
  /**
   * Puts the text in place in one step: a reader sees the old text or the new one. Where the system
   * can write the folder to the disk, it has done so then.
   *
   * @throws the system's error
   */
  readonly commit: () => Promise<void>;
  /** Takes the text back; after `commit` there is nothing to take back. Throws nothing. */
  readonly discard: () => Promise<void>;
}

/**
 * Writes a text beside the file that it is to replace, and has it reach the disk, so that what is
 * left to do can hardly fail.
 *
 * @param file what to replace
 * @param temporary where the text waits, in the same folder; it must not exist
 * @param mode permission bits to have; `undefined` for those of a new file
 * @throws the system's error, with `temporary` gone, unless it was there before (`EEXIST`)
 */
export async function stageFile(
  file: string,
  temporary: string,
  text: string,
  mode: number | undefined,
): Promise<StagedFile> {
  const handle = await open(temporary, 'wx');
  let waits = true;
  const discard = async () => {
    // What has that name later is someone else's.
    if (waits) await rm(temporary, { force: true }).catch(() => undefined);
    waits = false;
  };
  try {
    if (mode !== undefined) await handle.chmod(mode);
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await discard();
    throw error;
  } finally {
    await handle.close();
  }
  return {
    commit: async () => {
      await rename(temporary, file);
      waits = false;
      await syncFolder(path.dirname(file));
    },
    discard,
  };
}

/**
 * What systems say that do not let a folder be written to the disk: FUSE, network file systems, or
 * any where the user may write into the folder and not list it. The text is in place all the same.
 */
const CANNOT_SYNC: ReadonlySet<string | undefined> = new Set([
  'EACCES',
  'EBADF',
  'EINVAL',
  'EISDIR',
  'ENOSYS',
  'ENOTSUP',
  'EPERM',
]);

async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!CANNOT_SYNC.has(systemCodeOf(error))) throw error;
  }
}
