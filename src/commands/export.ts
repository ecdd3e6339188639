import { findSnapshot } from '../cache/find-snapshot.ts';
import { type CacheScan, scanCache } from '../cache/scan.ts';
import { readTree } from '../cache/trees.ts';
import {
  filesOfTree,
  idsOf,
  type RepoFile,
  type Snapshot,
  snapshotOfEntry,
  storeNameFor,
} from '../copy/blob.ts';
import { throwFailed } from '../copy/copy.ts';
import { linksIntoStore } from '../copy/store-links.ts';
import { copyToCache, type ListedSnapshot, type ToCacheResult } from '../copy/to-cache.ts';
import { isGitId } from '../digest.ts';
import { EXIT, HugError, usageError } from '../errors.ts';
import type { HubApi } from '../hub/api.ts';
import { allEntries, type NamedEntry, placeOf } from '../lock/entries.ts';
import type { Selection } from '../manifest/schema.ts';
import type { Output } from '../output/json-schema.ts';
import type { CommandResult } from '../output/result.ts';
import {
  isOfLock,
  parseRepoRequest,
  type RemoteOptions,
  type RepoRequest,
  selectionOf,
  type Targets,
} from '../project/arguments.ts';
import type { CommandContext } from '../project/context.ts';
import { type ChosenSnapshot, chosenEntries, listedSnapshot } from '../project/chosen.ts';
import { narrowed } from '../project/entries.ts';
import { type GroupOptions, refuseGroupsOfUrls } from '../project/groups.ts';
import { readManifestIfAny, readLock, readLockIfAny } from '../project/project.ts';
import { forEachRepository, listRepo, withHub } from '../project/repository.ts';
import { selectFiles } from '../resolve/select.ts';
import type { Nix } from '../store/nix.ts';

export interface ExportOptions extends RemoteOptions, GroupOptions {
  /** Blobs become links into the Nix store. */
  readonly link?: boolean;
  /** Blobs that are links become copies. */
  readonly copy?: boolean;
}

/**
 * `nix-hug export [name|url]…`: writes entries of the lock, and repositories, into the Hugging Face
 * cache, as the official client would. Nothing is written before all are found.
 */
export async function run(
  context: CommandContext,
  targets: Targets,
  options: ExportOptions,
): Promise<CommandResult> {
  const { names, urls } = targets;
  refuseGroupsOfUrls(urls, options);
  const nix = await nixForLinks(options, context);
  const endpoint = urls.length === 0 ? undefined : readManifestIfAny(context)?.endpoint;
  const wanted = urls.map((url) => parseRepoRequest(url, options, endpoint, context.endpoint));
  const select = selectionOf({}, options);
  const locked = isOfLock(targets)
    ? lockedSnapshots(names, select, options, context)
    : { snapshots: [], note: undefined };
  const repositories =
    (await listedOffline(wanted, context)) ??
    (await forEachRepository(wanted, endpoint, context, snapshotAtHub));
  const snapshots = [...locked.snapshots, ...repositories.map((one) => ({ ...one, endpoint }))];
  const links = nix && (await linksIntoStore(snapshots, nix, context));
  const target = {
    ...context,
    replacesLinks: options.copy === true,
    isNewestAtHub: (snapshot: Snapshot) => isNewestAtHub(snapshot, context),
  };
  const result = await copyToCache(snapshots, target, links);
  throwFailed(result);
  const needed = new Set<Snapshot>(locked.snapshots.filter(({ isOnlyNeeded }) => isOnlyNeeded));
  return {
    // As the official client prints it: of what was asked for, so that a script can use it.
    text: [...result.folders]
      .flatMap(([one, folder]) => (needed.has(one) ? [] : folder))
      .join('\n'),
    json: exportJson(result),
    note: noteOf(needed, locked.note),
    next: result.sources.size === 0 ? undefined : 'load them by their ids, with HF_HUB_OFFLINE=1',
    exitStatus: EXIT.ok,
  };
}

/**
 * Nix for `--link`; `undefined` without that option.
 *
 * @throws HugError `EHUG_NIX_MISSING`; `EHUG_USAGE` for what contradicts links
 */
async function nixForLinks(
  { link = false, copy = false }: ExportOptions,
  { isPlain, openNix }: CommandContext,
): Promise<Nix | undefined> {
  if (!link) return undefined;
  if (copy) throw usageError('--link and --copy cannot be combined');
  if (isPlain) {
    const hint = 'Unset it, or leave --link out.';
    throw usageError('--link makes symbolic links, and HF_HUB_DISABLE_SYMLINKS forbids them', hint);
  }
  return openNix();
}

/** Entries of the lock, with what they need. */
function lockedSnapshots(
  names: readonly string[],
  select: Selection | undefined,
  groups: GroupOptions,
  context: CommandContext,
): {
  readonly snapshots: readonly (ListedSnapshot & ChosenSnapshot)[];
  readonly note: string | undefined;
} {
  const lock = readLock(context, names);
  const narrow = (named: NamedEntry) => {
    const place = placeOf(named);
    try {
      return narrowed(named, select, (line) => context.warn(`${place}: ${line}`));
    } catch (error) {
      throw error instanceof HugError ? error.within(place) : error;
    }
  };
  const { entries, note } = chosenEntries(lock, names, groups, { narrow });
  return { snapshots: entries.map((named) => listedSnapshot(named, lock)), note };
}

/** Names what was exported because entries need it, before what was left out. */
function noteOf(needed: ReadonlySet<Snapshot>, leftOut: string | undefined): string | undefined {
  if (needed.size === 0) return leftOut;
  const titles = [...needed].map(({ title }) => title).join(', ');
  const note = `exported too, because entries need it: ${titles}`;
  return leftOut === undefined ? note : `${note}\n${leftOut}`;
}

/** A repository that the Hub, the lock or the cache lists. */
type ListedRepo = Omit<ListedSnapshot, 'endpoint'>;

/**
 * Lists repositories without a network: by an entry of the lock that has all files of the commit, else
 * by the file list that the cache has of it.
 *
 * @returns `undefined` with a network, and where one of them is not known
 * @throws HugError `EHUG_REPO_AMBIGUOUS`, `EHUG_SELECTION`; those of `readLockIfAny`
 */
async function listedOffline(
  wanted: readonly RepoRequest[],
  context: CommandContext,
): Promise<ListedRepo[] | undefined> {
  if (!context.offline || wanted.length === 0) return undefined;
  const lock = readLockIfAny(context);
  const entries = lock === undefined ? [] : allEntries(lock);
  const scan = await scanCache(context.cacheFolder, context.signal);
  const listed: ListedRepo[] = [];
  for (const one of wanted) {
    const snapshot = listedInLock(one, entries) ?? (await listedInCache(one, scan));
    if (snapshot === undefined) return undefined;
    const selectable = snapshot.listed.map((file) => ({ ...file, lfs: file.isLfs || undefined }));
    const { files, warnings } = selectFiles(selectable, one.select);
    for (const warning of warnings) context.warn(`${one.id}: ${warning}`);
    const title = `${snapshot.type} ${snapshot.repo}`;
    const ids = idsOf(snapshot.repo, one.id);
    listed.push({ ...snapshot, title, name: null, ids, ref: one.ref, files });
  }
  return listed;
}

/** A repository as the lock or the cache lists it. */
type KnownRepo = Pick<ListedSnapshot, 'type' | 'repo' | 'rev' | 'isWhole' | 'isNewest'> & {
  readonly listed: readonly RepoFile[];
};

function listedInLock(
  { type, id, ref }: RepoRequest,
  entries: readonly NamedEntry[],
): KnownRepo | undefined {
  const [found, ...others] = entries.filter(
    (named) =>
      [undefined, named.type].includes(type) &&
      [named.entry.repo, named.entry.requested].includes(id) &&
      [named.entry.ref, named.entry.rev].includes(ref) &&
      named.entry.select === undefined,
  );
  if (found === undefined || others.some((other) => other.type !== found.type)) return undefined;
  const { repo, rev, files } = snapshotOfEntry(found, undefined);
  return { type: found.type, repo, rev, listed: files, isWhole: true, isNewest: false };
}

async function listedInCache(wanted: RepoRequest, scan: CacheScan): Promise<KnownRepo | undefined> {
  const found = findSnapshot(scan, wanted);
  if (found === undefined) return undefined;
  const { type, id, folder } = found.repo;
  const { rev } = found.revision;
  const { listed, isWhole } = await readTree(folder, rev);
  if (!isWhole) return undefined;
  const files = listed.map((file) => ({ ...file, storeName: storeNameFor(file.path) }));
  return { type, repo: id, rev, listed: files, isWhole, isNewest: false };
}

async function snapshotAtHub(
  hub: HubApi,
  wanted: RepoRequest,
  warn: (line: string) => void,
): Promise<ListedRepo> {
  const { id, ref } = wanted;
  const { type, repo, rev, all, files } = await listRepo(hub, wanted, warn);
  const selected = filesOfTree(files);
  if (selected.length < files.length) throw hub.gated(type, repo);
  const listed = filesOfTree(all);
  return {
    title: `${type} ${repo}`,
    name: null,
    type,
    repo,
    ids: idsOf(repo, id),
    ref,
    rev,
    files: selected,
    listed,
    isWhole: listed.length === all.length,
    isNewest: !isGitId(ref),
  };
}

/** A Hub that cannot be asked does not say so. */
async function isNewestAtHub(
  { endpoint, type, repo, ref, rev }: Snapshot,
  context: CommandContext,
): Promise<boolean> {
  try {
    const newest = await withHub(context, (hub) => hub.revision(type, repo, ref), endpoint);
    return newest.rev === rev;
  } catch (error) {
    if (error instanceof HugError) return false;
    throw error;
  }
}

/** Where each snapshot is, and where each of its files came from. */
function exportJson({ folders, sources }: ToCacheResult): Output<'export'> {
  return {
    entries: [...folders].map(([{ name, type, repo, ref, rev, files }, folder]) => ({
      name,
      type,
      repo,
      ref,
      rev,
      folder,
      files: files.map((file) => ({
        path: file.path,
        size: file.size,
        source: sources.get(file) ?? 'cache',
      })),
    })),
  };
}
