import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import path, { sep } from 'node:path';
import {
  createDigester,
  type Digest,
  type Digests,
  differenceOf,
  digestStream,
  hashStream,
  isSameDigest,
} from '../digest.ts';
import { groupBy } from '../collections.ts';
import { messageOf, systemCodeOf } from '../errors.ts';
import {
  blobPath,
  type CachedName,
  parseRepoFolderName,
  repoFolderName,
  snapshotPath,
} from './layout.ts';
import { readExpected } from './trees.ts';

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
 * @param folder may be a link, or missing
 * @param file its path behind all links
 */
export async function isInside(folder: string, file: string): Promise<boolean> {
  const root = await realpath(folder).catch((error: unknown) => {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  return root !== undefined && file.startsWith(`${root}${sep}`);
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
  /** Whether it lies in another repository than the one that was asked for. */
  readonly isForeign?: boolean;
}

/** Finds files of the cache by name, see `createCacheIndex`. */
export type CacheIndex = ReturnType<typeof createCacheIndex>;

/**
 * Makes what finds the files of a cache that may have a content, behind all links, each once and
 * without reading them. Folders are listed when they are first needed, and once.
 *
 * @param cache the cache folder, which may be missing
 */
export function createCacheIndex(cache: string) {
  const repos = new Map<string, ReturnType<typeof listRepo>>();
  let everything: ReturnType<typeof listCache> | undefined;

  function repoNamed(name: string) {
    const repo = repos.get(name) ?? listRepo(path.join(cache, name));
    repos.set(name, repo);
    return repo;
  }

  /** Files in the folders of the repository. One that this user may not look at is listed, too. */
  async function own(names: readonly CachedName[]): Promise<ReadonlySet<string>> {
    const paths: string[] = [];
    for (const name of names) {
      const { etags, revs } = await repoNamed(repoFolderName(name.type, name.id));
      if (etags?.has(name.etag) !== false) paths.push(blobPath(cache, name));
      if (revs?.has(name.rev) !== false) paths.push(snapshotPath(cache, name));
    }
    return behindLinks(paths);
  }

  /** The blobs of all repositories by their names, and the snapshots by their commits. */
  async function listCache() {
    const snapshots: { readonly rev: string; readonly folder: string }[] = [];
    const blobs: { readonly etag: string; readonly file: string }[] = [];
    for (const name of (await namesIn(cache)) ?? []) {
      if (parseRepoFolderName(name) === undefined) continue;
      const repo = path.join(cache, name);
      const { etags = new Set(), revs = [] } = await repoNamed(name);
      for (const etag of etags) blobs.push({ etag, file: path.join(repo, 'blobs', etag) });
      for (const rev of revs) {
        const folder = path.join(repo, 'snapshots', rev);
        snapshots.push({ rev, folder });
        // Without links, and in a cache that Nix built, the list of the commit tells what a file is.
        if (etags.size > 0) continue;
        const expected = await readExpected(repo, rev).catch(() => new Map<string, string>());
        for (const [file, etag] of expected) blobs.push({ etag, file: path.join(folder, file) });
      }
    }
    return {
      blobs: groupBy(blobs, ({ etag }) => etag),
      snapshots: groupBy(snapshots, ({ rev }) => rev),
    };
  }

  return {
    own,
    /**
     * The same, then files in other folders: of a repository that has the content too, or of the same
     * one under another spelling of its id.
     */
    async *all(names: readonly CachedName[]): AsyncGenerator<Omit<Damage, 'reason'>> {
      const known = await own(names);
      for (const file of known) yield { file };
      const { blobs, snapshots } = await (everything ??= listCache());
      const paths = names.flatMap(({ etag, rev, path: file }) => [
        ...(blobs.get(etag) ?? []).map((blob) => blob.file),
        ...(snapshots.get(rev) ?? []).map(({ folder }) => path.join(folder, file)),
      ]);
      for (const file of await behindLinks(paths)) {
        if (!known.has(file)) yield { file, isForeign: true };
      }
    },
  };
}

/** The names of the blobs and snapshots of a repository. */
async function listRepo(repo: string) {
  const [etags, revs] = await Promise.all(
    ['blobs', 'snapshots'].map((folder) => namesIn(path.join(repo, folder))),
  );
  return { etags, revs };
}

/** Names in a folder, which may be missing; `undefined` when it cannot be read. */
async function namesIn(folder: string): Promise<ReadonlySet<string> | undefined> {
  try {
    return new Set(await readdir(folder));
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(systemCodeOf(error) ?? '') ? new Set() : undefined;
  }
}

async function behindLinks(paths: readonly string[]): Promise<ReadonlySet<string>> {
  const files = new Set<string>();
  for (const each of new Set(paths)) {
    const file = await realpath(each).catch((error: unknown) =>
      systemCodeOf(error) === 'EACCES' ? each : undefined,
    );
    if (file !== undefined) files.add(file);
  }
  return files;
}

/**
 * Looks for a content in the Hugging Face cache, first in the folders of its repository. A file counts
 * only after it was read to its end and has the right digest.
 *
 * @param onBytes told how many bytes of a file have been read
 * @param signal ends the reading; it throws then
 * @returns the file, if any, and those that should have the content and do not
 */
export async function findInCache(
  index: CacheIndex,
  content: CachedContent,
  onBytes: (read: number) => void,
  signal?: AbortSignal,
): Promise<{ readonly file: string | undefined; readonly damaged: readonly Damage[] }> {
  const damaged: Damage[] = [];
  for await (const candidate of index.all(content.names)) {
    const reason = await reasonAgainst(candidate.file, content, onBytes, signal);
    if (reason === undefined) return { file: candidate.file, damaged };
    damaged.push({ ...candidate, reason });
  }
  return { file: undefined, damaged };
}

/** Whether a file of the right size has one of the names; it is not read. */
export async function mayBeInCache(
  index: CacheIndex,
  names: readonly CachedName[],
  size: number,
): Promise<boolean> {
  for await (const { file } of index.all(names)) {
    if (await hasSize(file, size)) return true;
  }
  return false;
}

/** Whether there is a file of so many bytes. */
export async function hasSize(file: string, size: number): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() === true && found.size === size;
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
