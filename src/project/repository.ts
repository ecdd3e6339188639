import { HugError } from '../errors.ts';
import { requireAll } from '../failures.ts';
import type { HubApi, Revision } from '../hub/api.ts';
import type { TreeFile } from '../hub/tree.ts';
import type { RepoType } from '../repo.ts';
import type { RepoRequest } from './arguments.ts';
import type { CommandContext } from './context.ts';

/** The files of a repository at a commit. */
export interface RepoListing {
  readonly type: RepoType;
  /** Id the Hub answers with. */
  readonly repo: string;
  /** Commit, 40 hex digits. */
  readonly rev: string;
  /** Every file of the commit. */
  readonly all: readonly TreeFile[];
  /** The selected files. */
  readonly files: readonly TreeFile[];
}

/**
 * Runs something with a Hub client, and closes it.
 *
 * @param endpoint address that a manifest names
 * @param problem what needs the network, as the message of an error
 * @throws HugError `EHUG_OFFLINE`
 */
export async function withHub<T>(
  context: CommandContext,
  run: (hub: HubApi) => Promise<T>,
  endpoint?: string,
  problem = 'listing the files of a repository needs the network',
): Promise<T> {
  const hub = await connectHub(context, endpoint, problem);
  try {
    return await run(hub);
  } finally {
    await hub.close();
  }
}

/**
 * A Hub client, which the caller closes.
 *
 * @param endpoint address that a manifest names
 * @param problem what needs the network, as the message of an error
 * @throws HugError `EHUG_OFFLINE`
 */
export async function connectHub(
  context: CommandContext,
  endpoint: string | undefined,
  problem: string,
): Promise<HubApi> {
  if (!context.offline) return context.connect(endpoint);
  const hint = 'Run it without --offline and HF_HUB_OFFLINE.';
  throw new HugError('EHUG_OFFLINE', problem, { hint });
}

/**
 * Runs something for each repository at once, with a Hub client; without repositories it opens none.
 * Messages about one of several begin with its id.
 *
 * @param endpoint address that the manifest names
 * @throws HugError `EHUG_OFFLINE`; the failures of all repositories in one
 */
export async function forEachRepository<T>(
  all: readonly RepoRequest[],
  endpoint: string | undefined,
  context: CommandContext,
  work: (hub: HubApi, wanted: RepoRequest, warn: (line: string) => void) => Promise<T>,
): Promise<T[]> {
  const { warn } = context;
  const runAll = async (hub: HubApi) => {
    const [only] = all;
    if (only !== undefined && all.length === 1) return [await work(hub, only, warn)];
    const results = await Promise.allSettled(
      all.map((wanted) => work(hub, wanted, (line) => warn(`${wanted.id}: ${line}`))),
    );
    return [...requireAll(all, results, ({ id }) => id).values()];
  };
  return all.length === 0 ? [] : withHub(context, runAll, endpoint);
}

/**
 * Resolves a repository to a commit, and lists its files.
 *
 * @throws HugError of the Hub client; `EHUG_REPO_AMBIGUOUS`, `EHUG_SELECTION`
 */
export async function listRepo(
  hub: HubApi,
  wanted: RepoRequest,
  warn: (line: string) => void,
): Promise<RepoListing> {
  // Loaded here, since a `lock` with nothing to resolve imports this file and needs no globs.
  const { selectFiles } = await import('../resolve/select.ts');
  const { type, at } = await resolveRepo(hub, wanted);
  const all = await hub.tree(type, at.id, at.rev);
  const { files, warnings } = selectFiles(all, wanted.select);
  for (const warning of warnings) warn(warning);
  return { type, repo: at.id, rev: at.rev, all, files };
}

/**
 * Whether a repository is a model or a dataset; asks the Hub when the request does not say it.
 *
 * @param wanted its ref need not exist
 * @throws HugError of the Hub client; `EHUG_REPO_AMBIGUOUS`
 */
export async function detectType(hub: HubApi, { type, id, ref }: RepoRequest): Promise<RepoType> {
  return type ?? (await tryBoth(hub, id, ref)).type;
}

/**
 * Type and commit of a repository; an id without a type is looked up as both.
 *
 * @throws HugError of the Hub client; `EHUG_REPO_AMBIGUOUS`
 */
export async function resolveRepo(
  hub: HubApi,
  { type, id, ref }: RepoRequest,
): Promise<{ type: RepoType; at: Revision }> {
  if (type !== undefined) return { type, at: await hub.revision(type, id, ref) };
  const found = await tryBoth(hub, id, ref);
  if (found.outcome.status === 'rejected') throw found.outcome.reason;
  return { type: found.type, at: found.outcome.value };
}

type Outcome = PromiseSettledResult<Revision>;

/** The one of both types that exists. */
async function tryBoth(
  hub: HubApi,
  id: string,
  ref: string,
): Promise<{ type: RepoType; outcome: Outcome }> {
  const [model, dataset] = await Promise.allSettled([
    hub.revision('model', id, ref),
    hub.revision('dataset', id, ref),
  ]);
  if (!mayExist(dataset)) {
    if (model.status === 'rejected' && !mayExist(model)) throw model.reason;
    return { type: 'model', outcome: model };
  }
  if (!mayExist(model)) return { type: 'dataset', outcome: dataset };
  const denied = denialOf(model) ?? denialOf(dataset);
  const hint = `Write hf:${id} or hf-datasets:${id}.`;
  throw denied === undefined
    ? new HugError('EHUG_REPO_AMBIGUOUS', `${id} is a model and a dataset`, { hint })
    : new HugError(denied.code, `${id} may be a model or a dataset: ${denied.message}`, {
        hint: `${hint} ${denied.hint ?? ''}`.trim(),
        cause: denied,
      });
}

/** Errors that only an existing repository gives. */
const EXISTING = new Set(['EHUG_REVISION_NOT_FOUND', 'EHUG_DISABLED']);

/** Errors that do not tell whether it exists: a mirror or a proxy may give them for any id. */
const DENIED = new Set(['EHUG_GATED', 'EHUG_FORBIDDEN']);

/** @throws every error that says nothing about the repository */
function mayExist(outcome: Outcome): boolean {
  if (outcome.status === 'fulfilled' || denialOf(outcome) !== undefined) return true;
  const { reason } = outcome;
  const code = reason instanceof HugError ? reason.code : undefined;
  if (code === 'EHUG_REPO_NOT_FOUND') return false;
  if (code !== undefined && EXISTING.has(code)) return true;
  throw reason;
}

/** The error that denies access, if there is one. */
function denialOf(outcome: Outcome): HugError | undefined {
  const reason: unknown = outcome.status === 'rejected' ? outcome.reason : undefined;
  return reason instanceof HugError && DENIED.has(reason.code) ? reason : undefined;
}
