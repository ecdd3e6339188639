import { differenceOf, isSameDigest } from '../digest.ts';
import { protocolError } from '../hub/errors.ts';
import type { Http } from '../hub/http.ts';
import { createDiskReservation } from './disk-space.ts';
import { PartialFile } from './partial-file.ts';
import {
  bodyRange,
  type ByteRange,
  endedEarly,
  integrityError,
  rangeHeader,
  type RemoteFile,
  unknownLength,
} from './response.ts';

/** Downloads files to disk. */
export type Downloads = ReturnType<typeof createDownloads>;

interface DownloadsOptions {
  readonly http: Http;
  /** Folder of partial files; made when missing. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/**
 * Connections at once for a file of several segments. On loopback one is as fast as any number;
 * several help where a server throttles each one.
 */
const CONNECTIONS = 4;

/** Bytes that are gathered before they are written. */
const BATCH_BYTES = 1024 * 1024;

/** A fault counts as the first one again after so many bytes. After a few, retries would never end. */
const MIN_PROGRESS = 1024 * 1024;

/** Makes a download engine of constant memory: about 2 MiB for each connection. */
export function createDownloads({ http, folder, signal }: DownloadsOptions) {
  const reservation = createDiskReservation(folder, signal);
  return {
    /**
     * Downloads a file, and continues where an earlier run ended. After a fault or an interruption
     * the bytes on disk are kept for the next run; a complete file with a wrong digest is removed.
     * Any number of files may be under way: `Http` bounds the connections.
     *
     * @param onBytes told how many bytes of the file are on disk: at first, and whenever that
     *   changes; fewer than before when the download starts again
     * @returns the path of the complete file, to be linked or moved away; `discard` removes what is
     *   left of it, and lets other downloads have its disk space
     * @throws HugError `EHUG_INTEGRITY`, `EHUG_DISK_FULL`, `EHUG_FILE_SYSTEM`, and those of `Http`
     */
    async fetch(file: RemoteFile, onBytes: (present: number) => void) {
      signal.throwIfAborted();
      const partial = await PartialFile.open({ folder, file, onBytes, signal });
      const leave = () => reservation.leave(partial);
      try {
        await reservation.reserve(partial);
        await complete({ http, file, partial, signal });
      } catch (error) {
        await partial.release().finally(leave);
        throw error;
      }
      return { path: partial.path, discard: () => partial.remove().finally(leave) };
    },
  };
}

interface Transfer extends Pick<DownloadsOptions, 'http' | 'signal'> {
  readonly file: RemoteFile;
  readonly partial: PartialFile;
}

/** Downloads the missing bytes, and checks the digest of the whole file. */
async function complete(transfer: Transfer): Promise<void> {
  const { file, partial } = transfer;
  const download = async () => {
    if (!(await downloadRanges(transfer))) await downloadWhole(transfer);
    return partial.digest();
  };
  const isResumed = partial.present > 0;
  let digest = await download();
  if (isResumed && !isSameDigest(digest, file.digest)) {
    // The bytes of the earlier run may be damaged, as after a power failure.
    await partial.clear();
    digest = await download();
  }
  if (isSameDigest(digest, file.digest)) return partial.complete();
  await partial.clear();
  throw integrityError(file, differenceOf(digest, file.digest));
}

const isEmpty = ({ start, end }: ByteRange): boolean => start === end;

/** The server does not send a part of the file alone. */
class RangesRefused extends Error {}

/**
 * Downloads the bytes that are missing by range requests, several at once. Segments are begun in
 * order, so that the digest follows closely. No request is under way when it ends or fails.
 *
 * @returns whether the server serves ranges; if not, bytes may still be missing
 */
async function downloadRanges(transfer: Transfer): Promise<boolean> {
  const { http, file, partial, signal } = transfer;
  const stop = new AbortController();
  const queue = partial.gaps.flatMap((gap, segment) => (isEmpty(gap) ? [] : [segment]));
  const workers: Promise<void>[] = [];
  let failure: unknown;
  /** Where the last redirect led, good for further ranges. */
  let redirected: string | undefined;

  /** Each response adds a worker: the first one shows whether ranges are served at all. */
  function addWorker(): void {
    if (workers.length === CONNECTIONS || queue.length === 0) return;
    const worker = work().catch((error: unknown) => {
      failure ??= error;
      stop.abort();
    });
    workers.push(worker);
  }

  async function work(): Promise<void> {
    for (let segment = queue.shift(); segment !== undefined; segment = queue.shift()) {
      while (!isEmpty(partial.gap(segment))) await request(segment);
    }
  }

  /** Downloads the bytes that a segment misses, or the first of them. */
  async function request(segment: number): Promise<void> {
    const progress = { counted: partial.gap(segment).start };
    let known = redirected;
    const isServed = await http.range({
      subject: file.subject,
      signal: AbortSignal.any([signal, stop.signal]),
      next: () => {
        // The address of a redirect expires: after a fault the Hub is asked for another one.
        const url = known ?? file.url;
        known = undefined;
        const range = rangeHeader(partial.gap(segment), file);
        return { url, range, isRemembered: url !== file.url };
      },
      consume: async (response, progressed) => {
        const asked = partial.gap(segment);
        const range = bodyRange(response, asked, file);
        if (range === undefined) return false;
        redirected = response.address;
        addWorker();
        await writeBody(response.body, range, transfer, progress, progressed);
        const length = range.end - range.start;
        // With a few bytes for each response, requests would never end.
        if (range.end < asked.end && length < MIN_PROGRESS) {
          throw endedEarly(file, length, asked.end - asked.start);
        }
        return true;
      },
    });
    if (!isServed) throw new RangesRefused();
  }

  addWorker();
  for (const worker of workers) await worker;
  if (failure === undefined) return true;
  if (failure instanceof RangesRefused) return false;
  throw failure;
}

/**
 * Downloads a whole file, from the start in each try. Bytes on disk are given up only for a response
 * whose length is that of the file: any other may be a login page. What a response without a length
 * left is not kept for a later try.
 */
async function downloadWhole(transfer: Transfer): Promise<void> {
  const { http, file, partial, signal } = transfer;
  const whole = { start: 0, end: file.size };
  const progress = { counted: 0 };
  await http.range({
    subject: file.subject,
    signal,
    next: () => ({ url: file.url }),
    consume: async (response, progressed) => {
      if (response.status === 206 || response.status === 416) {
        throw protocolError(`the Hub answers ${response.status} to a plain request`);
      }
      const isSized = bodyRange(response, whole, file) !== undefined;
      if (!isSized && partial.present > 0) throw unknownLength(file);
      await partial.clear();
      try {
        await writeBody(response.body, whole, transfer, progress, progressed);
      } catch (error) {
        if (!isSized) await partial.clear();
        throw error;
      }
    },
  });
}

/**
 * Writes a body. Bytes before a fault are kept. Bytes beyond the range are dropped, and a fault
 * after its last byte does not matter.
 *
 * @param range the bytes of the file that the body holds
 * @param progress where the last progress was counted, over all tries
 * @throws TransientFault when the body ends too early
 */
async function writeBody(
  body: AsyncIterable<Uint8Array>,
  { start, end }: ByteRange,
  { file, partial }: Transfer,
  progress: { counted: number },
  progressed: () => void,
): Promise<void> {
  let at = start;
  let batch: Uint8Array[] = [];
  let gathered = 0;
  const flush = async () => {
    if (gathered === 0) return;
    const chunks = batch;
    const next = at + gathered;
    batch = [];
    gathered = 0;
    await partial.write(chunks, at);
    at = next;
    if (at - progress.counted < MIN_PROGRESS) return;
    progress.counted = at;
    progressed();
  };
  try {
    for await (const chunk of body) {
      const room = end - at - gathered;
      if (room === 0) break;
      batch.push(chunk.subarray(0, room));
      gathered += Math.min(chunk.length, room);
      if (gathered >= BATCH_BYTES) await flush();
    }
    await flush();
  } catch (error) {
    await flush();
    if (at < end) throw error;
  }
  if (at < end) throw endedEarly(file, at - start, end - start);
}
