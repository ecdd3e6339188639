import type { Http } from '../hub/http.ts';
import { type RemoteFile, rangeHeader, spanOf } from './answer.ts';
import { createProgress, MIN_PROGRESS } from './progress.ts';
import { endedEarly, type Sink } from './sink.ts';
import { firstGap, addRange, type ByteRange, type ByteRanges } from './spans.ts';

/** How a file is divided among connections. */
export interface Division {
  /** Connections at once. */
  readonly connections: number;
  /** Bytes of one request. */
  readonly segment: number;
}

/** The Hub does not serve a part of the file apart from the others. */
class RangesRefused extends Error {}

/**
 * Brings what is missing of one file by range requests, several at once. Segments are taken in
 * order, so that the digest follows closely.
 */
export class RangedTransfer {
  readonly #http: Http;
  readonly #file: RemoteFile;
  readonly #sink: Sink;
  readonly #division: Division;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #workers: Promise<void>[] = [];
  /** What is there, and what a worker is bringing. */
  #taken: ByteRanges;
  /** Where the last redirect led, good for further segments. */
  #address: string | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(http: Http, file: RemoteFile, sink: Sink, division: Division, signal: AbortSignal) {
    this.#http = http;
    this.#file = file;
    this.#sink = sink;
    this.#division = division;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
    this.#taken = sink.spans;
  }

  /**
   * Ends when nothing is missing or something failed, and no worker is left.
   *
   * @returns whether the Hub serves ranges; if not, the file has to come as a whole
   */
  async run(): Promise<boolean> {
    this.#addWorker();
    for (const worker of this.#workers) await worker;
    if (this.#failure === undefined) return true;
    if (this.#failure.error instanceof RangesRefused) return false;
    throw this.#failure.error;
  }

  /** Each answer adds one worker: the first tells whether there may be several at all. */
  #addWorker(): void {
    const isEnough = this.#workers.length === this.#division.connections;
    if (isEnough || this.#nextSegment() === undefined) return;
    this.#workers.push(
      this.#work().catch((error: unknown) => {
        this.#failure ??= { error };
        this.#stop.abort();
      }),
    );
  }

  async #work(): Promise<void> {
    for (let span = this.#nextSegment(); span !== undefined; span = this.#nextSegment()) {
      this.#taken = addRange(this.#taken, span);
      let { start } = span;
      while (start < span.end) start = await this.#bring({ start, end: span.end });
    }
  }

  #nextSegment(): ByteRange | undefined {
    return firstGap(this.#taken, this.#file.size, this.#division.segment);
  }

  /** Brings bytes, or the first of them; returns where the others start. */
  async #bring({ start, end }: ByteRange): Promise<number> {
    let at = start;
    let known = this.#address;
    const isProgress = createProgress(start);
    const isServed = await this.#http.range({
      subject: this.#file.subject,
      signal: this.#signal,
      next: () => {
        // The address of a redirect expires: after a fault the Hub is asked for another one.
        const url = known ?? this.#file.url;
        known = undefined;
        const range = rangeHeader({ start: at, end }, this.#file);
        return { url, range, isRemembered: url !== this.#file.url };
      },
      consume: async (answer, progressed) => {
        const span = spanOf(answer, { start: at, end }, this.#file);
        if (span === undefined) return false;
        this.#address = answer.address;
        this.#addWorker();
        await this.#sink.take(answer.body, span, (next) => {
          at = next;
          if (isProgress(at)) progressed();
        });
        // A server that sends a byte for each request would need as many requests as there are bytes.
        if (at < end && at - span.start < MIN_PROGRESS) {
          throw endedEarly(this.#file, at - span.start, end - span.start);
        }
        return true;
      },
    });
    if (!isServed) throw new RangesRefused();
    return at;
  }
}
