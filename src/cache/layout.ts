import path from 'node:path';
import { type Env, expanded, hubHome } from '../hf-home.ts';
import type { RepoType } from '../repo.ts';

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

/**
 * The Hugging Face cache: `$HF_HUB_CACHE`, `$HUGGINGFACE_HUB_CACHE`, `$HF_HOME/hub`,
 * `$XDG_CACHE_HOME/huggingface/hub` or `~/.cache/huggingface/hub`, by the rules of
 * huggingface_hub (`constants.py`).
 *
 * @param home the user's home folder
 * @returns a path that may be relative
 */
export function cacheFolderIn(env: Env, home: string): string {
  const set = env['HF_HUB_CACHE'] ?? env['HUGGINGFACE_HUB_CACHE'];
  return set === undefined ? path.join(hubHome(env, home), 'hub') : expanded(set, env, home);
}

/** Name of a repository's folder in the cache: `models--org--name`. */
export function repoFolderName(type: RepoType, id: string): string {
  return [`${type}s`, ...id.split('/')].join('--');
}

/** Where the cache has a content: once in each repository. */
export function blobPath(cache: string, { type, id, etag }: CachedName): string {
  return path.join(cache, repoFolderName(type, id), 'blobs', etag);
}

/** Where the cache has a file of a commit: a link to its blob, or itself where there are no links. */
export function snapshotPath(cache: string, { type, id, rev, path: file }: CachedName): string {
  return path.join(cache, repoFolderName(type, id), 'snapshots', rev, file);
}
