import { type Digests, createHasher, digestStream, hashStream } from '../digest.ts';
import { messageOf, systemCodeOf } from '../errors.ts';
import { type CachedName, blobPath, snapshotPath } from './layout.ts';
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { sep } from 'node:path';

/** Bytes of one read; larger reads are not faster. */
const READ_BYTES = 1024 * 1024;

/**
 * The content of a file, to be hashed or copied.
 *
 * @param signal ends the reading
 */
export const readContent = (file: string, signal: AbortSignal | undefined) =>
  createReadStream(file, { highWaterMark: READ_BYTES, signal });

/**
 * Size and digests of a file as it is.
 *
 * @param signal ends the reading
 * @throws the error of the system when it cannot be read
 */
export async function digestsOf(file: string, signal: AbortSignal): Promise<Digests> {
  const { size } = await stat(file);
  return digestStream(readContent(file, signal), size);
}

/**
 * Whether a file lies in a folder, behind all links of the folder.
 *
 * @param file its path behind all links
 */
export async function isInside(folder: string, file: string): Promise<boolean> {
  const root = await realpath(folder);
  return file.startsWith(`${root}${sep}`);
}

/** A content, and the names that the cache may have it under. */
export interface CachedContent {
  readonly names: readonly CachedName[];
  /** Length in bytes. */
  readonly size: number;
  /** SHA-256 in SRI form, or the git blob id of a plain file. */
  readonly hash: string;
}

/** What a search of the cache found. */
export interface Finding {
  /** A file with exactly the content; `undefined` when there is none. */
  readonly file: string | undefined;
  /** Files that should have the content and do not, with the reason. */
  readonly damaged: readonly Damage[];
}

/** A file that is not what it should be. */
export interface Damage {
  readonly file: string;
  /** `has 3 bytes, expected 4` */
  readonly reason: string;
}

/**
 * Looks for a content in the Hugging Face cache. Nothing is believed: a file is read to its end and
 * hashed before it counts.
 *
 * @param cache the cache folder, which need not exist
 * @param onBytes told how many bytes of a file have been read
 * @param signal ends the reading; it throws then
 */
export async function findInCache(
  cache: string,
  content: CachedContent,
  onBytes: (read: number) => void,
  signal?: AbortSignal,
): Promise<Finding> {
  const damaged: Damage[] = [];
  for (const file of await cachedFiles(cache, content.names)) {
    const reason = await reasonAgainst(file, content, onBytes, signal);
    if (reason === undefined) return { file, damaged };
    damaged.push({ file, reason });
  }
  return { file: undefined, damaged };
}

/** Whether a file of the right size has one of the names; it is not read. */
export async function mayBeInCache(
  cache: string,
  { names, size }: Pick<CachedContent, 'names' | 'size'>,
): Promise<boolean> {
  for (const file of await cachedFiles(cache, names)) {
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile() === true && found.size === size) return true;
  }
  return false;
}

/**
 * What is there under the names, behind all links, each file once; its content is not looked at.
 * What may not be looked at is there, too.
 */
export async function cachedFiles(
  cache: string,
  names: readonly CachedName[],
): Promise<ReadonlySet<string>> {
  const paths = names.flatMap((name) => [blobPath(cache, name), snapshotPath(cache, name)]);
  const files = new Set<string>();
  for (const path of new Set(paths)) {
    const file = await realpath(path).catch((error: unknown) =>
      systemCodeOf(error) === 'EACCES' ? path : undefined,
    );
    if (file !== undefined) files.add(file);
  }
  return files;
}

/**
 * Reads a file, of the cache or not, to its end, and tells why it is not the content; `undefined`
 * when it is.
 *
 * @param onBytes told how many bytes of it have been read
 * @param signal ends the reading; nothing else makes it throw
 */
export async function reasonAgainst(
  file: string,
  { size, hash }: Pick<CachedContent, 'size' | 'hash'>,
  onBytes: (read: number) => void,
  signal?: AbortSignal,
): Promise<string | undefined> {
  try {
    const stats = await stat(file);
    if (!stats.isFile()) return 'is not a file';
    if (stats.size !== size) return `has ${stats.size} bytes, expected ${size}`;
    const got = await hashStream(readContent(file, signal), onBytes, createHasher(hash, size));
    return got.hash === hash ? undefined : `has the digest ${got.hash}, expected ${hash}`;
  } catch (error) {
    signal?.throwIfAborted();
    const code = systemCodeOf(error);
    return code === 'ENOENT' ? 'is not there' : `cannot be read: ${code ?? messageOf(error)}`;
  }
}
