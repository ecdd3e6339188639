import { type Digests, digestStream, isGitId, sriOfHex } from '../digest.ts';
import { HugError } from '../errors.ts';
import { type RepoType, isRepoId } from '../repo.ts';
import { encodePath, encodeSegment, repoPage } from '../address.ts';
import { type Subject, checkedReply, gatedError, invalidReply, nameOf } from './errors.ts';
import type { Http } from './http.ts';
import { type DatedCommit, type History, readHistory, searchHistory } from './history.ts';
import { readStatus, type RepoStatus } from './status.ts';
import { type TreeFile, type TreePin, pinTree, readTree } from './tree.ts';
import * as v from 'valibot';

/**
 * Address of a file's content at a commit.
 *
 * @param file its path, percent-encoded
 */
export function resolveUrl(
  endpoint: string,
  type: RepoType,
  id: string,
  rev: string,
  file: string,
): string {
  return `${repoPage(endpoint, type, id)}/resolve/${rev}/${file}`;
}

/** A repository at one commit. */
export interface Revision {
  /** Id the Hub answers with, after its redirects. */
  readonly id: string;
  /** Commit, 40 hex digits. */
  readonly rev: string;
  /** The Hub's own name of the repository, 24 hex digits, which a rename keeps; some mirrors send none. */
  readonly repoId?: string;
}

/** The content of a file, checked. */
export interface FileContent {
  /** SHA-256 in SRI form. */
  readonly hash: string;
  readonly bytes: Uint8Array;
}

/** Requests to a Hub. All methods throw the errors of `Http`. */
export interface HubApi {
  /** Address of the Hub, without a trailing slash. */
  readonly endpoint: string;
  /**
   * Resolves a branch, tag, `refs/pr/N` or commit.
   *
   * @throws HugError `EHUG_REVISION_NOT_FOUND`, `EHUG_REPO_NOT_FOUND`
   */
  revision(type: RepoType, id: string, ref: string): Promise<Revision>;
  /** What the Hub says of a repository and of its own scans, at a commit; see `readStatus`. */
  status(type: RepoType, id: string, rev: string): Promise<RepoStatus>;
  /**
   * Asks for the first byte of a file.
   *
   * @throws HugError that of the refusal, such as `EHUG_GATED`
   */
  probe(type: RepoType, id: string, rev: string, path: string): Promise<void>;
  /** Names of all tags. */
  tags(type: RepoType, id: string): Promise<string[]>;
  /**
   * The first page of the history of a commit.
   *
   * @throws HugError `EHUG_REVISION_NOT_FOUND` when the Hub has lost the commit
   */
  history(type: RepoType, id: string, rev: string): Promise<History>;
  /**
   * The newest commit of a history that was made at a date or before; `undefined` when none was.
   *
   * @param latest ISO 8601 in UTC
   */
  commitUpTo(
    type: RepoType,
    id: string,
    rev: string,
    latest: string,
  ): Promise<DatedCommit | undefined>;
  /**
   * All files at a commit, from all pages; every path is safe and unique.
   *
   * @throws HugError `EHUG_UNSAFE_PATH`; `EHUG_PROTOCOL` when the pages contradict each other
   */
  tree(type: RepoType, id: string, rev: string): Promise<TreeFile[]>;
  /** The hash that pins a whole tree for Nix, which requests one page without a token. */
  treePin(type: RepoType, id: string, rev: string): Promise<TreePin>;
  /**
   * Downloads a plain git file and returns its SHA-256 in SRI form.
   *
   * @throws HugError `EHUG_INTEGRITY` when size or git blob id differ from the tree's
   */
  hashOf(type: RepoType, id: string, rev: string, file: TreeFile): Promise<string>;
  /**
   * Downloads a small file as a whole; the caller has seen that its size is small.
   *
   * @throws HugError `EHUG_INTEGRITY` when its bytes differ from what the tree says
   */
  contentOf(type: RepoType, id: string, rev: string, file: TreeFile): Promise<FileContent>;
  /** The error for a repository whose digests are masked. */
  gated(type: RepoType, id: string): HugError;
  /** Closes all connections. */
  close(): Promise<void>;
}

const gitId = v.pipe(v.string(), v.check(isGitId, 'is not a git id'));

const revisionSchema = v.object({
  id: v.pipe(v.string(), v.check(isRepoId, 'is not a repository id')),
  sha: gitId,
  _id: v.exactOptional(v.unknown()),
});

/** An ObjectId of MongoDB. */
const REPO_ID = /^[0-9a-f]{24}$/u;

const refsSchema = v.object({ tags: v.array(v.object({ name: v.string() })) });

/** Largest list of refs, in bytes. */
const MAX_LIST_BYTES = 1024 * 1024;
/** Largest response about a revision, in bytes: it names every file, and huggingface_hub expects 50,000. */
const MAX_REVISION_BYTES = 8 * MAX_LIST_BYTES;

/**
 * The typed endpoints over an HTTP client.
 *
 * @param warn told what a list of files has beside files
 */
export function createHubApi(http: Http, warn: (line: string) => void = () => undefined): HubApi {
  /**
   * Downloads a file and compares it with the tree.
   *
   * @param tap sees each chunk; called again for each try
   */
  async function downloaded(
    type: RepoType,
    id: string,
    rev: string,
    file: TreeFile,
    tap: (body: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array> = (body) => body,
  ): Promise<Digests> {
    const subject = { type, id, ref: rev, path: file.path, isKnown: true };
    const url = resolveUrl(http.endpoint, type, id, rev, encodePath(file.path));
    const digests = await http.download(url, subject, (body) =>
      digestStream(tap(atMost(body, file.size)), file.size),
    );
    assertSame(file, digests, subject);
    return digests;
  }

  const api = (type: RepoType, id: string) => `${http.endpoint}/api/${type}s/${id}`;
  const atKnown = (type: RepoType, id: string, ref: string) => ({ type, id, ref, isKnown: true });

  return {
    endpoint: http.endpoint,
    async revision(type, id, ref) {
      const subject = { type, id, ref };
      const url = `${api(type, id)}/revision/${encodeSegment(ref)}`;
      const { body } = await http.json(url, subject, MAX_REVISION_BYTES);
      const { id: newId, sha, _id: repoId } = checkedReply(revisionSchema, body, subject);
      if (isGitId(ref) && sha !== ref) throw invalidReply(subject, `it is for commit ${sha}`);
      const hasRepoId = typeof repoId === 'string' && REPO_ID.test(repoId);
      return { id: newId, rev: sha, ...(hasRepoId ? { repoId } : {}) };
    },
    status: (type, id, rev) => readStatus(http, api(type, id), { type, id, ref: rev }),
    async probe(type, id, rev, path) {
      const url = resolveUrl(http.endpoint, type, id, rev, encodePath(path));
      await http.range({
        subject: { type, id, ref: rev, path, isKnown: true },
        signal: new AbortController().signal,
        next: () => ({ url, range: 'bytes=0-0' }),
        consume: async () => undefined,
      });
    },
    async tags(type, id) {
      const subject = { type, id, isKnown: true };
      const { body } = await http
        .json(`${api(type, id)}/refs`, subject, MAX_LIST_BYTES)
        .catch(async (error: unknown) => {
          // No other response has shown yet that there is such a repository.
          if (error instanceof HugError && error.code === 'EHUG_NOT_SERVED') {
            await this.revision(type, id, 'main');
          }
          throw error;
        });
      return checkedReply(refsSchema, body, subject).tags.map((tag) => tag.name);
    },
    history: (type, id, rev) => readHistory(http, api(type, id), atKnown(type, id, rev)),
    commitUpTo: (type, id, rev, latest) =>
      searchHistory(http, api(type, id), atKnown(type, id, rev), latest),
    tree(type, id, rev) {
      const firstPage = `${api(type, id)}/tree/${rev}?recursive=true&expand=false`;
      return readTree(http, firstPage, { type, id, ref: rev, isKnown: true }, warn);
    },
    treePin(type, id, rev) {
      const address = `${api(type, id)}/tree/${rev}?recursive=true`;
      return pinTree(http, address, { type, id, ref: rev });
    },
    hashOf: async (...file) => (await downloaded(...file)).hash,
    async contentOf(...file) {
      let chunks: Uint8Array[] = [];
      const { hash } = await downloaded(...file, (body) => {
        chunks = [];
        return keeping(body, chunks);
      });
      return { hash, bytes: Buffer.concat(chunks) };
    },
    gated: (type, id) => gatedError({ type, id }, http),
    close: () => http.close(),
  };
}

/** Ends a body that is too long with the first chunk over the limit. */
async function* atMost(body: AsyncIterable<Uint8Array>, maxBytes: number) {
  let seen = 0;
  for await (const chunk of body) {
    seen += chunk.length;
    yield chunk;
    if (seen > maxBytes) return;
  }
}

/** Passes a body on, and keeps its chunks. */
async function* keeping(body: AsyncIterable<Uint8Array>, chunks: Uint8Array[]) {
  for await (const chunk of body) {
    chunks.push(chunk);
    yield chunk;
  }
}

function assertSame(file: TreeFile, got: Digests, subject: Subject): void {
  const where = nameOf(subject);
  const { size, lfs } = file;
  const [digest, found, expected] =
    lfs === undefined || lfs === 'masked'
      ? ['git blob id', got.oid, file.oid]
      : ['SHA-256', got.hash, sriOfHex(lfs.sha256)];
  if (got.size === size && found === expected) return;
  throw new HugError(
    'EHUG_INTEGRITY',
    got.size === size
      ? `${where} has the ${digest} ${found}, expected ${expected}`
      : `${where} has ${got.size > file.size ? 'more than ' : `${got.size} of `}${file.size} bytes`,
    { hint: 'Nothing was stored. Run it again; if it stays, the mirror or proxy alters files.' },
  );
}

/**
 * A Hub that sends each request once and remembers the response, an error too. Entries of one
 * repository then agree on its commits, even when a branch moves while a command runs; a cache could
 * not hold both.
 */
export function memoizeHub(hub: HubApi): HubApi {
  return {
    ...hub,
    revision: memoize((...key: Parameters<HubApi['revision']>) => hub.revision(...key)),
    status: memoize((...key: Parameters<HubApi['status']>) => hub.status(...key)),
    probe: memoize((...key: Parameters<HubApi['probe']>) => hub.probe(...key)),
    tags: memoize((...key: Parameters<HubApi['tags']>) => hub.tags(...key)),
    commitUpTo: memoize((...key: Parameters<HubApi['commitUpTo']>) => hub.commitUpTo(...key)),
    history: memoize((...key: Parameters<HubApi['history']>) => hub.history(...key)),
    tree: memoize((...key: Parameters<HubApi['tree']>) => hub.tree(...key)),
  };
}

function memoize<A extends readonly string[], T>(
  run: (...args: A) => Promise<T>,
): (...args: A) => Promise<T> {
  const results = new Map<string, Promise<T>>();
  return (...args) => {
    const key = JSON.stringify(args);
    const result = results.get(key) ?? run(...args);
    results.set(key, result);
    return result;
  };
}
