import { randomBytes } from 'node:crypto';
import { lstat, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { HugError, messageOf, systemCodeOf } from '../errors.ts';

const LOCK_NAME = 'hug.lock.json';

/** Where the lock of a manifest lies: beside it. */
export const lockPathOf = (manifestPath: string): string =>
  path.join(path.dirname(manifestPath), LOCK_NAME);

/**
 * The text of a lock, or `undefined` when there is none.
 *
 * @throws HugError `EHUG_LOCK_NOT_A_FILE` for a symbolic link or a folder, `EHUG_FILE_SYSTEM`
 */
export async function readLockText(file: string): Promise<string | undefined> {
  try {
    return (await modeOf(file)) === undefined ? undefined : await readFile(file, 'utf8');
  } catch (error) {
    throw cannot('read', file, error);
  }
}

/**
 * Replaces a lock in one step: a reader sees the old text or the new one, also after a crash.
 *
 * @throws HugError `EHUG_LOCK_NOT_A_FILE`, `EHUG_FILE_SYSTEM`; the old lock is untouched then
 */
export async function writeLockText(file: string, text: string): Promise<void> {
  const folder = path.dirname(file);
  const temporary = path.join(folder, `.${LOCK_NAME}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const mode = (await modeOf(file)) ?? 0o666;
    await writeSynced(temporary, text, mode);
    await rename(temporary, file);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw cannot('write', file, error);
  }
}

/** Permission bits of a regular file, `undefined` when nothing is there. */
async function modeOf(file: string): Promise<number | undefined> {
  const stats = await lstat(file).catch((error: unknown) => {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (stats !== undefined && !stats.isFile()) {
    throw new HugError(
      'EHUG_LOCK_NOT_A_FILE',
      `${file} is ${stats.isSymbolicLink() ? 'a symbolic link' : 'not a regular file'}`,
      { hint: 'Nothing was written. Move it away, then run nix-hug lock.' },
    );
  }
  return stats === undefined ? undefined : stats.mode & 0o777;
}

async function writeSynced(file: string, text: string, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function cannot(verb: 'read' | 'write', file: string, error: unknown): HugError {
  if (error instanceof HugError) return error;
  return new HugError('EHUG_FILE_SYSTEM', `cannot ${verb} ${file}: ${messageOf(error)}`, {
    cause: error,
  });
}
