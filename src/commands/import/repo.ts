import { scanCache } from '../../cache/scan/scan.ts';
import type { HubApi } from '../../hub/api.ts';
import type { NamedEntry } from '../../lock/entries.ts';
import type { Nix } from '../../store/nix.ts';
import type { PlacedFile } from '../../store/plan.ts';
import type { BringContext } from '../bring/bring.ts';
import type { Output } from '../output-schema.ts';
import { assemble, type AssembleContext } from '../remote/assemble.ts';
import { inspect } from '../remote/inspect.ts';
import type { Wanted } from '../remote/remote-options.ts';
import { forEachRepository, type RemoteContext, withHub } from '../remote/remote.ts';
import { weightsOf } from '../remote/weights.ts';
import type { CommandResult } from '../result.ts';
import type { EntryReader } from './cached-entry.ts';
import { type CachedSnapshot, findSnapshot } from './cached-snapshot.ts';
import { importOfSnapshot } from './snapshot.ts';

/** A repository of the cache that is to be imported. */
export interface RepoImport {
  /** Its files that go into the store, as a lock would have them. */
  readonly named: NamedEntry;
  /**
   * Tells what is in the store now.
   *
   * @param files where they are
   */
  readonly tell: (files: readonly PlacedFile[], nix: Nix) => Promise<RepoResult>;
}

/** What there is to tell of one repository. */
export type RepoResult = CommandResult<Output<'fetch-url'> | Output<'import-url-offline'>>;

/** What importing repositories needs from outside. */
export type ImportRepoContext = RemoteContext & BringContext & AssembleContext;

/**
 * Finds repositories in the Hugging Face cache, at the commits that it has for their refs. With a
 * network the weights are imported, and the model is built from them; without, there is no
 * expression to build, and the files are imported one by one.
 *
 * @param endpoint address that the manifest names
 * @throws HugError those of `findSnapshot`, `inspect` and `importOfSnapshot`, all of them in one
 */
export async function importsOf(
  wanted: readonly Wanted[],
  endpoint: string | undefined,
  reader: EntryReader,
  context: ImportRepoContext,
): Promise<RepoImport[]> {
  if (wanted.length === 0) return [];
  const scan = await scanCache(context.cacheFolder, context.signal);
  if (context.offline) {
    return forEachRepository(wanted, context.warn, async (one, warn) =>
      importOfSnapshot(await findSnapshot(scan, one, undefined), one, reader, warn),
    );
  }
  return withHub(
    context,
    (hub) =>
      forEachRepository(wanted, context.warn, async (one, warn) =>
        importOfWeights(await findSnapshot(scan, one, hub), one, hub, { ...context, warn }),
      ),
    endpoint,
  );
}

async function importOfWeights(
  { repo, revision }: CachedSnapshot,
  wanted: Wanted,
  hub: HubApi,
  context: ImportRepoContext,
): Promise<RepoImport> {
  const pinned = { ...wanted, type: repo.type, ref: revision.rev };
  const inspected = await inspect(hub, pinned, context.warn);
  return {
    named: weightsOf(inspected.remote, repo.id),
    tell: (_, nix) => assemble(inspected, nix, undefined, context),
  };
}
