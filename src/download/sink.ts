import type { Digest } from '../digest.ts';
import { HugError } from '../errors.ts';
import { nameOf } from '../hub/errors.ts';
import { TransientFault } from '../hub/retry.ts';
import type { RemoteFile } from './answer.ts';
import { PrefixHasher } from './frontier.ts';
import type { PartialFile } from './partial.ts';
import { bytesIn, type ByteRange, type ByteRanges } from './spans.ts';

/** Bytes that are gathered before they are written. */
const BATCH_BYTES = 1024 * 1024;

/** Where the bytes of one file go: to its partial file, and then into its digest. */
export class Sink {
  readonly #partial: PartialFile;
  readonly #file: RemoteFile;
  readonly #onBytes: (present: number) => void;
  readonly #signal: AbortSignal;
  #digest: PrefixHasher;

  /** @param onBytes told how many bytes of the file are there, whenever that changes */
  constructor(
    partial: PartialFile,
    file: RemoteFile,
    onBytes: (present: number) => void,
    signal: AbortSignal,
  ) {
    this.#partial = partial;
    this.#file = file;
    this.#onBytes = onBytes;
    this.#signal = signal;
    this.#digest = new PrefixHasher(partial, file, signal);
    this.#digest.catchUp();
    this.#tell();
  }

  /** What is there. */
  get spans(): ByteRanges {
    return this.#partial.spans;
  }

  /**
   * Writes a body. What came before a fault is kept; what comes beyond the span is not taken, nor is
   * a fault after its last byte one.
   *
   * @param span the bytes that the body holds
   * @param onWritten told where the next byte belongs
   * @throws TransientFault when the body ends too early
   */
  async take(
    body: AsyncIterable<Uint8Array>,
    span: ByteRange,
    onWritten: (end: number) => void,
  ): Promise<void> {
    let at = span.start;
    let batch: Uint8Array[] = [];
    let gathered = 0;
    const flush = async () => {
      if (gathered === 0) return;
      const chunks = batch;
      const written = { start: at, end: at + gathered };
      batch = [];
      gathered = 0;
      await this.#partial.write(chunks, written);
      at = written.end;
      this.#digest.wrote(chunks, written.start);
      this.#tell();
      onWritten(at);
    };
    try {
      for await (const chunk of body) {
        const room = span.end - at - gathered;
        if (room === 0) break;
        batch.push(chunk.subarray(0, room));
        gathered += Math.min(chunk.length, room);
        if (gathered >= BATCH_BYTES) await flush();
      }
      await flush();
    } catch (error) {
      await flush();
      if (at < span.end) throw error;
    }
    if (at < span.end) throw endedEarly(this.#file, at - span.start, span.end - span.start);
  }

  /** Forgets all that is there. */
  async restart(): Promise<void> {
    await this.#digest.stop();
    await this.#partial.clear();
    this.#digest = new PrefixHasher(this.#partial, this.#file, this.#signal);
    this.#tell();
  }

  /** The digest of all that is there, once it is hashed. */
  digest(): Promise<Digest> {
    return this.#digest.finish();
  }

  /** Ends it: nothing reads the partial file any more. */
  async stop(): Promise<void> {
    await this.#digest.stop();
  }

  #tell(): void {
    this.#onBytes(bytesIn(this.spans));
  }
}

function endedEarly({ subject }: RemoteFile, got: number, wanted: number): TransientFault {
  const what = `an answer with ${nameOf(subject)} ended after ${got} of ${wanted} bytes`;
  return new TransientFault(
    new HugError('EHUG_NETWORK', what, {
      hint: 'Run it again; it goes on where it ended.',
    }),
  );
}
