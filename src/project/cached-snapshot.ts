import type { CachedRevision } from '../cache/scan-repo.ts';
import type { CacheScan } from '../cache/scan.ts';
import { type ErrorCode, HugError } from '../errors.ts';
import type { HubApi } from '../hub/api.ts';
import { isGitId } from '../digest.ts';
import { quote } from '../quote.ts';
import { DEFAULT_REF, type RepoType } from '../repo.ts';
import type { RepoRequest } from './arguments.ts';
import { resolveRepo } from './repository.ts';
import { type ImportableRepo, isImportable } from './cached-entry.ts';

/** A repository of the cache at one commit. */
export interface CachedSnapshot {
  readonly repo: ImportableRepo;
  readonly revision: CachedRevision;
}

/** What is wanted, with what the Hub says of it. */
interface Known extends RepoRequest {
  readonly type: RepoType;
  /** The commit that the ref means now; `undefined` when the Hub has no such ref. */
  readonly rev: string | undefined;
}

/** The Hub does not have it, or does not tell. */
const ABSENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'EHUG_REPO_NOT_FOUND',
  'EHUG_REVISION_NOT_FOUND',
]);

/**
 * Finds the snapshot that is meant: under the id that the user knows, else under the one that the
 * Hub answers with, else of the commit that the Hub names, under any id.
 *
 * @param hub `undefined` when there is no network
 * @throws HugError `EHUG_NOT_CACHED`, `EHUG_REPO_AMBIGUOUS`; those of the Hub client
 */
export async function findSnapshot(
  scan: CacheScan,
  wanted: RepoRequest,
  hub: HubApi | undefined,
): Promise<CachedSnapshot> {
  const found = snapshotIn(scan, wanted);
  if (found !== undefined) return found;
  const known = hub === undefined ? undefined : await asTheHubKnowsIt(hub, wanted);
  const other = known && (snapshotIn(scan, known) ?? snapshotOf(scan, known));
  if (other !== undefined) return other;
  const repo = repoIn(scan, wanted) ?? (known && repoIn(scan, known));
  throw notCached(
    repo === undefined
      ? `the Hugging Face cache has no ${wanted.type ?? 'repository'} ${wanted.id}`
      : `the Hugging Face cache has ${repo.type} ${repo.id} not at ${quote(wanted.ref)}`,
  );
}

function snapshotIn(scan: CacheScan, wanted: RepoRequest): CachedSnapshot | undefined {
  const { ref } = wanted;
  const repo = repoIn(scan, wanted);
  const revision = repo?.revisions.find(({ rev, refs }) => rev === ref || refs.includes(ref));
  return repo === undefined || revision === undefined ? undefined : { repo, revision };
}

function repoIn({ repos }: CacheScan, { type, id }: RepoRequest): ImportableRepo | undefined {
  const [repo, other] = repos
    .filter(isImportable)
    .filter((each) => each.id === id && (type === undefined || each.type === type));
  if (other === undefined) return repo;
  throw new HugError('EHUG_REPO_AMBIGUOUS', `the cache has ${id} as a model and as a dataset`, {
    hint: `Write hf:${id} or hf-datasets:${id}.`,
  });
}

/** A commit says which files there are, whatever the repository was called when it was cached. */
function snapshotOf({ repos }: CacheScan, { type, rev }: Known): CachedSnapshot | undefined {
  for (const repo of repos.filter(isImportable)) {
    const revision = repo.revisions.find((each) => each.rev === rev);
    if (repo.type === type && revision !== undefined) return { repo, revision };
  }
  return undefined;
}

/**
 * Asks the Hub for the id and the commit. A ref that the cache has may be gone from there; the id is
 * the same at any.
 */
async function asTheHubKnowsIt(hub: HubApi, wanted: RepoRequest): Promise<Known | undefined> {
  const { ref } = wanted;
  const main = await foundOrNone(resolveRepo(hub, { ...wanted, ref: DEFAULT_REF }));
  if (main === undefined) return undefined;
  const { type, at } = main;
  const meant = isGitId(ref) ? { rev: ref } : await foundOrNone(hub.revision(type, at.id, ref));
  return { ...wanted, type, id: at.id, rev: meant?.rev };
}

/** What the Hub answers; `undefined` when it does not have it. */
async function foundOrNone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof HugError && ABSENT.has(error.code)) return undefined;
    throw error;
  }
}

const notCached = (message: string): HugError =>
  new HugError('EHUG_NOT_CACHED', message, {
    hint: 'nix-hug scan shows what it has; nix-hug fetch downloads the rest.',
  });
