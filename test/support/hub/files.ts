import { signedAddress } from './cdn.ts';
import { conditional, isFresh, notModified } from './conditions.ts';
import { contentOf } from './content.ts';
import { type Context, isOn, type Target, targetOf } from './context.ts';
import { entryMissing, gated } from './refusals.ts';
import { type Headers, redirect, type Reply } from './reply.ts';
import type { TreeEntry } from './repository.ts';

/** Files of a gated repository that anyone may read, through `/resolve/` only. */
const OPEN_FILES = new Set(['README.md', 'LICENSE', 'LICENSE.md', 'LICENSE.txt']);

const UNAUTHENTICATED_WARNING =
  'unauthenticated; Warning: You are sending unauthenticated requests to the HF Hub.';

/**
 * `/{id}/resolve/{revision}/{path}`. A plain file of a public repository is redirected to the
 * resolve cache, that of a closed one is answered, and an LFS file is redirected to the CDN.
 * Access is refused before anything is said about the revision or the file.
 */
export async function answerResolve(context: Context): Promise<Reply> {
  const { repo, request, rest, cdnOrigin } = context;
  if (!OPEN_FILES.has(rest.slice(1).join('/'))) requireAccess(context);
  const target = targetOf(context);
  const entry = await fileAt(context, target);
  const etag = `"${entry.lfs?.sha256 ?? entry.oid}"`;
  const headers = {
    'X-Repo-Commit': target.commit.id,
    'Accept-Ranges': 'bytes',
    ...(request.headers.has('authorization') ? {} : { 'X-HF-Warning': UNAUTHENTICATED_WARNING }),
  };
  if (isFresh(request, etag)) return notModified({ ...headers, ETag: etag });
  const disposition = dispositionOf(context, entry.path);
  if (entry.lfs !== undefined) {
    return redirect(302, signedAddress(cdnOrigin, repo, entry.lfs, disposition), {
      ...headers,
      'X-Linked-Etag': etag,
      'X-Linked-Size': String(entry.size),
      'Cache-Control': 'no-store',
    });
  }
  if (repo.gated !== false || repo.private) {
    return conditional(request, blobReply(context, entry, headers));
  }
  return redirect(307, resolveCacheAddress(context, target, etag), {
    ...headers,
    'X-Linked-Etag': etag,
    'Content-Disposition': disposition,
  });
}

/** `/api/resolve-cache/{type}/{id}/{commit}/{path}`: a plain file of a commit. */
export async function answerResolveCache(context: Context): Promise<Reply> {
  requireAccess(context);
  const target = targetOf(context);
  const entry = await fileAt(context, target);
  const headers = { 'X-Repo-Commit': target.commit.id, 'Accept-Ranges': 'bytes' };
  return blobReply(context, entry, headers);
}

/** `/{id}/raw/{revision}/{path}`: what git holds; conditions and ranges are ignored. */
export async function answerRaw(context: Context): Promise<Reply> {
  requireAccess(context);
  const target = targetOf(context);
  const entry = await fileAt(context, target);
  return blobReply(context, entry, { 'X-Repo-Commit': target.commit.id });
}

/** @throws Refusal when the caller may not read the content of the repository */
export function requireAccess({ repo, standing }: Context): void {
  if (standing !== 'granted') throw gated(repo, standing);
}

async function fileAt({ repo, request }: Context, { commit, path }: Target): Promise<TreeEntry> {
  const entry = (await repo.tree(commit)).get(path);
  if (entry?.type === 'file') return entry;
  // The commit is told on HEAD only, which is where clients need it to remember the absence.
  throw entryMissing(
    'Entry not found',
    request.method === 'HEAD' ? { 'X-Repo-Commit': commit.id } : {},
  );
}

function blobReply(context: Context, entry: TreeEntry, headers: Headers): Reply {
  return {
    status: 200,
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Disposition': dispositionOf(context, entry.path),
      'Content-Security-Policy': "default-src 'none'; sandbox",
      ETag: `"${entry.oid}"`,
      ...headers,
    },
    body: contentOf(context.repo.blob(entry)),
  };
}

function resolveCacheAddress({ repo, request }: Context, target: Target, etag: string): string {
  const segments = [
    `${repo.type}s`,
    ...repo.id.split('/'),
    target.commit.id,
    ...target.path.split('/'),
  ];
  const path = segments.map(encodeURIComponent).join('/');
  const query = `${encodeURIComponent(request.path)}=&etag=${encodeURIComponent(etag)}`;
  return `/api/resolve-cache/${path}?${query}`;
}

function dispositionOf({ request }: Context, path: string): string {
  const name = path.split('/').at(-1) ?? '';
  const mode = isOn(request.query.get('download')) ? 'attachment' : 'inline';
  const fallback = name.replace(/[^ -~]/gu, '?').replaceAll('"', '%22');
  return `${mode}; filename*=UTF-8''${encodeURIComponent(name)}; filename="${fallback}";`;
}
