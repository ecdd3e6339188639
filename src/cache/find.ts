import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { sep } from 'node:path';
import {
  createDigester,
  type Digest,
  type Digests,
  differenceOf,
  digestStream,
  hashStream,
  isSameDigest,
} from '../digest.ts';
import { messageOf, systemCodeOf } from '../errors.ts';
import { blobPath, type CachedName, snapshotPath } from './layout.ts';

/** Bytes of one read; larger reads are not faster. */
const READ_BYTES = 1024 * 1024;

/**
 * Reads a file to hash or copy it; the signal ends the reading. The file is opened when the first
 * bytes are asked for: an open stream that nobody reads would end the process when the signal comes.
 */
export async function* readContent(
  file: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  yield* createReadStream(file, { highWaterMark: READ_BYTES, signal });
}

/**
 * Size and digests of a file.
 *
 * @param signal ends the reading
 * @throws the error of the system when it cannot be read
 */
export async function digestsOf(file: string, signal: AbortSignal): Promise<Digests> {
  const { size } = await stat(file);
  return digestStream(readContent(file, signal), size);
}

/**
 * Whether a file lies in a folder.
 *
 * @param folder may be a link
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
  readonly digest: Digest;
}

/** A file with the wrong content. */
export interface Damage {
  readonly file: string;
  /** `has 3 bytes, expected 4` */
  readonly reason: string;
}

/**
 * Looks for a content in the Hugging Face cache. A file counts only after it was read to its end and
 * has the right digest.
 *
 * @param cache the cache folder, which may be missing
 * @param onBytes told how many bytes of a file have been read
 * @param signal ends the reading; it throws then
 * @returns the file, if any, and those that should have the content and do not
 */
export async function findInCache(
  cache: string,
  content: CachedContent,
  onBytes: (read: number) => void,
  signal?: AbortSignal,
): Promise<{ readonly file: string | undefined; readonly damaged: readonly Damage[] }> {
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
  names: readonly CachedName[],
  size: number,
): Promise<boolean> {
  for (const file of await cachedFiles(cache, names)) {
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile() === true && found.size === size) return true;
  }
  return false;
}

/**
 * Files that the cache has under the names, behind all links, each once and without reading them.
 * One that this user may not look at is listed, too.
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
 * Reads a file, of the cache or not, to its end.
 *
 * @param onBytes told how many bytes of it have been read
 * @param signal ends the reading; nothing else makes it throw
 * @returns why the file does not have the content; `undefined` when it has
 */
export async function reasonAgainst(
  file: string,
  { size, digest }: Pick<CachedContent, 'size' | 'digest'>,
  onBytes: (read: number) => void,
  signal?: AbortSignal,
): Promise<string | undefined> {
  try {
    const stats = await stat(file);
    if (!stats.isFile()) return 'is not a file';
    if (stats.size !== size) return `has ${stats.size} bytes, expected ${size}`;
    const digester = createDigester(digest.kind, size);
    const got = await hashStream(readContent(file, signal), digester, onBytes);
    return isSameDigest(got, digest) ? undefined : differenceOf(got, digest);
  } catch (error) {
    signal?.throwIfAborted();
    const code = systemCodeOf(error);
    return code === 'ENOENT' ? 'is not there' : `cannot be read: ${code ?? messageOf(error)}`;
  }
}
