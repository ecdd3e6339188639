import type { RepoFile } from '../copy/blob.ts';
import { pointerSizeOf } from '../digest.ts';
import type { ServedCommit, ServedRepo } from './catalog.ts';

// Bodies of the Hub's JSON API, with the facts that a lock has.

/** No lock has the git id of a folder, and no client of a download compares it. */
const UNKNOWN_FOLDER_ID = '0'.repeat(40);

/** A body of the API. */
export type Json = Readonly<Record<string, unknown>>;

/**
 * What the Hub says of a repository at a commit.
 *
 * @param expand fields to be returned beside the ids; none for all
 * @param blobs whether files come with sizes and digests
 */
export function infoJson(
  { type, id, repoId }: ServedRepo,
  { rev, license, files }: ServedCommit,
  { expand, blobs }: { readonly expand: readonly string[]; readonly blobs: boolean },
): Json {
  const [author = '', name] = id.split('/');
  const ids = { ...(repoId === undefined ? {} : { _id: repoId }), id };
  const info: Json = {
    ...ids,
    ...(type === 'model' ? { modelId: id } : {}),
    ...(name === undefined ? {} : { author }),
    sha: rev,
    private: false,
    gated: false,
    disabled: false,
    tags: license.map((each) => `license:${each}`),
    ...(license.length === 0 ? {} : { cardData: { license } }),
    siblings: [...files.values()].map((file) => siblingJson(file, blobs)),
  };
  if (expand.length === 0) return info;
  const wanted = new Set(expand);
  return { ...ids, ...Object.fromEntries(Object.entries(info).filter(([key]) => wanted.has(key))) };
}

/** The branches, tags and pull requests of a repository that are locked. */
export function refsJson({ refs }: ServedRepo, withPullRequests: boolean): Json {
  const branches: Json[] = [];
  const tags: Json[] = [];
  const converts: Json[] = [];
  const pullRequests: Json[] = [];
  for (const [ref, { rev, isTag }] of refs) {
    const [, kind, name = ''] = /^refs\/(convert|pr)\/(.+)$/u.exec(ref) ?? [];
    if (kind === 'convert') converts.push({ name, ref, targetCommit: rev });
    else if (kind === 'pr') pullRequests.push({ name, ref, targetCommit: rev });
    else if (isTag) tags.push({ name: ref, ref: `refs/tags/${ref}`, targetCommit: rev });
    else branches.push({ name: ref, ref: `refs/heads/${ref}`, targetCommit: rev });
  }
  return { tags, branches, converts, ...(withPullRequests ? { pullRequests } : {}) };
}

/**
 * The entries of a folder, folders first.
 *
 * @param folder its path; empty for the root
 * @returns `undefined` when there is no such folder
 */
export function treeJson(
  { files, folders }: ServedCommit,
  folder: string,
  isRecursive: boolean,
): Json[] | undefined {
  if (folder !== '' && !folders.has(folder)) return undefined;
  const prefix = folder === '' ? '' : `${folder}/`;
  const isListed = (path: string) =>
    path.startsWith(prefix) && (isRecursive || !path.includes('/', prefix.length));
  return [
    ...[...folders].filter(isListed).map(folderJson),
    ...[...files.values()].filter(({ path }) => isListed(path)).map(fileJson),
  ];
}

/** The entries of some paths; those that are missing are left out, as the Hub does. */
export function pathsJson(commit: ServedCommit, paths: readonly string[]): Json[] {
  return paths.flatMap((path) => {
    const file = commit.files.get(path);
    if (file !== undefined) return [fileJson(file)];
    return commit.folders.has(path) ? [folderJson(path)] : [];
  });
}

const folderJson = (path: string): Json => ({
  type: 'directory',
  oid: UNKNOWN_FOLDER_ID,
  size: 0,
  path,
});

function fileJson({ path, size, oid, isLfs, digest }: RepoFile): Json {
  const lfs = { oid: digest.hex, size, pointerSize: pointerSizeOf(digest.hex, size) };
  return { type: 'file', oid, size, ...(isLfs ? { lfs } : {}), path };
}

/** The tree says `lfs.oid` where a sibling says `lfs.sha256`. */
function siblingJson({ path, size, oid, isLfs, digest }: RepoFile, blobs: boolean): Json {
  if (!blobs) return { rfilename: path };
  const lfs = { sha256: digest.hex, size, pointerSize: pointerSizeOf(digest.hex, size) };
  return { rfilename: path, size, blobId: oid, ...(isLfs ? { lfs } : {}) };
}
