import { statfs } from 'node:fs/promises';
import prettyBytes from 'pretty-bytes';
import { HugError, messageOf, systemCodeOf } from '../errors.ts';

/**
 * Fails unless the disk of a folder has room.
 *
 * @param needed bytes to be written
 * @param hint how to make room
 * @throws HugError `EHUG_DISK_FULL`
 */
export async function assertSpace(folder: string, needed: number, hint: string): Promise<void> {
  const free = await freeBytes(folder);
  if (needed > free) throw notEnoughSpace(folder, needed, free, hint);
}

/** A download, by the number of bytes that it has yet to write. */
type Reserving = { readonly missing: number };

/** Reserves disk space, so that the remaining bytes of all active downloads fit. */
export function createDiskReservation(folder: string, signal: AbortSignal) {
  /** Downloads that write, and complete ones whose file is not discarded yet. */
  const active = new Set<Reserving>();
  /** Called when an active download leaves. */
  const waiting: (() => void)[] = [];
  return {
    /**
     * Reserves space for a download. Waits for others to leave while there is too little.
     *
     * @throws HugError `EHUG_DISK_FULL` when there is too little for this download alone
     */
    async reserve(download: Reserving): Promise<void> {
      while (true) {
        signal.throwIfAborted();
        // Both before the disk is asked: a download may leave meanwhile.
        const isAlone = active.size === 0;
        const change = new Promise<void>((resolve) => waiting.push(resolve));
        const free = await freeBytes(folder);
        const needed = download.missing;
        if (isAlone && needed > free) throw notEnoughSpace(folder, needed, free, HINT);
        const reserved = [...active].reduce((sum, { missing }) => sum + missing, 0);
        if (reserved + needed <= free) break;
        await change;
      }
      active.add(download);
    },

    /** Gives back the space of a download that failed or was discarded. */
    leave(download: Reserving): void {
      if (!active.delete(download)) return;
      for (const wake of waiting.splice(0)) wake();
    },
  };
}

const HINT = 'Make room, or set XDG_CACHE_HOME to a folder on a larger disk.';

/**
 * The error that the user sees when a file cannot be written or read.
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
    `the disk of ${folder} is full: ${exact(needed)} still needed, ${exact(free)} free`,
    { hint: 'Make room and run it again; what is downloaded is kept.', cause: thrown },
  );
}

function notEnoughSpace(folder: string, needed: number, free: number, hint: string): HugError {
  const amounts = `${exact(needed)} needed, ${exact(free)} free`;
  return new HugError('EHUG_DISK_FULL', `not enough disk space in ${folder}: ${amounts}`, { hint });
}

/** Bytes that this user may still write to the disk of a folder. */
async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

const exact = (bytes: number): string => prettyBytes(bytes, { binary: true });
