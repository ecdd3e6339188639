import { type Digests, digestStream, isGitId } from '../digest.ts';
import { HugError } from '../errors.ts';
import { type RepoType, encodePath, encodeSegment, isRepoId, repoPage } from '../repo.ts';
import { type Subject, checkedReply, gatedError, nameOf, invalidReply } from './errors.ts';
import { type History, readHistory } from './history.ts';
import type { Http } from './http.ts';
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
}

/** What nix-hug asks of a Hub. All methods throw the errors of `Http`. */
export interface HubApi {
  /** Address of the Hub, without a trailing slash. */
  readonly endpoint: string;
  /**
   * Resolves a branch, tag, `refs/pr/N` or commit.
   *
   * @throws HugError `EHUG_REVISION_NOT_FOUND`, `EHUG_REPO_NOT_FOUND`
   */
  revision(type: RepoType, id: string, ref: string): Promise<Revision>;
  /** Names of all tags. */
  tags(type: RepoType, id: string): Promise<string[]>;
  /**
   * The newest commits that lead to a commit, as many as one request tells.
   *
   * @throws HugError `EHUG_REVISION_NOT_FOUND` when the Hub has lost the commit
   */
  history(type: RepoType, id: string, rev: string): Promise<History>;
  /**
   * All files at a commit, from all pages; no path is unsafe, none comes twice.
   *
   * @throws HugError `EHUG_UNSAFE_PATH`; `EHUG_PROTOCOL` when the pages contradict each other
   */
  tree(type: RepoType, id: string, rev: string): Promise<TreeFile[]>;
  /** What pins a whole tree by one hash, for Nix, which asks without a token and for one page. */
  treePin(type: RepoType, id: string, rev: string): Promise<TreePin>;
  /**
   * Downloads a plain git file and returns its SHA-256 in SRI form.
   *
   * @throws HugError `EHUG_INTEGRITY` when size or git blob id differ from the tree's
   */
  hashOf(type: RepoType, id: string, rev: string, file: TreeFile): Promise<string>;
  /** The error that says that this repository's digests are masked for the caller. */
  gated(type: RepoType, id: string): HugError;
  /** Closes all connections. */
  close(): Promise<void>;
}

const revisionSchema = v.object({
  id: v.pipe(v.string(), v.check(isRepoId, 'is not a repository id')),
  sha: v.pipe(v.string(), v.check(isGitId, 'is not a git id')),
});

const refsSchema = v.object({ tags: v.array(v.object({ name: v.string() })) });

/** As many as the official JavaScript client asks for. */
const COMMITS_ON_A_PAGE = 100;

/** The typed endpoints over an HTTP client. */
export function createHubApi(http: Http): HubApi {
  const api = (type: RepoType, id: string) => `${http.endpoint}/api/${type}s/${id}`;

  return {
    endpoint: http.endpoint,
    async revision(type, id, ref) {
      const url = `${api(type, id)}/revision/${encodeSegment(ref)}`;
      const subject = { type, id, ref };
      const { body } = await http.json(url, subject);
      const info = checkedReply(revisionSchema, body, subject);
      if (isGitId(ref) && info.sha !== ref)
        throw invalidReply(subject, `it is at commit ${info.sha}`);
      return { id: info.id, rev: info.sha };
    },
    async tags(type, id) {
      const subject = { type, id };
      const { body } = await http.json(`${api(type, id)}/refs`, subject);
      return checkedReply(refsSchema, body, subject).tags.map((tag) => tag.name);
    },
    history(type, id, rev) {
      const url = `${api(type, id)}/commits/${rev}?limit=${COMMITS_ON_A_PAGE}`;
      return readHistory(http, url, { type, id, ref: rev });
    },
    tree(type, id, rev) {
      const firstPage = `${api(type, id)}/tree/${rev}?recursive=true&expand=false`;
      return readTree(http, firstPage, { type, id, ref: rev });
    },
    treePin(type, id, rev) {
      const address = `${api(type, id)}/tree/${rev}?recursive=true`;
      return pinTree(http, address, { type, id, ref: rev });
    },
    async hashOf(type, id, rev, file) {
      const subject = { type, id, ref: rev, path: file.path };
      const url = resolveUrl(http.endpoint, type, id, rev, encodePath(file.path));
      const digests = await http.download(url, subject, (body) =>
        digestStream(atMost(body, file.size), file.size),
      );
      assertSame(file, digests, subject);
      return digests.hash;
    },
    gated: (type, id) => gatedError({ type, id }, http),
    close: () => http.close(),
  };
}

/** Ends a body that is longer than it may be, one chunk after that is known. */
async function* atMost(body: AsyncIterable<Uint8Array>, most: number) {
  let seen = 0;
  for await (const chunk of body) {
    seen += chunk.length;
    yield chunk;
    if (seen > most) return;
  }
}

function assertSame(file: TreeFile, got: Digests, subject: Subject): void {
  const where = nameOf(subject);
  if (got.size === file.size && got.oid === file.oid) return;
  throw new HugError(
    'EHUG_INTEGRITY',
    got.size === file.size
      ? `${where} has the git blob id ${got.oid}, expected ${file.oid}`
      : `${where} has ${got.size > file.size ? 'more than ' : `${got.size} of `}${file.size} bytes`,
    { hint: 'Nothing was stored. Run it again; if it stays, the mirror or proxy alters files.' },
  );
}

/**
 * A Hub that answers each question memoize. Entries of one repository then agree on its commits, even
 * when a branch moves while a command runs; a cache could not hold both.
 */
export function memoizeHub(hub: HubApi): HubApi {
  return {
    ...hub,
    revision: memoize((...question: Parameters<HubApi['revision']>) => hub.revision(...question)),
    tags: memoize((...question: Parameters<HubApi['tags']>) => hub.tags(...question)),
    history: memoize((...question: Parameters<HubApi['history']>) => hub.history(...question)),
    tree: memoize((...question: Parameters<HubApi['tree']>) => hub.tree(...question)),
  };
}

/** The same function, which remembers its answers, failures too. */
function memoize<A extends readonly string[], T>(
  ask: (...question: A) => Promise<T>,
): (...question: A) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (...question) => {
    const key = JSON.stringify(question);
    const answer = answers.get(key) ?? ask(...question);
    answers.set(key, answer);
    return answer;
  };
}
