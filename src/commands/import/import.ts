import { partOf, placeEntries } from '../bring/placement.ts';
import type { CommandContext } from '../context.ts';
import { entriesNamed } from '../entries.ts';
import { endpointOfManifest, type ProjectContext, readLock } from '../project.ts';
import { type RemoteOptions, wantedOf } from '../remote/remote-options.ts';
import type { CommandResult } from '../result.ts';
import { openStore } from '../store.ts';
import { isOfLock, type Targets } from '../targets.ts';
import { createEntryReader } from './cached-entry.ts';
import { importContents } from './contents.ts';
import { type ImportRepoContext, importsOf, type RepoResult } from './repo.ts';
import { importResult } from './report.ts';

/** What `import` needs from outside. */
export type ImportContext = ProjectContext & ImportRepoContext & Pick<CommandContext, 'openNix'>;

/**
 * `nix-hug import [name|url]…`: brings what the Hugging Face cache has of the lock, and of
 * repositories, into the Nix store. Nothing is downloaded but what a repository's expression needs,
 * and nothing is brought before all are found.
 *
 * @throws HugError `EHUG_NOT_CACHED` for what the cache lacks; the rest is in the store then
 */
export async function run(
  targets: Targets,
  options: RemoteOptions,
  context: ImportContext,
): Promise<CommandResult> {
  const { names, urls } = targets;
  const endpoint = urls.length === 0 ? undefined : endpointOfManifest(context);
  const wanted = urls.map((url) => wantedOf(url, options, endpoint, context.endpoint));
  const entries = isOfLock(targets) ? entriesNamed(await readLock(context), names) : [];
  const reader = createEntryReader(context.cacheFolder, context.signal);
  const repositories = await importsOf(wanted, endpoint, reader, context);
  const store = await openStore(context);
  const all = [...entries, ...repositories.map(({ named }) => named)];
  const placement = await placeEntries(all, store);
  const sources = await importContents(placement.contents, store, reader.checked, context);

  const results: RepoResult[] = [];
  for (const { named, tell } of repositories) {
    results.push(await tell(partOf(placement, [named]).files, store.nix));
  }
  return importResult({ entries, ...partOf(placement, entries), sources }, results);
}
