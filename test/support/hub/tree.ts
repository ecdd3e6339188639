import { createHash } from 'node:crypto';
import { type Context, isOn, nextLink, shownDigest, targetOf } from './context.ts';
import { badRequest, entryMissing } from './refusals.ts';
import { json, type Reply } from './reply.ts';
import type { Commit, Repository, Tree, TreeEntry } from './repository.ts';

/** Most entries on a page whose entries are expanded. */
const EXPANDED_PAGE = 50;
const MAX_PATHS = 2000;

/** `GET /tree/{revision}[/{path}]`: one page of a folder. */
export async function answerTree(context: Context): Promise<Reply> {
  const { repo, request, options } = context;
  const { commit, revision, path } = targetOf(context);
  const tree = await repo.tree(commit);
  if (path !== '' && tree.get(path)?.type !== 'directory') {
    throw entryMissing(`${path} does not exist on "${revision}"`);
  }
  const recursive = isOn(request.query.get('recursive'));
  const entries = ordered(under(tree, path, recursive), options.treeOrder);
  const expand = isOn(request.query.get('expand'));
  const most = expand ? Math.min(EXPANDED_PAGE, options.pageSize) : options.pageSize;
  const limit = Math.min(Number(request.query.get('limit') ?? most), most);
  const start = offsetOf(request.query.get('cursor'));
  const end = start + limit;
  const page = await Promise.all(
    entries.slice(start, end).map((entry) => wireEntry(context, commit, entry, expand)),
  );
  return json(page, end < entries.length ? { Link: nextLink(request, cursorAt(end)) } : {});
}

/** `POST /paths-info/{revision}`: the entries of given paths, without the missing ones. */
export async function answerPathsInfo(context: Context): Promise<Reply> {
  const { commit } = targetOf(context);
  const { paths, expand } = pathsOf(context);
  if (paths.length > MAX_PATHS) throw badRequest(`Too many paths: at most ${MAX_PATHS}`);
  const tree = await context.repo.tree(commit);
  const entries = paths.flatMap((path) => tree.get(path) ?? []);
  return json(await Promise.all(entries.map((entry) => wireEntry(context, commit, entry, expand))));
}

/** `GET /treesize/{revision}[/{path}]`: bytes of all files of a folder. */
export async function answerTreeSize(context: Context): Promise<Reply> {
  const { commit, path } = targetOf(context);
  const entries = under(await context.repo.tree(commit), path, true);
  return json({ path: `/${path}`, size: entries.reduce((sum, { size }) => sum + size, 0) });
}

/** Query parameters that ask for the entries from an offset on. */
export function cursorAt(offset: number, page?: number): { cursor: string } {
  return { cursor: Buffer.from(JSON.stringify({ offset, page })).toString('base64') };
}

function offsetOf(cursor: string | null): number {
  if (cursor === null) return 0;
  try {
    const { offset }: { offset: number } = JSON.parse(Buffer.from(cursor, 'base64').toString());
    return offset;
  } catch {
    throw badRequest('Invalid cursor');
  }
}

/** The entries of a folder, or of everything below it. */
function under(tree: Tree, path: string, recursive: boolean): TreeEntry[] {
  const prefix = path === '' ? '' : `${path}/`;
  return [...tree.values()].filter(
    (entry) =>
      entry.path.startsWith(prefix) && (recursive || !entry.path.includes('/', prefix.length)),
  );
}

function ordered(
  entries: readonly TreeEntry[],
  order: Context['options']['treeOrder'],
): TreeEntry[] {
  if (order === 'shuffled')
    return entries.toSorted(by(({ path }) => createHash('sha1').update(path).digest()));
  const sorted = entries.toSorted(
    by(({ type, path }) => Buffer.from(`${type === 'directory' ? 0 : 1}${path}`)),
  );
  return order === 'reversed' ? sorted.toReversed() : sorted;
}

const by =
  (key: (entry: TreeEntry) => Buffer) =>
  (a: TreeEntry, b: TreeEntry): number =>
    Buffer.compare(key(a), key(b));

async function wireEntry(
  context: Context,
  commit: Commit,
  { type, oid, size, path, lfs }: TreeEntry,
  expand: boolean,
): Promise<object> {
  return {
    type,
    oid,
    size,
    ...(lfs === undefined
      ? {}
      : { lfs: { oid: shownDigest(context, lfs), size, pointerSize: lfs.pointer.length } }),
    path,
    ...(expand
      ? { lastCommit: await lastCommit(context.repo, commit, path), securityFileStatus: SCANNED }
      : {}),
    ...context.options.extraTreeField,
  };
}

const SCANNED = {
  status: 'safe',
  protectAiScan: { status: 'unscanned' },
  avScan: { status: 'safe', message: 'No security issues detected' },
  pickleImportScan: { status: 'unscanned', pickleImports: [], version: '0.0.0' },
  virusTotalScan: { status: 'unscanned' },
  jFrogScan: { status: 'unscanned' },
};

/** The newest commit that gave the path the object it has. */
async function lastCommit(repo: Repository, newest: Commit, path: string): Promise<object> {
  const { oid } = (await repo.tree(newest)).get(path) ?? {};
  let commit = newest;
  while (commit.parent !== undefined) {
    const before = (await repo.tree(commit.parent)).get(path);
    if (before?.oid !== oid) break;
    commit = commit.parent;
  }
  return { id: commit.id, title: commit.title, date: commit.date.toISOString() };
}

/** Reads the body of `paths-info`: a form as the Python client sends it, or JSON. */
function pathsOf({ request }: Context): { paths: readonly string[]; expand: boolean } {
  if (request.headers.get('content-type')?.startsWith('application/json') === true) {
    const body: { paths?: string[]; expand?: boolean } = JSON.parse(request.body.toString());
    return { paths: body.paths ?? [], expand: body.expand ?? false };
  }
  const form = new URLSearchParams(request.body.toString());
  return { paths: form.getAll('paths'), expand: isOn(form.get('expand')) };
}
