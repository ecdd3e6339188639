import type { CachedRevision } from '../../cache/scan/repo-folder.ts';
import type { CacheScan } from '../../cache/scan/scan.ts';
import { type ErrorCode, HugError } from '../../errors.ts';
import type { HubApi } from '../../hub/api.ts';
import { quoted } from '../../quote.ts';
import { DEFAULT_REF } from '../../repo.ts';
import { type ImportableRepo, isImportable } from './cached-entry.ts';
import { locate } from '../remote/remote.ts';
import type { Wanted } from '../remote/remote-options.ts';

/** A repository of the cache at one commit. */
export interface CachedSnapshot {
  readonly repo: ImportableRepo;
  readonly revision: CachedRevision;
}

/** The Hub cannot tell the id of these. */
const WITHOUT_ID: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'EHUG_REPO_NOT_FOUND',
  'EHUG_REVISION_NOT_FOUND',
]);

/**
 * Finds the snapshot that is meant: under the id that the user knows, else under the one that the
 * Hub answers with.
 *
 * @param hub `undefined` when there is no network
 * @throws HugError `EHUG_NOT_CACHED`, `EHUG_REPO_AMBIGUOUS`; those of the Hub client
 */
export async function findSnapshot(
  scan: CacheScan,
  wanted: Wanted,
  hub: HubApi | undefined,
): Promise<CachedSnapshot> {
  const found = snapshotIn(scan, wanted);
  if (found !== undefined) return found;
  const renamed = hub === undefined ? undefined : await underOwnId(hub, wanted);
  const other = renamed === undefined ? undefined : snapshotIn(scan, renamed);
  if (other !== undefined) return other;
  const repo = repoIn(scan, wanted) ?? (renamed === undefined ? undefined : repoIn(scan, renamed));
  throw notCached(
    repo === undefined
      ? `the Hugging Face cache has no ${wanted.type ?? 'repository'} ${wanted.id}`
      : `the Hugging Face cache has ${repo.type} ${repo.id} not at ${quoted(wanted.ref)}`,
  );
}

function snapshotIn(scan: CacheScan, wanted: Wanted): CachedSnapshot | undefined {
  const { ref } = wanted;
  const repo = repoIn(scan, wanted);
  const revision = repo?.revisions.find(({ rev, refs }) => rev === ref || refs.includes(ref));
  return repo === undefined || revision === undefined ? undefined : { repo, revision };
}

function repoIn({ repos }: CacheScan, { type, id }: Wanted): ImportableRepo | undefined {
  const [repo, other] = repos
    .filter(isImportable)
    .filter((each) => each.id === id && (type === undefined || each.type === type));
  if (other === undefined) return repo;
  throw new HugError('EHUG_REPO_AMBIGUOUS', `the cache has ${id} as a model and as a dataset`, {
    hint: `Write hf:${id} or hf-datasets:${id}.`,
  });
}

/** A ref that the cache has may be gone from the Hub; the id is the same at any. */
async function underOwnId(hub: HubApi, wanted: Wanted): Promise<Wanted | undefined> {
  try {
    const { type, at } = await locate(hub, { ...wanted, ref: DEFAULT_REF });
    return { ...wanted, type, id: at.id };
  } catch (error) {
    if (error instanceof HugError && WITHOUT_ID.has(error.code)) return undefined;
    throw error;
  }
}

const notCached = (message: string): HugError =>
  new HugError('EHUG_NOT_CACHED', message, {
    hint: 'nix-hug scan shows what it has; nix-hug fetch downloads the rest.',
  });
