import { filesOfTree, idsOf, type Snapshot, snapshotOfEntry } from '../copy/blob.ts';
import { throwFailed } from '../copy/copy.ts';
import { copyToCache, type ListedSnapshot, type ToCacheResult } from '../copy/to-cache.ts';
import { isGitId } from '../digest.ts';
import { EXIT, HugError } from '../errors.ts';
import type { HubApi } from '../hub/api.ts';
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
import { chosenEntries, narrowed } from '../project/entries.ts';
import { type GroupOptions, refuseGroupsOfUrls } from '../project/groups.ts';
import { endpointOfManifest, readLock } from '../project/project.ts';
import { forEachRepository, listRepo, withHub } from '../project/repository.ts';

/**
 * `nix-hug export [name|url]…`: writes entries of the lock, and repositories, into the Hugging Face
 * cache, as the official client would. Nothing is written before all are found.
 */
export async function run(
  context: CommandContext,
  targets: Targets,
  options: RemoteOptions & GroupOptions,
): Promise<CommandResult> {
  const { names, urls } = targets;
  refuseGroupsOfUrls(urls, options);
  const endpoint = urls.length === 0 ? undefined : endpointOfManifest(context);
  const wanted = urls.map((url) => parseRepoRequest(url, options, endpoint, context.endpoint));
  const select = selectionOf({}, options);
  const { entries, note } = isOfLock(targets)
    ? lockedSnapshots(names, select, options, context)
    : { entries: [], note: undefined };
  const repositories = await forEachRepository(wanted, endpoint, context, async (...one) => ({
    ...(await snapshotAtHub(...one)),
    endpoint,
  }));
  const snapshots = [...entries, ...repositories];
  const result = await copyToCache(snapshots, {
    ...context,
    isNewestAtHub: (snapshot) => isNewestAtHub(snapshot, context),
  });
  throwFailed(result);
  return {
    // As the official client prints it.
    text: [...result.folders.values()].join('\n'),
    json: exportJson(result),
    note,
    next: result.sources.size === 0 ? undefined : 'load them by their ids, with HF_HUB_OFFLINE=1',
    exitStatus: EXIT.ok,
  };
}

/** Entries of the lock; a lock has only the files of the entry's selection. */
function lockedSnapshots(
  names: readonly string[],
  select: Selection | undefined,
  groups: GroupOptions,
  context: CommandContext,
): { readonly entries: ListedSnapshot[]; readonly note: string | undefined } {
  const lock = readLock(context, names);
  const { taken, note } = chosenEntries(lock, names, groups);
  const entries = taken.map((named) => {
    const snapshot = snapshotOfEntry(named, lock.endpoint);
    const { title, files } = snapshot;
    try {
      const { entry } = narrowed(named, select, (line) => context.warn(`${title}: ${line}`));
      return {
        ...snapshot,
        files: files.filter(({ path }) => entry.files.has(path)),
        listed: files,
        isWhole: entry.select === undefined,
        isNewest: false,
      };
    } catch (error) {
      throw error instanceof HugError ? error.within(title) : error;
    }
  });
  return { entries, note };
}

async function snapshotAtHub(
  hub: HubApi,
  wanted: RepoRequest,
  warn: (line: string) => void,
): Promise<Omit<ListedSnapshot, 'endpoint'>> {
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
