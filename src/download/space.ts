import { statfs } from 'node:fs/promises';
import prettyBytes from 'pretty-bytes';
import { HugError, messageOf, systemCodeOf } from '../errors.ts';

/**
 * Makes sure that a folder's disk has room.
 *
 * @param folder that exists
 * @param needed bytes to be written
 * @param hint what helps when there is too little
 * @throws HugError `EHUG_DISK_FULL`, which says how much is needed and how much is there
 */
export async function assertSpace(folder: string, needed: number, hint: string): Promise<void> {
  const free = await freeBytes(folder);
  if (needed > free) throw tooLittleSpace(folder, needed, free, hint);
}

/** The error for a disk without room for so many bytes more. */
export function tooLittleSpace(
  folder: string,
  needed: number,
  free: number,
  hint: string,
): HugError {
  return new HugError(
    'EHUG_DISK_FULL',
    `${folder} needs ${exact(needed)} more, and ${exact(free)} are free`,
    { hint },
  );
}

/**
 * The error that the user sees when a partial file cannot be written or read.
 *
 * @param needed bytes that were still to be written
 */
export async function storageError(
  thrown: unknown,
  folder: string,
  needed: number,
): Promise<HugError> {
  if (thrown instanceof HugError) return thrown;
  const code = systemCodeOf(thrown);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') {
    return new HugError('EHUG_FILE_SYSTEM', `cannot write to ${folder}: ${messageOf(thrown)}`, {
      hint: 'Check that you may write there.',
      cause: thrown,
    });
  }
  const free = await freeBytes(folder).catch(() => 0);
  return new HugError(
    'EHUG_DISK_FULL',
    `${folder} is full: ${exact(needed)} more are needed, and ${exact(free)} are free`,
    { hint: 'Make room and run it again; what is downloaded is kept.', cause: thrown },
  );
}

/** How many bytes a folder's disk has room for. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

const exact = (bytes: number): string => prettyBytes(bytes, { binary: true });
