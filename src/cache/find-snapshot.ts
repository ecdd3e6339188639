import { HugError } from '../errors.ts';
import type { RepoType } from '../repo.ts';
import type { CachedRepo, CachedRevision } from './scan-repo.ts';
import type { CacheScan } from './scan.ts';

/** A repository that a lock can have; the official client caches spaces and kernels, too. */
type LockableRepo = CachedRepo & { readonly type: RepoType };

const isLockable = (repo: CachedRepo): repo is LockableRepo =>
  repo.type === 'model' || repo.type === 'dataset';

/** A repository of the cache at one commit. */
export interface FoundSnapshot {
  readonly repo: LockableRepo;
  readonly revision: CachedRevision;
}

/** The id of a repository, and its type; `undefined` for either type. */
interface RepoName {
  readonly type: RepoType | undefined;
  readonly id: string;
}

/**
 * Finds a repository by its id.
 *
 * @throws HugError `EHUG_REPO_AMBIGUOUS` for a model and a dataset of the same id
 */
export function findRepo({ repos }: CacheScan, { type, id }: RepoName): LockableRepo | undefined {
  const [repo, other] = repos
    .filter(isLockable)
    .filter((each) => each.id === id && (type === undefined || each.type === type));
  if (other === undefined) return repo;
  throw new HugError('EHUG_REPO_AMBIGUOUS', `the cache has ${id} as a model and as a dataset`, {
    hint: `Write hf:${id} or hf-datasets:${id}.`,
  });
}

/**
 * Finds a snapshot by the id of its repository, and a ref or its commit.
 *
 * @throws HugError `EHUG_REPO_AMBIGUOUS`
 */
export function findSnapshot(
  scan: CacheScan,
  { ref, ...name }: RepoName & { readonly ref: string },
): FoundSnapshot | undefined {
  const repo = findRepo(scan, name);
  const revision = repo?.revisions.find(({ rev, refs }) => rev === ref || refs.includes(ref));
  return repo === undefined || revision === undefined ? undefined : { repo, revision };
}

/** Finds a snapshot by its commit, whatever the repository was called when it was cached. */
export function findCommit(
  { repos }: Pick<CacheScan, 'repos'>,
  type: RepoType,
  commit: string | undefined,
): FoundSnapshot | undefined {
  return lockableSnapshots(repos).find(
    ({ repo, revision }) => repo.type === type && revision.rev === commit,
  );
}

/** Every snapshot that a lock can have. */
export const lockableSnapshots = (repos: readonly CachedRepo[]): FoundSnapshot[] =>
  repos
    .filter(isLockable)
    .flatMap((repo) => repo.revisions.map((revision) => ({ repo, revision })));
