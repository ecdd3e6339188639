import type { Damage } from '../../cache/find.ts';
import { placeOf } from '../../lock/entries.ts';
import { visible } from '../../quote.ts';
import type { LackingContent } from '../../store/plan.ts';
import { createRealise } from '../../store/realise.ts';
import { assertSpace } from '../../transfer/space.ts';
import type { CommandContext } from '../context.ts';
import { andMore } from '../count.ts';
import { succeeded, throwRejected } from '../failures.ts';
import type { Store } from '../store.ts';
import { createSupply, type Source, type SupplyOptions } from './supply.ts';

/** What bringing contents into the store needs from outside. */
export type BringContext = Pick<
  CommandContext,
  'offline' | 'cacheFolder' | 'openDownloads' | 'runTransfers' | 'warn' | 'signal'
>;

/** Of which lock contents are, and what is known of the cache; see `SupplyOptions`. */
export type BringOptions = Pick<SupplyOptions, 'endpoint' | 'checked' | 'absent'>;

/**
 * The warning about a damaged file of the cache.
 *
 * @param outcome what became of it
 */
export const damageText = ({ file, reason }: Damage, outcome = 'it was not used'): string =>
  `${file} ${reason}; ${outcome}`;

/**
 * Brings contents into the store and tells, by digest, where each came from.
 *
 * @throws HugError those of `tryContents`, and of `Supply` and `Nix`, all of them in one
 */
export async function bringContents(
  contents: readonly LackingContent[],
  store: Store,
  options: BringOptions,
  context: BringContext,
): Promise<ReadonlyMap<string, Source>> {
  return sourcesOf(contents, await tryContents(contents, store, options, context));
}

/**
 * Brings contents into the store, as many as it can.
 *
 * @returns where each came from, or why it is not in the store, in order
 * @throws HugError `EHUG_DISK_FULL` before anything is brought, when the store has no room for all
 */
export async function tryContents(
  contents: readonly LackingContent[],
  { nix, diskFolder }: Store,
  options: BringOptions,
  context: BringContext,
): Promise<readonly PromiseSettledResult<Source>[]> {
  if (diskFolder !== undefined) await assertRoom(diskFolder, contents);
  const damaged = new Set<string>();
  const supply = createSupply({
    ...options,
    cacheFolder: context.cacheFolder,
    openDownloads: context.offline ? undefined : context.openDownloads,
    onDamage: (damage) => damaged.add(damageText(damage)),
    signal: context.signal,
  });
  try {
    const realise = createRealise({ nix, supply: (...request) => supply.bring(...request) });
    const results = await context.runTransfers(
      contents.map((content) => ({
        title: titleOf(content),
        size: content.size,
        run: (report) => realise(content, report),
      })),
    );
    // Not before: the progress display is gone now.
    for (const line of damaged) context.warn(line);
    return results;
  } finally {
    await supply.close();
  }
}

/**
 * Where contents came from, by digest.
 *
 * @param results of `tryContents`, in the order of the contents
 * @throws HugError every failure in one, each with its entry
 */
export function sourcesOf(
  contents: readonly LackingContent[],
  results: readonly PromiseSettledResult<Source>[],
): Map<string, Source> {
  throwRejected(contents, results, ({ places }) => placeOf(places[0]));
  return new Map([...succeeded(contents, results)].map(([{ hash }, source]) => [hash, source]));
}

async function assertRoom(diskFolder: string, contents: readonly LackingContent[]): Promise<void> {
  const needed = contents.reduce((sum, { size, names }) => sum + size * names.size, 0);
  await assertSpace(diskFolder, needed, 'Make room in the Nix store: nix-collect-garbage');
}

function titleOf({ places: [first, ...others] }: LackingContent): string {
  return andMore(visible(`${placeOf(first)} ${first.path}`), others.length);
}
