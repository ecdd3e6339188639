import { createHash, type Hash } from 'node:crypto';

/** Digests of one stream of bytes. */
export interface Digests {
  /** Number of bytes seen. */
  readonly size: number;
  /** SHA-256 in SRI form (`sha256-` and base64), https://www.w3.org/TR/SRI/. */
  readonly hash: string;
  /** Git blob id: SHA-1 of `blob <size>\0` and the content, 40 hex digits. */
  readonly oid: string;
}

const SHA256_HEX = /^[0-9a-f]{64}$/u;
const GIT_ID = /^[0-9a-f]{40}$/u;

/** Whether the text is a SHA-256 in lower-case hex; a masked digest (`****…`) is not. */
export const isSha256Hex = (text: string): boolean => SHA256_HEX.test(text);

/** Whether the text is a full git object id (commit or blob) in lower-case hex. */
export const isGitId = (text: string): boolean => GIT_ID.test(text);

/** SRI form of a SHA-256 in hex. */
export const sriOfHex = (hex: string): string =>
  `sha256-${Buffer.from(hex, 'hex').toString('base64')}`;

/** Hex form of a SHA-256 in SRI form. */
export const hexOfSri = (sri: string): string =>
  Buffer.from(sri.slice('sha256-'.length), 'base64').toString('hex');

/**
 * Size and SHA-256 of a stream of bytes.
 *
 * @param onBytes told how many bytes have been seen, after each chunk
 */
export async function hashStream(
  chunks: AsyncIterable<Uint8Array>,
  onBytes: (seen: number) => void,
): Promise<Pick<Digests, 'size' | 'hash'>> {
  const sha256 = createHash('sha256');
  const size = await feed(chunks, [sha256], onBytes);
  return { size, hash: `sha256-${sha256.digest('base64')}` };
}

/** SHA-256 of a text in SRI form. */
export const sriOfText = (text: string): string =>
  `sha256-${createHash('sha256').update(text).digest('base64')}`;

/**
 * Hashes a stream of bytes without keeping them.
 *
 * @param chunks the content
 * @param size its length in bytes, which a git blob id needs up front
 * @returns the digests; `oid` is that of a blob only when `size` was right
 */
export async function digestStream(
  chunks: AsyncIterable<Uint8Array>,
  size: number,
): Promise<Digests> {
  const sha256 = createHash('sha256');
  const blob = createHash('sha1').update(`blob ${size}\0`);
  const seen = await feed(chunks, [sha256, blob], () => undefined);
  return { size: seen, hash: `sha256-${sha256.digest('base64')}`, oid: blob.digest('hex') };
}

/** Puts a stream into hashes, and returns its length in bytes. */
async function feed(
  chunks: AsyncIterable<Uint8Array>,
  hashes: readonly Hash[],
  onBytes: (seen: number) => void,
): Promise<number> {
  let seen = 0;
  for await (const chunk of chunks) {
    for (const hash of hashes) hash.update(chunk);
    seen += chunk.length;
    onBytes(seen);
  }
  return seen;
}

/**
 * Git blob id of the pointer that stands for an LFS file in git (git-lfs, `docs/spec.md`).
 *
 * @param hex SHA-256 of the content in hex
 * @param size length of the content in bytes
 */
export function pointerIdOf(hex: string, size: number): string {
  const text = `version https://git-lfs.github.com/spec/v1\noid sha256:${hex}\nsize ${size}\n`;
  return createHash('sha1').update(`blob ${text.length}\0${text}`).digest('hex');
}
