import { type ExportContext, exportAll } from '../copy/export-all.ts';
import { type Exported, exportedEntry, exportedFile, treeItem } from '../copy/exported.ts';
import { isGitId } from '../digest.ts';
import { HugError } from '../errors.ts';
import type { HubApi } from '../hub/api.ts';
import { type NamedEntry, placeOf } from '../lock/entries.ts';
import type { Selection } from '../manifest/schema.ts';
import type { CommandResult } from '../output/result.ts';
import {
  type RemoteOptions,
  type SelectionOptions,
  type Targets,
  type RepoRequest,
  isOfLock,
  selectionOf,
  parseRepoRequest,
} from '../project/arguments.ts';
import { entriesNamed, narrowed } from '../project/entries.ts';
import { type ProjectContext, endpointOfManifest, readLock } from '../project/project.ts';
import { forEachRepository, listRepo, withHub } from '../project/repository.ts';

/**
 * `nix-hug export [name|url]…`: writes entries of the lock, and repositories, into the Hugging Face
 * cache, as the official client would have them there. Nothing is written before all are found.
 */
export async function run(
  targets: Targets,
  options: RemoteOptions,
  context: ProjectContext & ExportContext,
): Promise<CommandResult> {
  const { names, urls } = targets;
  const endpoint = urls.length === 0 ? undefined : endpointOfManifest(context);
  const wanted = urls.map((url) => parseRepoRequest(url, options, endpoint, context.endpoint));
  const entries = isOfLock(targets) ? await exportedEntries(names, options, context) : [];
  const repositories = await exportedRepositories(wanted, endpoint, context);
  return exportAll([...entries, ...repositories], context);
}

async function exportedEntries(
  names: readonly string[],
  options: SelectionOptions,
  context: ProjectContext & ExportContext,
): Promise<Exported[]> {
  const lock = await readLock(context);
  const select = selectionOf(undefined, options);
  return entriesNamed(lock, names).map((named) =>
    exportedSelection(named, lock.endpoint, select, context.warn),
  );
}

/** An entry, of which a further selection may leave fewer files. */
function exportedSelection(
  named: NamedEntry,
  endpoint: string | undefined,
  select: Selection | undefined,
  warn: (line: string) => void,
): Exported {
  const place = placeOf(named);
  try {
    const { entry } = narrowed(named, select, (line) => warn(`${place}: ${line}`));
    return exportedEntry(named, entry.files, endpoint);
  } catch (error) {
    throw error instanceof HugError ? error.within(place) : error;
  }
}

/**
 * Asks nobody about no repositories.
 *
 * @param endpoint address that the manifest names
 */
async function exportedRepositories(
  wanted: readonly RepoRequest[],
  endpoint: string | undefined,
  context: ExportContext,
): Promise<Exported[]> {
  if (wanted.length === 0) return [];
  return withHub(
    context,
    (hub) =>
      forEachRepository(wanted, context.warn, async (one, warn) => ({
        ...(await exportedRepository(hub, one, warn)),
        endpoint,
      })),
    endpoint,
  );
}

/** A repository as the Hub has it. */
async function exportedRepository(
  hub: HubApi,
  wanted: RepoRequest,
  warn: (line: string) => void,
): Promise<Omit<Exported, 'endpoint'>> {
  const { id, ref } = wanted;
  const { type, repo, rev, all, files } = await listRepo(hub, wanted, warn);
  const selected = files.flatMap((file) => exportedFile(file) ?? []);
  if (selected.length < files.length) throw hub.gated(type, repo);
  const items = all.flatMap((file) => treeItem(file) ?? []);
  return {
    title: `${type} ${repo}`,
    name: null,
    type,
    repo,
    ids: id === repo ? [repo] : [id, repo],
    ref,
    rev,
    isNewest: !isGitId(ref),
    files: selected,
    tree: { items, isWhole: items.length === all.length },
  };
}
