import type { Folder } from './folder.ts';
import { type CachedRevision, withSums } from './repo-folder.ts';
import { type CachedFile, type Content, sharedBlob } from './snapshot.ts';

/**
 * A repository of which nothing but links to its blobs was read, as an index has it. Lists of texts
 * and numbers are read faster than an object for each blob and file.
 */
export interface KeptRepo {
  /** What was read of it, see `stateOf`. */
  readonly seen: readonly string[];
  /** Where the repository was, and what the system said of that. */
  readonly state: string;
  /** Names of the blobs that files lead to. */
  readonly etags: readonly string[];
  /** Length of each in bytes; `null` for one that repositories share. */
  readonly sizes: readonly (number | null)[];
  /** When each was last written, in ms since 1970. */
  readonly modified: readonly number[];
  readonly revisions: readonly KeptRevision[];
}

interface KeptRevision {
  readonly rev: string;
  readonly refs: readonly string[];
  /** Paths in the repository. */
  readonly paths: readonly string[];
  /** Which of `etags` each of them is. */
  readonly blobs: readonly number[];
}

/** @returns `undefined` when there is more to it than links to blobs */
export function keptOf(
  repo: Folder,
  revisions: readonly CachedRevision[],
): Omit<KeptRepo, 'seen' | 'state'> | undefined {
  const numbers = new Map<string, number>();
  const sizes: (number | null)[] = [];
  const times: number[] = [];
  const kept: KeptRevision[] = [];
  const folder = blobsOf(repo);
  for (const { rev, refs, files } of revisions) {
    // When an empty one was modified is nowhere but in its folder.
    if (files.length === 0) return undefined;
    const blobs: number[] = [];
    for (const { etag, file, size, modified } of files) {
      if (etag === undefined) return undefined;
      const number = numbers.get(etag) ?? numbers.size;
      if (number === numbers.size) {
        numbers.set(etag, number);
        sizes.push(file === `${folder.real}/${etag}` ? size : null);
        times.push(modified);
      }
      blobs.push(number);
    }
    kept.push({ rev, refs, paths: files.map((file) => file.path), blobs });
  }
  return { etags: [...numbers.keys()], sizes, modified: times, revisions: kept };
}

/**
 * The revisions. What is behind the links to blobs that repositories share is looked at.
 *
 * @returns `undefined` when such a blob is none any more
 * @throws the system's error
 */
export function revisionsOf(
  { etags, sizes, modified, revisions }: KeptRepo,
  repo: Folder,
  cache: Folder,
): CachedRevision[] | undefined {
  const blobs = blobsOf(repo);
  const contents: Content[] = [];
  for (const [number, etag] of etags.entries()) {
    const size = sizes[number] ?? undefined;
    const content =
      size === undefined
        ? sharedBlob(blobs, etag, { repo, blobs, cache })
        : { file: `${blobs.real}/${etag}`, size, modified: modified[number] ?? 0, etag };
    if (content === undefined) return undefined;
    contents.push(content);
  }
  return revisions.map(({ rev, refs, paths, blobs: numbers }) => {
    const files: CachedFile[] = [];
    for (const [index, path] of paths.entries()) {
      const content = contents[numbers[index] ?? -1];
      if (content === undefined) continue;
      const { file, size, modified: written, etag } = content;
      files.push({ path, file, size, modified: written, etag });
    }
    const folder = `${repo.at}/snapshots/${rev}`;
    return withSums({ rev, folder, refs, files, isWhole: true });
  });
}

const blobsOf = ({ at, real }: Folder): Folder => ({ at: `${at}/blobs`, real: `${real}/blobs` });
