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
  /** Paths of files in the repository. */
  readonly names: readonly string[];
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
  /** Which of `names` its files have. */
  readonly paths: readonly number[];
  /** Which of `etags` they lead to. */
  readonly blobs: readonly number[];
}

/** @returns `undefined` when there is more to it than links to blobs */
export function keptOf(
  repo: Folder,
  revisions: readonly CachedRevision[],
): Omit<KeptRepo, 'seen' | 'state'> | undefined {
  const names = new Map<string, number>();
  const etags = new Map<string, number>();
  const sizes: (number | null)[] = [];
  const times: number[] = [];
  const kept: KeptRevision[] = [];
  const folder = blobsOf(repo);
  for (const { rev, refs, files } of revisions) {
    // When an empty one was modified is nowhere but in its folder.
    if (files.length === 0) return undefined;
    const paths: number[] = [];
    const blobs: number[] = [];
    for (const { path, etag, file, size, modified } of files) {
      if (etag === undefined) return undefined;
      if (!etags.has(etag)) {
        sizes.push(file === `${folder.real}/${etag}` ? size : null);
        times.push(modified);
      }
      paths.push(numberOf(path, names));
      blobs.push(numberOf(etag, etags));
    }
    kept.push({ rev, refs, paths, blobs });
  }
  return {
    names: [...names.keys()],
    etags: [...etags.keys()],
    sizes,
    modified: times,
    revisions: kept,
  };
}

function numberOf(text: string, numbers: Map<string, number>): number {
  const number = numbers.get(text) ?? numbers.size;
  numbers.set(text, number);
  return number;
}

/**
 * The revisions. What is behind the links to blobs that repositories share is looked at.
 *
 * @returns `undefined` when such a blob is none any more
 * @throws the system's error
 */
export function revisionsOf(
  { names, etags, sizes, modified, revisions }: KeptRepo,
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
    for (const [index, number] of numbers.entries()) {
      const path = names[paths[index] ?? -1];
      const content = contents[number];
      if (path === undefined || content === undefined) continue;
      const { file, size, modified: written, etag } = content;
      files.push({ path, file, size, modified: written, etag });
    }
    const folder = `${repo.at}/snapshots/${rev}`;
    return withSums({ rev, folder, refs, files, isWhole: true });
  });
}

const blobsOf = ({ at, real }: Folder): Folder => ({ at: `${at}/blobs`, real: `${real}/blobs` });
