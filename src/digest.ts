import { createHash } from 'node:crypto';

/**
 * What a content is known by: its SHA-256, or the git blob id of a plain file (SHA-1 of
 * `blob <size>\0` and the content). In lower-case hex; SRI and ETag are forms at the edges.
 */
export interface Digest {
  readonly kind: 'sha256' | 'git-blob';
  readonly hex: string;
}

/** Whether the text is a SHA-256 in lower-case hex; a masked digest (`****…`) is not. */
export const isSha256Hex = (text: string): boolean => /^[0-9a-f]{64}$/u.test(text);

/** Whether the text is a full git object id (commit or blob) in lower-case hex. */
export const isGitId = (text: string): boolean => /^[0-9a-f]{40}$/u.test(text);

/** SRI form (`sha256-` and base64, https://www.w3.org/TR/SRI/) of a SHA-256 in hex. */
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

/** The reason for messages: `has the digest sha256-…, expected sha256-…`. */
export const differenceOf = (got: Digest, expected: Digest): string =>
  `has the digest ${digestText(got)}, expected ${digestText(expected)}`;

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

/** Computes the digest of bytes that come one after the other; its `digest` is called once. */
export type Digester = ReturnType<typeof createDigester>;

/**
 * Computes a digest of one kind.
 *
 * @param size length of the content in bytes, which a git blob id needs up front
 */
export function createDigester(kind: Digest['kind'], size: number) {
  const hash = kind === 'sha256' ? createHash('sha256') : gitBlobHash(size);
  return {
    update: (chunk: Uint8Array) => hash.update(chunk),
    digest: (): Digest => ({ kind, hex: hash.digest('hex') }),
  };
}

const gitBlobHash = (size: number) => createHash('sha1').update(`blob ${size}\0`);

/**
 * Passes a stream of bytes to a digester, and returns the digest.
 *
 * @param onBytes called after each chunk with the number of bytes so far
 */
export async function hashStream(
  chunks: AsyncIterable<Uint8Array>,
  digester: Digester,
  onBytes: (read: number) => void,
): Promise<Digest> {
  let read = 0;
  for await (const chunk of chunks) {
    digester.update(chunk);
    read += chunk.length;
    onBytes(read);
  }
  return digester.digest();
}

/** Everything that a lock says of the content of a plain file. */
export interface Digests {
  /** Number of bytes. */
  readonly size: number;
  /** SHA-256 in SRI form. */
  readonly hash: string;
  /** Git blob id, 40 hex digits. */
  readonly oid: string;
}

/**
 * Computes SHA-256 and git blob id of a stream of bytes in one pass, without keeping them.
 *
 * @param size its length in bytes, which a git blob id needs up front
 * @returns the digests; `oid` is that of a blob only when `size` was right
 */
export async function digestStream(
  chunks: AsyncIterable<Uint8Array>,
  size: number,
): Promise<Digests> {
  const sha256 = createHash('sha256');
  const blob = gitBlobHash(size);
  let read = 0;
  for await (const chunk of chunks) {
    sha256.update(chunk);
    blob.update(chunk);
    read += chunk.length;
  }
  return { size: read, hash: `sha256-${sha256.digest('base64')}`, oid: blob.digest('hex') };
}

/** The same of bytes in memory. */
export const digestsOfBytes = (content: Uint8Array): Digests => ({
  size: content.length,
  hash: sriOfContent(content),
  oid: gitBlobHash(content.length).update(content).digest('hex'),
});

/** SHA-256 of a text or of bytes in SRI form. */
export const sriOfContent = (content: string | Uint8Array): string =>
  `sha256-${createHash('sha256').update(content).digest('base64')}`;

/** The LFS pointer that stands for a file in git (git-lfs, `docs/spec.md`). */
const pointerOf = (hex: string, size: number): string =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${hex}\nsize ${size}\n`;

/** Length of the LFS pointer of a file in bytes; arguments as of `pointerIdOf`. */
export const pointerSizeOf = (hex: string, size: number): number => pointerOf(hex, size).length;

/**
 * Git blob id of the LFS pointer of a file.
 *
 * @param hex SHA-256 of the content in hex
 * @param size length of the content in bytes
 */
export function pointerIdOf(hex: string, size: number): string {
  const text = pointerOf(hex, size);
  return gitBlobHash(text.length).update(text).digest('hex');
}
