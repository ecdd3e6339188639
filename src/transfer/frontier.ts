import { createHash } from 'node:crypto';
import type { Partial } from './partial.ts';

const BLOCK_BYTES = 1024 * 1024;

/**
 * The SHA-256 of a file that is still being written: hashes what is there without a gap, soon after
 * it was written and thus from the system's memory.
 */
export class FrontierDigest {
  readonly #partial: Partial;
  readonly #sha256 = createHash('sha256');
  readonly #block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #at = 0;
  #frontier = 0;
  #running: Promise<void> | undefined;

  constructor(partial: Partial) {
    this.#partial = partial;
  }

  /** Tells that so many bytes from the first one on are there. */
  advance(frontier: number): void {
    this.#frontier = frontier;
    if (this.#at >= frontier) return;
    this.#running ??= this.#follow();
    this.#running.catch(() => undefined);
  }

  /** Ends it, so that nothing reads the file any more. */
  async stop(): Promise<void> {
    this.#frontier = 0;
    await this.#running?.catch(() => undefined);
  }

  /** The digest of all that is there, SRI. */
  async finish(): Promise<string> {
    await this.#running;
    return `sha256-${this.#sha256.digest('base64')}`;
  }

  async #follow(): Promise<void> {
    while (this.#at < this.#frontier) {
      const most = Math.min(BLOCK_BYTES, this.#frontier - this.#at);
      const read = await this.#partial.read(this.#block.subarray(0, most), this.#at);
      if (read === 0) break;
      this.#sha256.update(this.#block.subarray(0, read));
      this.#at += read;
    }
    this.#running = undefined;
  }
}
