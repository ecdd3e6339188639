import type { RepoFile } from '../copy/blob.ts';
import { blobNameOf } from '../cache/layout.ts';
import { isSha256Hex } from '../digest.ts';
import { DEFAULT_REF, type RepoType } from '../repo.ts';
import type { Catalog, ServedCommit, ServedRepo } from './catalog.ts';
import { infoJson, pathsJson, refsJson, treeJson } from './hub-json.ts';

/** A request, as far as it decides the answer. */
export interface Request {
  readonly method: string;
  /** Path and query as they were sent; each character is a byte. */
  readonly target: string;
  /** Address of this server as the client knows it, for links. */
  readonly origin: string;
  /** Text of the body, in a form or JSON. */
  readonly body: string;
}

/** What is to be answered. */
export type Answer =
  | { readonly kind: 'json'; readonly value: unknown; readonly headers: Headers }
  | { readonly kind: 'file'; readonly file: RepoFile; readonly etag: string; headers: Headers }
  | Refusal;

/** An error, in the form of the Hub. */
interface Refusal {
  readonly kind: 'refusal';
  readonly status: number;
  readonly message: string;
  readonly headers: Headers;
  /** Whether the body is JSON, as of the API. */
  readonly isJson: boolean;
}

type Headers = Readonly<Record<string, string>>;

/** Entries of a tree on a page; nix-hug takes 8 MiB, and a path has 4 kB at most. */
const PAGE = 2_000;

/** The Hub's own limit for one request. */
const MAX_PATHS = 2_000;

/**
 * The answer to a request: from what a lock names, never from a network. No path of a request leads to
 * a file: paths are keys of the catalog.
 */
export function route(catalog: Catalog, request: Request): Answer {
  const { method, target } = request;
  const [path = '', query = ''] = splitOnce(target, '?');
  if (!path.startsWith('/')) return refusal(400, 'the path does not begin with a slash');
  const segments = decoded(path.slice(1).split('/'));
  if (segments === undefined) return refusal(400, 'the path is not percent-encoded UTF-8');
  const [first = '', second = '', ...rest] = segments;
  const type = TYPES.get(second);
  if (first === 'api' && type !== undefined && (isRead(method) || method === 'POST')) {
    return answerApi(catalog, type, rest, new URLSearchParams(query), request);
  }
  if (!isRead(method)) return notAllowed('GET, HEAD');
  if (first === 'sha256' && segments.length === 2) return answerContent(catalog, second);
  return first === 'datasets'
    ? answerResolve(catalog, 'dataset', segments.slice(1))
    : answerResolve(catalog, 'model', segments);
}

const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD';

const TYPES: ReadonlyMap<string, RepoType> = new Map([
  ['models', 'model'],
  ['datasets', 'dataset'],
]);

/** `/sha256/HEX`, which Nix asks a hashed mirror for. */
function answerContent({ contents }: Catalog, hex: string): Answer {
  const file = isSha256Hex(hex) ? contents.get(hex) : undefined;
  return file === undefined ? notServed() : { kind: 'file', file, etag: hex, headers: {} };
}

/** `/ID/resolve/REVISION/PATH`. */
function answerResolve(catalog: Catalog, type: RepoType, segments: readonly string[]): Answer {
  const length = [2, 1].find((each) => segments[each] === 'resolve');
  if (length === undefined) return notServed();
  const repo = catalog.repo(type, segments.slice(0, length).join('/'));
  if (repo === undefined) return repoMissing(false);
  const found = commitAt(repo, segments.slice(length + 1));
  if (found === undefined) return revisionMissing(segments[length + 1], false);
  const { commit, path } = found;
  const file = commit.files.get(path);
  const ofCommit = { 'X-Repo-Commit': commit.rev };
  if (file === undefined) {
    // A client remembers that a file of a commit does not exist; of a part, nobody here knows.
    return entryMissing('Entry not found', false, commit.isWhole ? ofCommit : {});
  }
  return { kind: 'file', file, etag: blobNameOf(file).hex, headers: ofCommit };
}

/** `/api/TYPE/ID`, and what is below it. */
function answerApi(
  catalog: Catalog,
  type: RepoType,
  segments: readonly string[],
  query: URLSearchParams,
  request: Request,
): Answer {
  const length = [2, 1].find((each) => catalog.repo(type, idOf(segments, each)) !== undefined);
  const repo = length === undefined ? undefined : catalog.repo(type, idOf(segments, length));
  if (length === undefined || repo === undefined) return repoMissing(true);
  const [verb, ...rest] = segments.slice(length);
  const isAsked = verb === 'paths-info' ? request.method === 'POST' : isRead(request.method);
  if (!isAsked) return notAllowed(verb === 'paths-info' ? 'POST' : 'GET, HEAD');
  if (verb === 'refs' && rest.length === 0) {
    return json(refsJson(repo, isOn(query.get('include_prs'))));
  }
  const asked = verb === undefined ? [DEFAULT_REF] : rest;
  if (verb !== undefined && !['revision', 'tree', 'paths-info'].includes(verb)) return notServed();
  const found = commitAt(repo, asked);
  if (found === undefined) return revisionMissing(asked.join('/'), true);
  const { commit, path, revision } = found;
  if (verb === 'tree') return answerTree(commit, path, revision, query, request);
  if (path !== '') return revisionMissing(asked.join('/'), true);
  if (verb === 'paths-info') return answerPaths(commit, request.body);
  const expand = [...query.getAll('expand'), ...query.getAll('expand[]')];
  return json(infoJson(repo, commit, { expand, blobs: isOn(query.get('blobs')) }));
}

const idOf = (segments: readonly string[], length: number): string =>
  segments.slice(0, length).join('/');

function answerTree(
  commit: ServedCommit,
  folder: string,
  revision: string,
  query: URLSearchParams,
  { origin, target }: Request,
): Answer {
  const entries = treeJson(commit, folder, isOn(query.get('recursive')));
  if (entries === undefined) {
    return entryMissing(`${folder} does not exist on "${revision}"`, true);
  }
  const start = numberIn(query.get('cursor')) ?? 0;
  const end = start + Math.min(PAGE, Math.max(1, numberIn(query.get('limit')) ?? PAGE));
  if (end >= entries.length) return json(entries.slice(start));
  const next = new URLSearchParams(query);
  next.set('cursor', String(end));
  const [path = ''] = splitOnce(target, '?');
  return json(entries.slice(start, end), {
    Link: `<${origin}${path}?${next.toString()}>; rel="next"`,
  });
}

/** The paths of the body: a form of the Python client, or JSON of the JavaScript one. */
function answerPaths(commit: ServedCommit, body: string): Answer {
  const paths = body.trimStart().startsWith('{')
    ? pathsInJson(body)
    : new URLSearchParams(body).getAll('paths');
  if (paths === undefined) return refusal(400, 'the body has no list of paths', true);
  if (paths.length > MAX_PATHS) return refusal(400, `more than ${MAX_PATHS} paths`, true);
  return json(pathsJson(commit, paths));
}

function pathsInJson(body: string): string[] | undefined {
  try {
    const { paths }: { paths?: unknown } = JSON.parse(body);
    if (!Array.isArray(paths)) return undefined;
    return paths.filter((path): path is string => typeof path === 'string');
  } catch {
    return undefined;
  }
}

/**
 * The commit that the first segments name, and the path in the others. A ref may have slashes, encoded
 * or not; one that begins with another is tried first.
 */
function commitAt(
  { commits, refs }: ServedRepo,
  segments: readonly string[],
): { commit: ServedCommit; revision: string; path: string } | undefined {
  const depth = Math.max(1, ...[...refs.keys()].map((ref) => ref.split('/').length));
  for (let length = Math.min(segments.length, depth); length > 0; length -= 1) {
    const revision = segments.slice(0, length).join('/');
    const commit = commits.get(refs.get(revision)?.rev ?? revision);
    if (commit !== undefined) return { commit, revision, path: segments.slice(length).join('/') };
  }
  return undefined;
}

/** Segments without their percent-encoding; some clients send UTF-8 as it is. */
function decoded(segments: readonly string[]): string[] | undefined {
  try {
    return segments.map((segment) =>
      decodeURIComponent(UTF8.decode(Buffer.from(segment, 'latin1'))),
    );
  } catch {
    return undefined;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

const numberIn = (text: string | null): number | undefined =>
  text !== null && /^\d{1,9}$/u.test(text) ? Number(text) : undefined;

/** As clients write it: `True`, `true`, `1`. */
const isOn = (text: string | null): boolean => /^(?:true|1)$/iu.test(text ?? '');

const json = (value: unknown, headers: Headers = {}): Answer => ({ kind: 'json', value, headers });

const refusal = (
  status: number,
  message: string,
  isJson = false,
  headers: Headers = {},
): Refusal => ({ kind: 'refusal', status, message, headers, isJson });

/** An error whose meaning clients read from its code. */
const coded = (code: string, message: string, isJson: boolean, headers: Headers = {}): Refusal => {
  // What a header can hold.
  const text = message.replace(/[^ -~]/gu, '?');
  const said = { 'X-Error-Message': text, 'X-Error-Code': code };
  return refusal(404, message, isJson, { ...said, ...headers });
};

const repoMissing = (isJson: boolean): Refusal =>
  coded('RepoNotFound', 'Repository not found', isJson);

const revisionMissing = (revision: string | undefined, isJson: boolean): Refusal =>
  coded('RevisionNotFound', `Invalid rev id: ${revision ?? ''}`, isJson);

/** The error for a file or folder that is not served. */
export const entryMissing = (message: string, isJson: boolean, headers?: Headers): Refusal =>
  coded('EntryNotFound', message, isJson, headers);

const notServed = (): Refusal => refusal(404, 'not served');

const notAllowed = (allow: string): Refusal =>
  refusal(405, `only ${allow}`, false, { Allow: allow });
