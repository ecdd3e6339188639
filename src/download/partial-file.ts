import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { createDigester, type Digest, type Digester } from '../digest.ts';
import { storageError } from './disk-space.ts';
import { acquireLease, confirmLease, releaseLease, removeAll } from './lease.ts';
import type { ByteRange, RemoteFile } from './response.ts';

const MEBIBYTE = 1024 * 1024;

/**
 * A larger file, in bytes, is divided into segments of 32 MiB, which several connections share. The
 * wait for each response is short beside the transfer of such a segment.
 */
const MAX_UNDIVIDED = 64 * MEBIBYTE;
const SEGMENT_BYTES = 32 * MEBIBYTE;

/** Bytes that are read back at once to be hashed. */
const BLOCK_BYTES = MEBIBYTE;

interface PartialFileOptions {
  /** Folder of partial files; made when missing. */
  readonly folder: string;
  readonly file: RemoteFile;
  /** Told how many bytes are on disk: at first, and whenever that changes. */
  readonly onBytes: (present: number) => void;
  /** Ends the hashing. */
  readonly signal: AbortSignal;
}

/** The first bytes of a file, which are hashed. */
interface HashedPrefix {
  readonly digester: Digester;
  /** Where they end. */
  end: number;
  /** Reads and hashes the bytes on disk that follow. */
  reading: Promise<void> | undefined;
}

/**
 * A file that is being downloaded, and its digest.
 *
 * Each segment is written from its start on. Behind the place of the content stands a table with the
 * number of bytes on disk of each segment, so that one rename hands over both. Bytes are written
 * before the table counts them, since a process may be killed at any moment. A file without a table
 * is complete.
 *
 * Bytes that arrive in order are hashed from memory. Others are read back when the gap before them
 * is closed: soon after they were written, thus from the page cache.
 *
 * All methods throw `EHUG_DISK_FULL` or `EHUG_FILE_SYSTEM`.
 */
export class PartialFile {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #options: PartialFileOptions;
  readonly #segmentBytes: number;
  /** Bytes on disk of each segment, as in the table. */
  readonly #counts: Uint32Array;
  #prefix: HashedPrefix;

  private constructor(place: string, handle: FileHandle, options: PartialFileOptions) {
    const { size } = options.file;
    this.path = place;
    this.#handle = handle;
    this.#options = options;
    this.#segmentBytes = size > MAX_UNDIVIDED ? SEGMENT_BYTES : MAX_UNDIVIDED;
    this.#counts = new Uint32Array(Math.ceil(size / this.#segmentBytes));
    this.#prefix = emptyPrefix(options.file);
  }

  /** Continues what an earlier process left of the content, or begins a new file. */
  static async open(options: PartialFileOptions): Promise<PartialFile> {
    const { folder, file } = options;
    try {
      const { path: place, exists } = await acquireLease(folder, keyOf(file));
      const handle = await open(place, exists ? 'r+' : 'wx+');
      const partial = new PartialFile(place, handle, options);
      try {
        if (!exists || !(await partial.#load())) await partial.clear();
      } catch (error) {
        await partial.remove();
        throw error;
      }
      return partial;
    } catch (error) {
      throw await storageError(error, folder, file.size);
    }
  }

  /** Bytes on disk. */
  get present(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  get missing(): number {
    return this.#options.file.size - this.present;
  }

  /** The bytes that each segment misses, in order. */
  get gaps(): ByteRange[] {
    return Array.from(this.#counts, (_, segment) => this.gap(segment));
  }

  /** The bytes that a segment misses; an empty range when it is complete. */
  gap(segment: number): ByteRange {
    const segmentStart = segment * this.#segmentBytes;
    return {
      start: segmentStart + (this.#counts[segment] ?? 0),
      end: Math.min(segmentStart + this.#segmentBytes, this.#options.file.size),
    };
  }

  /**
   * Writes bytes, and then counts them.
   *
   * @param start where they belong: behind the bytes that their segment has
   */
  async write(chunks: readonly Uint8Array[], start: number): Promise<void> {
    const end = start + lengthOf(chunks);
    await this.#guard(async () => {
      await confirmLease(this.path);
      await writeAll(this.#handle, chunks, start);
      const first = Math.floor(start / this.#segmentBytes);
      const after = Math.ceil(end / this.#segmentBytes);
      for (let segment = first; segment < after; segment += 1) {
        const counted = Math.min(end, this.gap(segment).end);
        this.#counts[segment] = counted - segment * this.#segmentBytes;
      }
      await this.#saveCounts(first, after);
    });
    const prefix = this.#prefix;
    // Another segment may have begun to read these bytes back.
    if (start === prefix.end && prefix.reading === undefined) {
      for (const chunk of chunks) prefix.digester.update(chunk);
      prefix.end = end;
    }
    this.#catchUp(prefix);
    this.#options.onBytes(this.present);
  }

  /** Forgets all bytes. The whole table is written, so that a disk that fills up has room for it. */
  async clear(): Promise<void> {
    this.#prefix = emptyPrefix(this.#options.file);
    this.#counts.fill(0);
    await this.#guard(() => this.#saveCounts(0, this.#counts.length));
    this.#options.onBytes(0);
  }

  /** The digest of the content, when no bytes are missing; to be called once. */
  async digest(): Promise<Digest> {
    await this.#prefix.reading;
    this.#options.signal.throwIfAborted();
    return this.#prefix.digester.digest();
  }

  /** Closes the file as a complete one. */
  async complete(): Promise<void> {
    await this.#guard(async () => {
      await this.#handle.truncate(this.#options.file.size);
      await this.#handle.close();
    });
  }

  /** Leaves the bytes on disk to the next process. */
  release(): Promise<void> {
    return this.#end(this.present === 0 ? removeAll : releaseLease);
  }

  /** Removes the file, complete or not, and what else was left of the same content. */
  remove(): Promise<void> {
    return this.#end(removeAll);
  }

  #end(how: typeof releaseLease): Promise<void> {
    return this.#guard(async () => {
      await this.#handle.close();
      await how(this.path, keyOf(this.#options.file));
    });
  }

  /** Reads the table; returns `false` when the file is damaged. */
  async #load(): Promise<boolean> {
    const { size } = this.#options.file;
    const { size: length } = await this.#handle.stat();
    if (length === size) {
      this.#counts.set(this.gaps.map(({ start, end }) => end - start));
    } else {
      const table = new Uint8Array(this.#counts.buffer);
      await this.#handle.read(table, { position: size });
      if (length !== size + table.length) return false;
      if (this.gaps.some(({ start, end }) => start > end)) return false;
    }
    this.#options.onBytes(this.present);
    this.#catchUp(this.#prefix);
    return true;
  }

  async #saveCounts(first: number, after: number): Promise<void> {
    const table = new Uint8Array(this.#counts.buffer, 4 * first, 4 * (after - first));
    await writeAll(this.#handle, [table], this.#options.file.size + 4 * first);
  }

  /** Begins to hash the bytes on disk that follow the hashed ones without a gap. */
  #catchUp(prefix: HashedPrefix): void {
    if (prefix.reading !== undefined || this.#unhashed(prefix) === 0) return;
    prefix.reading = this.#readBack(prefix);
    // `digest` throws it.
    prefix.reading.catch(() => undefined);
  }

  /** Bytes of one segment that can be hashed now; 0 for a prefix that `clear` replaced. */
  #unhashed(prefix: HashedPrefix): number {
    if (prefix !== this.#prefix || this.#options.signal.aborted) return 0;
    const { start } = this.gap(Math.floor(prefix.end / this.#segmentBytes));
    return Math.max(0, start - prefix.end);
  }

  async #readBack(prefix: HashedPrefix): Promise<void> {
    const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    for (let left = this.#unhashed(prefix); left > 0; left = this.#unhashed(prefix)) {
      const length = Math.min(left, BLOCK_BYTES);
      await this.#guard(async () => {
        const { bytesRead } = await this.#handle.read(block, 0, length, prefix.end);
        if (bytesRead === 0) throw new Error(`${this.path} became shorter`);
        prefix.digester.update(block.subarray(0, bytesRead));
        prefix.end += bytesRead;
      });
    }
    prefix.reading = undefined;
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw await storageError(error, path.dirname(this.path), this.missing);
    }
  }
}

const keyOf = ({ digest, size }: RemoteFile): string => `${digest.hex}-${size}`;

const emptyPrefix = ({ digest, size }: RemoteFile): HashedPrefix => ({
  digester: createDigester(digest.kind, size),
  end: 0,
  reading: undefined,
});

const lengthOf = (chunks: readonly Uint8Array[]): number =>
  chunks.reduce((sum, { length }) => sum + length, 0);

/** One write may take a part only, as on a disk that is almost full. */
async function writeAll(
  handle: FileHandle,
  chunks: readonly Uint8Array[],
  position: number,
): Promise<void> {
  const { bytesWritten } = await handle.writev(chunks, position);
  if (bytesWritten === lengthOf(chunks)) return;
  const rest = Buffer.concat(chunks).subarray(bytesWritten);
  await writeAll(handle, [rest], position + bytesWritten);
}
