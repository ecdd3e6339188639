import path from 'node:path';
import { createCacheIndex } from '../cache/find.ts';
import { findCommit, findRepo, findSnapshot, type FoundSnapshot } from '../cache/find-snapshot.ts';
import { type CacheScan, scanCache } from '../cache/scan.ts';
import type { CachedRepo } from '../cache/scan-repo.ts';
import { groupBy } from '../collections.ts';
import { type Blob, cachedNames, type Snapshot } from '../copy/blob.ts';
import { type CopyResult, throwFailed } from '../copy/copy.ts';
import { damagedInCache, notCached } from '../copy/from-cache.ts';
import { copyToStore, planStore, type StorePlan } from '../copy/to-store.ts';
import { isGitId } from '../digest.ts';
import { EXIT, HugError, usageError } from '../errors.ts';
import type { HubApi } from '../hub/api.ts';
import type { Output } from '../output/json-schema.ts';
import type { CommandResult } from '../output/result.ts';
import { count } from '../output/text.ts';
import {
  isOfLock,
  parseRepoRequest,
  type RemoteOptions,
  type RepoRequest,
  type Targets,
} from '../project/arguments.ts';
import type { CommandContext } from '../project/context.ts';
import { type ChosenSnapshot, commandFor, readChosen } from '../project/chosen.ts';
import { buildPinned, type PinnedRepo, pinRepo, weightsOf } from '../project/pinned-repo.ts';
import { readManifestIfAny } from '../project/project.ts';
import { forEachRepository, resolveRepo } from '../project/repository.ts';
import { quote } from '../quote.ts';
import { DEFAULT_REF, type RepoType } from '../repo.ts';
import type { Nix } from '../store/nix.ts';
import { fetchResult } from './fetch.ts';

export interface ImportOptions extends RemoteOptions {
  /** A folder with files of the lock, under any names. */
  readonly from?: string;
}

/**
 * `nix-hug import [name|url]…`: adds what the Hugging Face cache has of the lock, and of
 * repositories, to the Nix store. No weights are downloaded, and nothing is added before all
 * repositories are found.
 *
 * @throws HugError `EHUG_NOT_CACHED` for missing files; the others are in the store then
 */
export async function run(
  context: CommandContext,
  targets: Targets,
  { from, ...options }: ImportOptions,
): Promise<CommandResult> {
  const { names, urls } = targets;
  if (from !== undefined && urls.length > 0) {
    throw usageError(
      '--from brings entries of the lock, not repositories',
      'Add the repository first, with: nix-hug add',
    );
  }
  const endpoint = urls.length === 0 ? undefined : readManifestIfAny(context)?.endpoint;
  const wanted = urls.map((url) => parseRepoRequest(url, options, endpoint, context.endpoint));
  const entries = isOfLock(targets)
    ? readChosen(context, names, {}, { allGroups: true }).snapshots
    : [];
  const repositories = await pinCached(wanted, endpoint, context);
  const nix = await context.openNix();
  const all = [...entries, ...repositories.map(({ weights }) => weights)];
  const plan = await planStore(all, nix);
  const folder = from === undefined ? undefined : path.resolve(context.cwd, from);
  const { sources } = await importBlobs(plan.missing, entries, nix, context, folder);
  const results: CommandResult<Output<'fetch-url'>>[] = [];
  for (const { pinned } of repositories) {
    results.push(await buildPinned(pinned, nix, undefined, context));
  }
  const fetched = fetchResult({ snapshots: entries, plan: partOf(plan, entries), sources });
  if (results.length === 0) return fetched;
  const parts = [...(entries.length === 0 ? [] : [fetched]), ...results];
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const text = parts.map((part) => part.text).join('\n\n');
  const { entries: imported } = fetched.json;
  const json: Output<'import'> = {
    entries: imported,
    repositories: results.map((result) => result.json),
  };
  return { text, json, next: parts.find(({ next }) => next)?.next, exitStatus: EXIT.ok };
}

/** The part of a plan that concerns some of its snapshots. */
function partOf({ files, missing }: StorePlan, snapshots: readonly Snapshot[]): StorePlan {
  const own = new Set(snapshots);
  return {
    files: files.filter(({ snapshot }) => own.has(snapshot)),
    missing: missing.filter(({ places }) => places.some(({ snapshot }) => own.has(snapshot))),
  };
}

/**
 * Adds blobs from a folder and the Hugging Face cache to the store, without a network.
 *
 * @param entries those of the lock that have these blobs
 * @throws HugError `EHUG_NOT_CACHED` for missing and damaged files, all in one; the others are in the
 *   store then
 */
async function importBlobs(
  blobs: readonly Blob[],
  entries: readonly ChosenSnapshot[],
  nix: Nix,
  context: CommandContext,
  folder: string | undefined,
): Promise<CopyResult> {
  const { cacheFolder, signal } = context;
  const checked =
    folder === undefined
      ? new Map<string, string>()
      : await (await import('../project/from-folder.ts')).findInFolder(folder, blobs, context);
  const index = createCacheIndex(cacheFolder);
  const cached: Blob[] = [];
  const missing: Blob[] = [];
  for (const blob of blobs) {
    const isThere =
      checked.has(blob.digest.hex) ||
      (await index.all(cachedNames(blob.places)).next()).done !== true;
    (isThere ? cached : missing).push(blob);
  }
  const offline = { ...context, offline: true };
  const result = await copyToStore(
    cached,
    nix,
    { index, checked, missing: damagedInCache },
    offline,
  );
  const added = cached.length - result.failures.size - result.skipped;
  const others = `added to the Nix store: ${count(added, 'other file', 'other files')}`;
  const { repos } = missing.length === 0 ? { repos: [] } : await scanCache(cacheFolder, signal);
  throwFailed(result, missingErrors(missing, entries, repos, folder), added === 0 ? [] : [others]);
  return result;
}

/** Paths in one message. */
const MAX_PATHS = 10;

/** One error for each entry, and for each repository that is in no lock. */
function missingErrors(
  missing: readonly Blob[],
  entries: readonly ChosenSnapshot[],
  repos: readonly CachedRepo[],
  folder: string | undefined,
): HugError[] {
  const entryOf = new Map<Snapshot, ChosenSnapshot>(entries.map((entry) => [entry, entry]));
  const places = missing.flatMap((blob) => blob.places);
  return [...groupBy(places, ({ snapshot }) => snapshot)].map(([snapshot, own]) => {
    const { title, files, rev } = snapshot;
    const paths = own.slice(0, MAX_PATHS).map(({ file }) => quote(file.path));
    const names = [...paths, ...(own.length > MAX_PATHS ? ['…'] : [])].join(', ');
    const many = `${own.length} of ${count(files.length, 'file', 'files')}`;
    const are = own.length === 1 ? 'is' : 'are';
    const inFolder = folder === undefined ? '' : `, in ${quote(folder)}`;
    const where = `neither in the Nix store${inFolder} nor in the Hugging Face cache`;
    const message = `${many} ${are} ${where}: ${names}`;
    const others = otherCommits(snapshot, repos);
    if (others.length === 0) return notCached(message).within(title);
    const entry = entryOf.get(snapshot);
    const of = entry === undefined ? [] : [entry];
    const hint = `Run ${commandFor('fetch', of)}, which downloads the rest of ${rev}. To move the lock to the newest commit instead: ${commandFor('update', of)}`;
    const commits = `the cache has ${others.join(', ')}, and ${rev} is asked for`;
    return new HugError('EHUG_NOT_CACHED', `${message}; ${commits}`, { hint }).within(title);
  });
}

/** The commits of a repository in the cache, in any spelling of its id; none when it has the right one. */
function otherCommits({ type, ids, rev }: Snapshot, repos: readonly CachedRepo[]): string[] {
  const spelled = new Set(ids.map((id) => id.toLowerCase()));
  const revs = repos
    .filter((repo) => repo.type === type && spelled.has(repo.id.toLowerCase()))
    .flatMap(({ revisions }) => revisions.map((revision) => revision.rev));
  return revs.includes(rev) ? [] : revs;
}

/**
 * Finds repositories in the Hugging Face cache, and pins them at the commits that the cache has.
 *
 * @param endpoint address that the manifest names
 * @throws HugError `EHUG_NOT_CACHED`, `EHUG_OFFLINE`; those of the Hub client, all of them in one
 */
async function pinCached(
  wanted: readonly RepoRequest[],
  endpoint: string | undefined,
  context: CommandContext,
): Promise<{ readonly pinned: PinnedRepo; readonly weights: Snapshot }[]> {
  if (wanted.length === 0) return [];
  if (context.offline) {
    throw new HugError('EHUG_OFFLINE', 'the Nix expression of a repository comes from the Hub', {
      hint: 'Offline, nix-hug import-all adds the whole cache, nix-hug import an entry of the lock.',
    });
  }
  const scan = await scanCache(context.cacheFolder, context.signal);
  return forEachRepository(wanted, endpoint, context, async (hub, one, warn) => {
    const { repo, revision } = await snapshotMeant(scan, one, hub);
    const pinned = await pinRepo(hub, { ...one, type: repo.type, ref: revision.rev }, warn);
    return { pinned, weights: weightsOf(pinned.listing, repo.id) };
  });
}

/**
 * Finds the snapshot that the user means: under the id as it was typed, else under the id that the
 * Hub answers with, else the commit that the Hub names, under any id.
 *
 * @throws HugError `EHUG_NOT_CACHED`, `EHUG_REPO_AMBIGUOUS`; those of the Hub client
 */
async function snapshotMeant(
  scan: CacheScan,
  wanted: RepoRequest,
  hub: HubApi,
): Promise<FoundSnapshot> {
  const found = findSnapshot(scan, wanted);
  if (found !== undefined) return found;
  const known = await askHub(hub, wanted);
  const other = known && (findSnapshot(scan, known) ?? findCommit(scan, known.type, known.rev));
  if (other !== undefined) return other;
  const repo = findRepo(scan, wanted) ?? (known && findRepo(scan, known));
  throw notCached(
    repo === undefined
      ? `the Hugging Face cache has no ${wanted.type ?? 'repository'} ${wanted.id}`
      : `the Hugging Face cache has ${repo.type} ${repo.id} at ${commitsOf(repo)}, not at ${quote(wanted.ref)}${isOf(wanted, known)}`,
  );
}

const commitsOf = ({ revisions }: CachedRepo): string => revisions.map(({ rev }) => rev).join(', ');

/** The commit of a ref, for a message, where the Hub knows it. */
const isOf = ({ ref }: RepoRequest, known: KnownRepo | undefined): string =>
  known?.rev === undefined || known.rev === ref ? '' : `, which is ${known.rev}`;

/** A repository as the Hub answers. */
interface KnownRepo extends RepoRequest {
  readonly type: RepoType;
  /** The commit that the ref points to; `undefined` when the Hub has no such ref. */
  readonly rev: string | undefined;
}

/**
 * Asks the Hub for the id and the commit. The Hub may have lost a ref that the cache has, and gives
 * the same id at any ref.
 */
async function askHub(hub: HubApi, wanted: RepoRequest): Promise<KnownRepo | undefined> {
  const { ref } = wanted;
  const main = await ifFound(resolveRepo(hub, { ...wanted, ref: DEFAULT_REF }));
  if (main === undefined) return undefined;
  const { type, at } = main;
  const rev = isGitId(ref) ? ref : (await ifFound(hub.revision(type, at.id, ref)))?.rev;
  return { ...wanted, type, id: at.id, rev };
}

/** The answer of the Hub; `undefined` when it has no such repository or revision. */
async function ifFound<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof HugError && ABSENT.has(error.code)) return undefined;
    throw error;
  }
}

const ABSENT = new Set(['EHUG_REPO_NOT_FOUND', 'EHUG_REVISION_NOT_FOUND']);
