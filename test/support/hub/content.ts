import { createCipheriv, createHash } from 'node:crypto';

/** Bytes that can be read in parts, any number of times. */
export interface Content {
  /** Length in bytes. */
  readonly size: number;
  /** Streams the bytes from `start` up to, but not including, `end`. */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
}

/** What a file of a commit holds: git content, or content that git only points at. */
export type FileContent = string | Uint8Array | LfsContent;

/** How generated content is made. */
export interface GeneratedOptions {
  /** Length in bytes; may be many GiB. */
  readonly size: number;
  /** Equal seeds give equal bytes; a longer content begins with a shorter one of the same seed. */
  readonly seed: string | number;
}

const CHUNK_BYTES = 1024 * 1024;
const AES_BLOCK_BYTES = 16;
const ZEROS = Buffer.alloc(CHUNK_BYTES);

/** Content of an LFS file. Its digest is computed once, by streaming. */
export class LfsContent {
  readonly content: Content;
  #sha256: Promise<string> | undefined;

  constructor(content: Content) {
    this.content = content;
  }

  /** SHA-256 of the content, 64 hex digits. */
  sha256(): Promise<string> {
    this.#sha256 ??= digest(this.content);
    return this.#sha256;
  }
}

/**
 * Marks content as an LFS file. `lfs.generated` makes content of any size without holding it in
 * memory.
 */
export const lfs = Object.assign(
  (content: string | Uint8Array): LfsContent => new LfsContent(contentOf(content)),
  { generated: (options: GeneratedOptions): LfsContent => new LfsContent(generated(options)) },
);

/** Content that is held in memory. */
export function contentOf(data: string | Uint8Array): Content {
  const bytes = Buffer.from(data);
  return {
    size: bytes.length,
    async *read(start, end) {
      if (end > start) yield bytes.subarray(start, end);
    },
  };
}

/** The part of a content from `start` up to, but not including, `end`. */
export function slice(content: Content, start: number, end: number): Content {
  return {
    size: end - start,
    read: (from, to) => content.read(start + from, start + to),
  };
}

/** Contents one after the other. */
export function concat(...parts: readonly Content[]): Content {
  return {
    size: parts.reduce((sum, { size }) => sum + size, 0),
    async *read(start, end) {
      let at = 0;
      for (const part of parts) {
        const from = Math.max(0, start - at);
        const to = Math.min(part.size, end - at);
        if (from < to) yield* part.read(from, to);
        at += part.size;
      }
    },
  };
}

/** One byte again and again. */
export function filled(byte: string, size: number): Content {
  const chunk = Buffer.alloc(Math.min(size, CHUNK_BYTES), byte);
  return {
    size,
    async *read(start, end) {
      for (let at = start; at < end; at += chunk.length) yield chunk.subarray(0, end - at);
    },
  };
}

/** All bytes of a content. */
export async function collect(content: Content): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content.read(0, content.size)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * The key stream of AES-256-CTR: incompressible, quick, and readable from any offset, since a
 * block depends only on its number.
 */
function generated({ size, seed }: GeneratedOptions): Content {
  const key = createHash('sha256').update(String(seed)).digest();
  return {
    size,
    async *read(start, end) {
      const block = Math.floor(start / AES_BLOCK_BYTES);
      const counter = Buffer.alloc(AES_BLOCK_BYTES);
      counter.writeBigUInt64BE(BigInt(block), AES_BLOCK_BYTES - 8);
      const cipher = createCipheriv('aes-256-ctr', key, counter);
      cipher.update(ZEROS.subarray(0, start - block * AES_BLOCK_BYTES));
      for (let at = start; at < end; at += CHUNK_BYTES) {
        yield cipher.update(ZEROS.subarray(0, Math.min(CHUNK_BYTES, end - at)));
      }
    },
  };
}

async function digest(content: Content): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of content.read(0, content.size)) hash.update(chunk);
  return hash.digest('hex');
}
