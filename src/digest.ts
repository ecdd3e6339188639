import { createHash } from 'node:crypto';

/** Digests of one stream of bytes. */
export interface Digests {
  /** Number of bytes seen. */
  readonly size: number;
  /** SHA-256 in SRI form (`sha256-` and base64), https://www.w3.org/TR/SRI/. */
  readonly hash: string;
  /** Git blob id: SHA-1 of `blob <size>\0` and the content, 40 hex digits. */
  readonly oid: string;
}

/**
 * What a content is known by: its SHA-256, or the git blob id of a plain file (SHA-1 of
 * `blob <size>\0` and the content). In lower-case hex; SRI and ETag are forms at the edges.
 */
export interface Digest {
  readonly kind: 'sha256' | 'git-blob';
  readonly hex: string;
}

/** Computes the digest of bytes that come one after the other. */
export interface Digester {
  update(chunk: Uint8Array): unknown;
  /** The digest of all bytes so far; to be called once. */
  digest(): Digest;
}

/** Computes one digest of a stream of bytes. */
export interface Hasher {
  update(chunk: Uint8Array): unknown;
  /** The digest of what was seen; to be called once. */
  digest(): string;
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

/** The digest that an SRI form stands for, as a lock has it (`sha256-` and base64). */
export const digestOfSri = (sri: string): Digest => ({ kind: 'sha256', hex: hexOfSri(sri) });

/** A digest as messages show it: a SHA-256 in SRI form, a git blob id in hex. */
export const digestText = ({ kind, hex }: Digest): string =>
  kind === 'sha256' ? sriOfHex(hex) : hex;

/**
 * The digest that the name of a blob in the Hugging Face cache stands for, which is also its ETag.
 *
 * @returns `undefined` when it is neither a SHA-256 nor a git blob id
 */
export function digestOfBlobName(name: string): Digest | undefined {
  if (isSha256Hex(name)) return { kind: 'sha256', hex: name };
  return isGitId(name) ? { kind: 'git-blob', hex: name } : undefined;
}

/** Whether two digests are the same. */
export const isSameDigest = (a: Digest, b: Digest): boolean => a.kind === b.kind && a.hex === b.hex;

/**
 * What the Hub and its cache name a content by, in hex: the SHA-256 of an LFS file, the git blob id
 * of a plain one.
 *
 * @param digest SHA-256 in SRI form, or a git blob id
 */
export const etagOf = (digest: string): string => (isGitId(digest) ? digest : hexOfSri(digest));

/** The digest that an ETag stands for: SHA-256 in SRI form, or a git blob id as it is. */
export const digestOfEtag = (etag: string): string => (isGitId(etag) ? etag : sriOfHex(etag));

/**
 * Computes a digest of one kind.
 *
 * @param size length of the content in bytes, which a git blob id needs up front
 */
export function createDigester(kind: Digest['kind'], size: number): Digester {
  const hash = createHash(kind === 'sha256' ? 'sha256' : 'sha1');
  if (kind === 'git-blob') hash.update(`blob ${size}\0`);
  return {
    update: (chunk) => hash.update(chunk),
    digest: () => ({ kind, hex: hash.digest('hex') }),
  };
}

/**
 * Computes the kind of digest that is expected.
 *
 * @param expected SHA-256 in SRI form, or a git blob id
 * @param size length of the content in bytes, which a git blob id needs up front
 */
export function createHasher(expected: string, size: number): Hasher {
  if (!isGitId(expected)) return sha256Hasher();
  const sha1 = createHash('sha1').update(`blob ${size}\0`);
  return { update: (chunk) => sha1.update(chunk), digest: () => sha1.digest('hex') };
}

function sha256Hasher(): Hasher {
  const sha256 = createHash('sha256');
  return {
    update: (chunk) => sha256.update(chunk),
    digest: () => `sha256-${sha256.digest('base64')}`,
  };
}

/**
 * Size and digest of a stream of bytes.
 *
 * @param onBytes told how many bytes have been seen, after each chunk
 * @param hasher default SHA-256 in SRI form
 */
export async function hashStream(
  chunks: AsyncIterable<Uint8Array>,
  onBytes: (seen: number) => void,
  hasher: Hasher = sha256Hasher(),
): Promise<Pick<Digests, 'size' | 'hash'>> {
  const size = await feed(chunks, [hasher], onBytes);
  return { size, hash: hasher.digest() };
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
  hashes: readonly Pick<Hasher, 'update'>[],
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
