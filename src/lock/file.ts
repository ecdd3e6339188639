import { lstatSync, readFileSync, statSync } from 'node:fs';
import { notAFile, replaceFiles } from '../atomic-file.ts';
import { HugError, messageOf } from '../errors.ts';
import { invalidLock } from './codec.ts';

/** Where the lock of a manifest lies: beside it, `dev.lock.json` for `dev.yaml` or `dev.yml`. */
export const lockPathOf = (manifestPath: string): string =>
  `${manifestPath.replace(/\.ya?ml$/u, '')}.lock.json`;

/**
 * The text of a lock with its byte order mark, or `undefined` when there is none. It may be behind a symbolic link, which is
 * in the way only where a lock is written.
 *
 * @throws HugError `EHUG_LOCK_NOT_A_FILE` for a folder or a link that leads nowhere,
 *   `EHUG_LOCK_INVALID` when it is not UTF-8, `EHUG_FILE_SYSTEM`
 */
export function readLockText(file: string): string | undefined {
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) {
      return decodeLock(readFileSync(file), file);
    }
    const stats = lstatSync(file, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    throw notAFile(file, stats.isSymbolicLink());
  } catch (cause) {
    if (cause instanceof HugError) throw cause;
    throw new HugError('EHUG_FILE_SYSTEM', `cannot read ${file}: ${messageOf(cause)}`, {
      hint: 'Check that you may read it.',
      cause,
    });
  }
}

/** Whether a file can be read as a lock; a folder or nothing cannot. */
export function isFile(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    return false;
  }
}

/**
 * The text of a lock.
 *
 * @param file its name, for messages
 * @throws HugError `EHUG_LOCK_INVALID` when it is not UTF-8
 */
export function decodeLock(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalidLock(file, ['is not UTF-8 text']);
  }
}

/**
 * Replaces a lock in one step: a reader sees the old text or the new one, also after a crash.
 *
 * @param before the text that the new one was made from; `undefined` when there was none
 * @throws HugError `EHUG_LOCK_CHANGED` when the file is neither `before` nor `after` any more;
 *   `EHUG_LOCK_NOT_A_FILE`, `EHUG_FILE_SYSTEM`
 */
export async function writeLockText(
  file: string,
  before: string | undefined,
  after: string,
): Promise<void> {
  await replaceFiles([{ file, kind: 'lock', before, after }]);
}
