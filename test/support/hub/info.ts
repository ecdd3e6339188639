import { type Context, isOn, nextLink, shownDigest, targetOf } from './context.ts';
import { badRequest, revisionMissing } from './refusals.ts';
import { json, type Reply } from './reply.ts';
import type { Commit, Ref, Repository, TreeEntry } from './repository.ts';

/** Commits on a page when the request does not say. */
const COMMITS_PAGE = 50;
const MAX_COMMITS = 1000;
const DEFAULT_BRANCH = 'main';

/** `GET {id}` and `GET {id}/revision/{revision}`. */
export async function answerInfo(context: Context): Promise<Reply> {
  const { repo, request, rest } = context;
  const revision = rest.length === 0 ? DEFAULT_BRANCH : rest.join('/');
  const commit = repo.resolve(revision);
  if (commit === undefined) throw revisionMissing(revision);
  const { query } = request;
  const blobs = isOn(query.get('blobs'));
  const securityStatus = isOn(query.get('securityStatus'));
  const fields = [...query.getAll('expand'), ...query.getAll('expand[]')];
  if (fields.length > 0 && (blobs || securityStatus)) {
    throw badRequest('expand cannot be mixed with blobs or securityStatus');
  }
  const files = [...(await repo.tree(commit)).values()].filter(({ type }) => type === 'file');
  const siblings = files.map((file) => sibling(context, file, blobs));
  const info = {
    ...(repo.type === 'model'
      ? modelInfo(repo, commit, siblings)
      : datasetInfo(repo, commit, siblings)),
    ...(securityStatus ? { securityRepoStatus: repo.scan } : {}),
  };
  return json(fields.length === 0 ? info : pick(info, ['_id', 'id', ...fields]));
}

/** `GET {id}/refs`. An annotated tag's target is the tag object, not the commit. */
export function answerRefs({ repo, request }: Context): Reply {
  const refs = repo.refs();
  return json({
    tags: named(refs, 'refs/tags/'),
    branches: named(refs, 'refs/heads/'),
    converts: named(refs, 'refs/convert/'),
    ...(isOn(request.query.get('include_prs')) ? { pullRequests: named(refs, 'refs/pr/') } : {}),
  });
}

/** `GET {id}/commits/{revision}`: a page of the history, newest first. */
export function answerCommits(context: Context): Reply {
  const { request, options } = context;
  const history = historyOf(targetOf(context).commit);
  const most = Math.min(MAX_COMMITS, options.pageSize);
  const limit = Math.min(Number(request.query.get('limit') ?? COMMITS_PAGE), most);
  const page = Number(request.query.get('p') ?? 0);
  const end = (page + 1) * limit;
  const next = { p: String(page + 1), limit: String(limit) };
  return json(
    history.slice(page * limit, end).map(({ id, title, message, date }) => ({
      id,
      title,
      message,
      authors: [{ user: 'hub', avatar: '/avatars/hub.svg' }],
      date: date.toISOString(),
    })),
    {
      'X-Total-Count': String(history.length),
      ...(end < history.length ? { Link: nextLink(request, next) } : {}),
    },
  );
}

/** `GET /api/whoami-v2` of a known token. */
export function answerWhoAmI(): Reply {
  return json({
    type: 'user',
    id: '0'.repeat(24),
    name: 'tester',
    fullname: 'Test User',
    email: 'tester@example.invalid',
    emailVerified: true,
    canPay: false,
    billingMode: 'prepaid',
    periodEnd: null,
    isPro: false,
    avatarUrl: '/avatars/tester.svg',
    orgs: [],
    auth: {
      type: 'access_token',
      accessToken: { displayName: 'test', role: 'read', createdAt: '2024-01-01T00:00:00.000Z' },
    },
  });
}

function modelInfo(repo: Repository, commit: Commit, siblings: readonly object[]): object {
  return {
    _id: repo.internalId,
    id: repo.id,
    private: repo.private,
    tags: tagsOf(repo),
    downloads: 0,
    likes: 0,
    modelId: repo.id,
    ...authorOf(repo),
    sha: commit.id,
    lastModified: commit.date.toISOString(),
    gated: repo.gated,
    disabled: repo.disabled,
    'model-index': null,
    config: {},
    ...cardOf(repo),
    siblings,
    spaces: [],
    createdAt: createdAt(commit),
    usedStorage: repo.usedStorage,
  };
}

function datasetInfo(repo: Repository, commit: Commit, siblings: readonly object[]): object {
  return {
    _id: repo.internalId,
    id: repo.id,
    ...authorOf(repo),
    sha: commit.id,
    lastModified: commit.date.toISOString(),
    private: repo.private,
    gated: repo.gated,
    disabled: repo.disabled,
    tags: tagsOf(repo),
    ...cardOf(repo),
    downloads: 0,
    likes: 0,
    siblings,
    createdAt: createdAt(commit),
    usedStorage: repo.usedStorage,
  };
}

/** The tree says `lfs.oid` where a sibling says `lfs.sha256`. */
function sibling(context: Context, { path, oid, size, lfs }: TreeEntry, blobs: boolean): object {
  if (!blobs) return { rfilename: path };
  return {
    rfilename: path,
    size,
    blobId: oid,
    ...(lfs === undefined
      ? {}
      : { lfs: { sha256: shownDigest(context, lfs), size, pointerSize: lfs.pointer.length } }),
  };
}

/** The licence of a card is a text or a list of texts. */
function tagsOf({ cardData }: Repository): string[] {
  const licenses = [cardData?.license ?? []].flat().map((license) => `license:${license}`);
  return [...licenses, 'region:us'];
}

function authorOf({ id }: Repository): { author?: string } {
  const [author = '', name] = id.split('/');
  return name === undefined ? {} : { author };
}

const cardOf = ({ cardData }: Repository): object => (cardData === undefined ? {} : { cardData });

const createdAt = (commit: Commit): string => historyOf(commit).at(-1)?.date.toISOString() ?? '';

/** A commit and all before it, newest first. */
function historyOf(newest: Commit): Commit[] {
  const history: Commit[] = [];
  for (let commit: Commit | undefined = newest; commit !== undefined; commit = commit.parent) {
    history.push(commit);
  }
  return history;
}

function named(refs: readonly Ref[], prefix: string): object[] {
  return refs
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name, target }) => ({
      name: name.slice(prefix.length),
      ref: name,
      targetCommit: target,
    }));
}

const pick = (object: object, keys: readonly string[]): object =>
  Object.fromEntries(Object.entries(object).filter(([key]) => keys.includes(key)));
