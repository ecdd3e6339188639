import { DEFAULT_ENDPOINT } from '../address.ts';
import { requireAll } from '../failures.ts';
import type { HubApi } from '../hub/api.ts';
import { EMPTY_LOCK } from '../lock/codec.ts';
import { allEntries, placeOf } from '../lock/entries.ts';
import type { Lock } from '../lock/schema.ts';
import type { Manifest, WantedEntry } from '../manifest/schema.ts';
import type { KnownRepos } from '../resolve/identity.ts';
import type { Resolved, ResolveContext } from '../resolve/resolve.ts';
import type { CommandContext } from './context.ts';
import { connectHub } from './repository.ts';

/** Resolves entries of one run, which share a Hub client and what they learn of files. */
export interface Resolving {
  /**
   * Resolves entries at once, and passes their warnings on. Connects to the Hub when it is first called.
   *
   * @param resolve what to do with each entry
   * @param problem what needs the network, as the message of an error
   * @throws HugError `EHUG_OFFLINE`; the failures of all entries in one, each with its entry
   */
  all<W extends WantedEntry, T extends Resolved>(
    wanted: readonly W[],
    resolve: (wanted: W, context: ResolveContext) => Promise<T>,
    problem: string,
  ): Promise<ReadonlyMap<W, T>>;
  close(): Promise<void>;
}

/**
 * Begins to resolve entries; the caller closes it.
 *
 * @param lock whose digests of plain files are not downloaded again
 * @param accepted places of the entries whose repository may be another one now
 */
export function openResolving(
  manifest: Manifest,
  lock: Lock,
  context: CommandContext,
  accepted?: ReadonlySet<string>,
): Resolving {
  let opened: Promise<Omit<ResolveContext, 'report'>> | undefined;
  let isWarned = false;
  return {
    async all(wanted, resolve, problem) {
      opened ??= open(manifest, lock, context, problem, accepted);
      const shared = await opened;
      const results = await context.runTasks(
        wanted.map((one) => ({
          title: placeOf(one),
          run: (report) => resolve(one, { ...shared, report }),
        })),
      );
      const resolved = requireAll(wanted, results, placeOf);
      if (!isWarned) warnOfEndpoint(manifest, context);
      isWarned = true;
      for (const [one, { warnings }] of resolved) {
        for (const warning of warnings) context.warn(`${placeOf(one)}: ${warning}`);
      }
      return resolved;
    },
    async close() {
      const { hub } = (await opened?.catch(() => undefined)) ?? {};
      await hub?.close();
    },
  };
}

/** Warns when Nix will ask another Hub than the one that was asked. */
function warnOfEndpoint({ endpoint = DEFAULT_ENDPOINT }: Manifest, context: CommandContext): void {
  if (context.endpoint === undefined || context.endpoint === endpoint) return;
  context.warn(
    `locked from ${context.endpoint} (HF_ENDPOINT), but nix build will ask ${endpoint}; set "endpoint" in the manifest to change that`,
  );
}

async function open(
  manifest: Manifest,
  lock: Lock,
  context: CommandContext,
  problem: string,
  accepted: ReadonlySet<string> | undefined,
): Promise<Omit<ResolveContext, 'report'>> {
  const { endpoint } = manifest;
  const hub: HubApi = await connectHub(context, endpoint, problem);
  const { createPlainHashes } = await import('../resolve/resolve.ts');
  const { createByContent } = await import('../resolve/by-content.ts');
  const { createLicenses } = await import('../resolve/readme.ts');
  const { createEdgeSources } = await import('../resolve/edge-sources.ts');
  const entries = allEntries(lock);
  const known = entries.flatMap(({ entry }) => [...entry.files.values()]);
  return {
    hub,
    now: context.now,
    repos: await knownRepos(manifest, lock, accepted),
    hashes: createPlainHashes(known),
    licenses: createLicenses(entries.map(({ entry }) => entry)),
    shardIndexes: createByContent([]),
    edgeSources: createEdgeSources(entries),
  };
}

/** The repositories that a lock knows; none when it is of another Hub than the manifest. */
export async function knownRepos(
  manifest: Manifest,
  lock: Lock,
  accepted?: ReadonlySet<string>,
): Promise<KnownRepos> {
  const { createKnownRepos } = await import('../resolve/identity.ts');
  return createKnownRepos(manifest.endpoint === lock.endpoint ? lock : EMPTY_LOCK, accepted);
}
