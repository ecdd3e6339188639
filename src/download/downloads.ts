import pLimit from 'p-limit';
import type { Http } from '../hub/http.ts';
import { protocolError } from '../hub/errors.ts';
import { TransientFault } from '../hub/retry.ts';
import { type Digest, isSameDigest } from '../digest.ts';
import { type RemoteFile, spanOf, withoutLength, wrongHash } from './answer.ts';
import { type Division, RangedTransfer } from './ranged.ts';
import { PartialFile } from './partial.ts';
import { createProgress } from './progress.ts';
import { DiskReservation } from './room.ts';
import { Sink } from './sink.ts';

/** A complete file whose digest is right. */
export interface Download {
  /** To be linked or moved away. */
  readonly path: string;
  /**
   * Removes what is left of it; to be called when the file was taken, or is not wanted. Other files
   * may be waiting for its room.
   */
  discard(): Promise<void>;
}

/** Brings files to disk. */
export interface Downloads {
  /**
   * Brings a file, and goes on where an earlier run ended. On a fault or an interruption, what is
   * there is kept for the next run; of a file that came whole with a wrong digest nothing is.
   *
   * @param onBytes told how many bytes of the file are there, whenever that changes; fewer than
   *   before when it has to start again
   * @throws HugError `EHUG_INTEGRITY`, `EHUG_DISK_FULL`, `EHUG_FILE_SYSTEM`, and those of `Http`
   */
  fetch(file: RemoteFile, onBytes: (present: number) => void): Promise<Download>;
}

/** How to bring files. */
interface DownloadsOptions {
  readonly http: Http;
  /** Folder of partial files; made when missing. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Files in work at once; default 16. `Http` bounds the connections of all of them. */
  readonly filesAtOnce?: number;
}

const MEBIBYTE = 1024 * 1024;

/** Larger files, in bytes, come over several connections. */
const LARGE = 64 * MEBIBYTE;

/**
 * On loopback any number of connections is equally fast; several help where each one is throttled.
 * Segments of 32 MiB make the wait for each answer small beside the transfer.
 */
const DIVISION_OF_LARGE: Division = { connections: 4, segment: 32 * MEBIBYTE };

/** Makes a download engine of constant memory: about 2 MiB for each connection. */
export function createDownloads(options: DownloadsOptions): Downloads {
  const limit = pLimit(options.filesAtOnce ?? 16);
  const room = new DiskReservation(options.folder, options.signal);
  return { fetch: (file, onBytes) => limit(() => fetch(file, onBytes, options, room)) };
}

async function fetch(
  file: RemoteFile,
  onBytes: (present: number) => void,
  { http, folder, signal }: DownloadsOptions,
  room: DiskReservation,
): Promise<Download> {
  signal.throwIfAborted();
  const partial = await PartialFile.open(folder, `${file.digest.hex}-${file.size}`, file.size);
  try {
    await room.reserve(partial);
    const isResumed = partial.spans.length > 0;
    const sink = new Sink(partial, file, onBytes, signal);
    try {
      let got = await bring(file, sink, http, signal);
      if (isResumed && !isSameDigest(got, file.digest)) {
        // What an earlier run left may be damaged, as when the power failed.
        await sink.restart();
        got = await bring(file, sink, http, signal);
      }
      if (!isSameDigest(got, file.digest)) {
        await partial.clear();
        throw wrongHash(file, got);
      }
    } finally {
      await sink.stop();
    }
    await partial.complete();
    return {
      path: partial.path,
      discard: () => partial.remove().finally(() => room.leave(partial)),
    };
  } catch (error) {
    try {
      await partial.release();
    } finally {
      room.leave(partial);
    }
    throw error;
  }
}

/** Brings what is missing, and returns the digest of the whole. */
async function bring(
  file: RemoteFile,
  sink: Sink,
  http: Http,
  signal: AbortSignal,
): Promise<Digest> {
  const division = file.size > LARGE ? DIVISION_OF_LARGE : { connections: 1, segment: file.size };
  const isDone = await new RangedTransfer(http, file, sink, division, signal).run();
  if (!isDone) await bringWhole(file, sink, http, signal);
  return sink.digest();
}

/**
 * Brings a file that the Hub serves only as a whole, thus from the start in each try. Bytes that are
 * there are given up only for an answer whose length says that it is the file: any other one may be
 * a login page. What is left of such an answer is of no use for a later one.
 */
async function bringWhole(
  file: RemoteFile,
  sink: Sink,
  http: Http,
  signal: AbortSignal,
): Promise<void> {
  const isProgress = createProgress(0);
  await http.range({
    subject: file.subject,
    signal,
    next: () => ({ url: file.url }),
    consume: async (answer, progressed) => {
      if (answer.status === 206 || answer.status === 416) {
        throw protocolError(`the Hub answers ${answer.status} to a plain request`);
      }
      const whole = { start: 0, end: file.size };
      const isSized = spanOf(answer, whole, file) !== undefined;
      if (!isSized && sink.spans.length > 0) throw new TransientFault(withoutLength(file));
      await sink.restart();
      try {
        await sink.take(answer.body, whole, (at) => {
          if (isProgress(at)) progressed();
        });
      } catch (error) {
        if (!isSized) await sink.restart();
        throw error;
      }
    },
  });
}
