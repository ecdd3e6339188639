import { createDigester, type Digest, type Digester } from '../digest.ts';
import type { RemoteFile } from './answer.ts';
import type { PartialFile } from './partial.ts';
import { frontierOf } from './spans.ts';

const BLOCK_BYTES = 1024 * 1024;

/**
 * The digest of a file that is still being written: of what is there without a gap. Bytes that
 * come in order are hashed as they come; others are read back when the gap before them is closed,
 * soon after they were written and thus from the system's memory.
 */
export class PrefixHasher {
  readonly #partial: PartialFile;
  readonly #signal: AbortSignal;
  readonly #hasher: Digester;
  /** Where bytes are read back to; made when some are. */
  #block: Buffer | undefined;
  /** How many bytes are hashed. */
  #at = 0;
  #isStopped = false;
  #reading: Promise<void> | undefined;

  constructor(partial: PartialFile, { digest, size }: RemoteFile, signal: AbortSignal) {
    this.#partial = partial;
    this.#hasher = createDigester(digest.kind, size);
    this.#signal = signal;
  }

  /** Tells of bytes that were written from a position on. */
  wrote(chunks: readonly Uint8Array[], start: number): void {
    if (start === this.#at && this.#reading === undefined) {
      for (const chunk of chunks) {
        this.#hasher.update(chunk);
        this.#at += chunk.length;
      }
    }
    this.catchUp();
  }

  /** Hashes what is there without a gap and was not seen, in the background. */
  catchUp(): void {
    if (this.#reading !== undefined || !this.#isBehind()) return;
    this.#reading = this.#read();
    // Seen by `finish`.
    this.#reading.catch(() => undefined);
  }

  /** Ends it, so that nothing reads the file any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#reading?.catch(() => undefined);
  }

  /** The digest of all that is there, of the kind that the file is known by. */
  async finish(): Promise<Digest> {
    await this.#reading;
    this.#signal.throwIfAborted();
    return this.#hasher.digest();
  }

  #isBehind(): boolean {
    const isWanted = !this.#isStopped && !this.#signal.aborted;
    return isWanted && this.#at < frontierOf(this.#partial.spans);
  }

  async #read(): Promise<void> {
    this.#block ??= Buffer.allocUnsafeSlow(BLOCK_BYTES);
    while (this.#isBehind()) {
      const end = Math.min(this.#at + BLOCK_BYTES, frontierOf(this.#partial.spans));
      const bytes = await this.#partial.read(this.#block, { start: this.#at, end });
      this.#hasher.update(bytes);
      this.#at = end;
    }
    this.#reading = undefined;
  }
}
