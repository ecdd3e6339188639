import path from 'node:path';
import type { Digest } from '../digest.ts';
import type { RepoType } from '../repo.ts';

/** What the official client caches; nix-hug locks models and datasets only. */
export type CachedType = RepoType | 'space' | 'kernel';

/** A file of a repository at a commit, as the Hugging Face cache names it. */
export interface CachedName {
  readonly type: RepoType;
  /** Repository id. */
  readonly id: string;
  /** The commit. */
  readonly rev: string;
  /** Path in the repository; a safe one. */
  readonly path: string;
  /** SHA-256 of the content in hex for an LFS file, git blob id for a plain one. */
  readonly etag: string;
}

/** A file of a commit. */
export interface CommitFile {
  /** Path in the repository. */
  readonly path: string;
  /** Length of the content in bytes. */
  readonly size: number;
  /** SHA-256 of the content; the git blob id of a plain file whose SHA-256 is not known. */
  readonly digest: Digest;
  /** Git blob id; of an LFS file, that of its pointer. */
  readonly oid: string;
  readonly isLfs: boolean;
  /** Name of the content in Xet storage; a lock does not have it. */
  readonly xetHash?: string | undefined;
}

/** The digest that is the name of a file's content in the Hugging Face cache. */
export const blobNameOf = ({ isLfs, digest, oid }: CommitFile): Digest =>
  isLfs ? digest : { kind: 'git-blob', hex: oid };

const TYPES: ReadonlyMap<string, CachedType> = new Map([
  ['models', 'model'],
  ['datasets', 'dataset'],
  ['spaces', 'space'],
  ['kernels', 'kernel'],
]);

/** Name of a repository's folder in the cache: `models--org--name`. */
export function repoFolderName(type: RepoType, id: string): string {
  return [`${type}s`, ...id.split('/')].join('--');
}

/**
 * The type and id that the name of a folder stands for, read as the official client does: each `--`
 * is a `/`. An id that has `--` itself is read wrongly.
 *
 * @returns `undefined` for a name that does not begin with a type and `--`
 */
export function parseRepoFolderName(
  name: string,
): { readonly type: CachedType; readonly id: string } | undefined {
  const [first = '', ...rest] = name.split('--');
  const type = TYPES.get(first);
  return type === undefined || rest.length === 0 ? undefined : { type, id: rest.join('/') };
}

/** Where the cache has the blob of a content: once in each repository. */
export function blobPath(cache: string, { type, id, etag }: CachedName): string {
  return path.join(cache, repoFolderName(type, id), 'blobs', etag);
}

/** Where a snapshot has a file: a link to its blob, or the file itself on a file system without links. */
export function snapshotPath(cache: string, { type, id, rev, path: file }: CachedName): string {
  return path.join(cache, repoFolderName(type, id), 'snapshots', rev, file);
}

/** The target of a link in a snapshot: up from its folder, and down to the blob. */
export const linkText = (file: CommitFile): string =>
  `${'../'.repeat(file.path.split('/').length + 1)}blobs/${blobNameOf(file).hex}`;
