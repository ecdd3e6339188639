import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { acquireLease, release, removeAll } from './claim.ts';
import { formatJournal, JOURNAL_BYTES, parseJournal } from './journal.ts';
import { storageError } from './space.ts';
import { bytesIn, addRange, type ByteRange, type ByteRanges } from './spans.ts';

/**
 * A file on its way to disk. Behind the place of its content stands the journal of what is there, so
 * that one rename takes both. Bytes are written before the journal claims them: a process may be
 * killed at any moment. A file without journal is complete.
 *
 * All methods throw `EHUG_DISK_FULL` or `EHUG_FILE_SYSTEM`.
 */
export class PartialFile {
  readonly path: string;
  readonly #key: string;
  readonly #size: number;
  readonly #handle: FileHandle;
  #spans: ByteRanges;

  private constructor(
    file: string,
    key: string,
    size: number,
    handle: FileHandle,
    spans: ByteRanges,
  ) {
    this.path = file;
    this.#key = key;
    this.#size = size;
    this.#handle = handle;
    this.#spans = spans;
  }

  /**
   * Takes up what an ended process left behind, or begins anew.
   *
   * @param key of the content; a file name
   * @param size of the content, in bytes
   */
  static async open(folder: string, key: string, size: number): Promise<PartialFile> {
    try {
      const { path: file, exists } = await acquireLease(folder, key);
      const handle = await open(file, exists ? 'r+' : 'wx+');
      const spans = exists ? await readSpans(handle, size) : [];
      const partial = new PartialFile(file, key, size, handle, spans);
      if (!exists) await partial.clear();
      return partial;
    } catch (error) {
      throw await storageError(error, folder, size);
    }
  }

  /** What is there. */
  get spans(): ByteRanges {
    return this.#spans;
  }

  /** How many bytes are yet to be written. */
  get missing(): number {
    return this.#size - bytesIn(this.#spans);
  }

  /** Writes bytes from a position on, and then claims them. */
  async write(chunks: readonly Uint8Array[], span: ByteRange): Promise<void> {
    await this.#guard(async () => {
      await writeAll(this.#handle, chunks, span.start);
      this.#spans = addRange(this.#spans, span);
      await this.#note(formatJournal(this.#spans));
    });
  }

  /**
   * Reads bytes that are there.
   *
   * @param block where they go; at least as long
   * @returns the part of the block that they fill
   */
  async read(block: Buffer, { start, end }: ByteRange): Promise<Buffer> {
    return this.#guard(async () => {
      let at = start;
      while (at < end) {
        const { bytesRead } = await this.#handle.read(block, at - start, end - at, at);
        if (bytesRead === 0) throw new Error(`${this.path} became shorter`);
        at += bytesRead;
      }
      return block.subarray(0, end - start);
    });
  }

  /** Claims nothing any more. The whole room of the journal is written, to have it on a full disk. */
  async clear(): Promise<void> {
    this.#spans = [];
    await this.#guard(() => this.#note(formatJournal([]).padEnd(JOURNAL_BYTES, '\n')));
  }

  /** Ends it as a complete file of its own, without journal. */
  async complete(): Promise<void> {
    await this.#guard(async () => {
      await this.#handle.truncate(this.#size);
      await this.#handle.close();
    });
  }

  /** Leaves what is there to a later run. */
  async release(): Promise<void> {
    if (this.#spans.length === 0) return this.remove();
    await this.#guard(async () => {
      await this.#handle.close();
      await release(this.path, this.#key);
    });
  }

  /** Removes it, complete or not, and what else was left behind of the same content. */
  async remove(): Promise<void> {
    await this.#guard(async () => {
      await this.#handle.close();
      await removeAll(this.path, this.#key);
    });
  }

  async #note(journal: string): Promise<void> {
    await writeAll(this.#handle, [Buffer.from(journal)], this.#size);
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw await storageError(error, path.dirname(this.path), this.missing);
    }
  }
}

async function readSpans(handle: FileHandle, size: number): Promise<ByteRanges> {
  const { size: length } = await handle.stat();
  if (length === size) return addRange([], { start: 0, end: size });
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(JOURNAL_BYTES), { position: size });
  return parseJournal(buffer.toString('latin1', 0, bytesRead), size);
}

/** A write may take a part only, as on a disk that is almost full. */
async function writeAll(
  handle: FileHandle,
  chunks: readonly Uint8Array[],
  position: number,
): Promise<void> {
  let left = chunks;
  let at = position;
  while (left.length > 0) {
    const { bytesWritten } = await handle.writev(left, at);
    at += bytesWritten;
    left = without(left, bytesWritten);
  }
}

/** Chunks without their first bytes. */
function without(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let rest = bytes;
  return chunks.flatMap((chunk) => {
    const skipped = Math.min(rest, chunk.length);
    rest -= skipped;
    return skipped === chunk.length ? [] : [chunk.subarray(skipped)];
  });
}
