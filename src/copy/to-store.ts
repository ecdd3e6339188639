import type { Damage } from '../cache/find.ts';
import { assertSpace } from '../download/disk-space.ts';
import { succeeded, throwRejected } from '../failures.ts';
import { placeOf } from '../lock/entries.ts';
import { andMore } from '../output/text.ts';
import type { CommandContext } from '../project/context.ts';
import type { Store } from '../project/store.ts';
import { escapeControls } from '../quote.ts';
import type { Nix } from '../store/nix.ts';
import { createBatch } from './batch.ts';
import { type ReportContent, createCircuitBreaker } from './circuit-breaker.ts';
import type { MissingBlob } from './placement.ts';
import { type Source, type Supplied, type SupplyOptions, createSources } from './sources.ts';

/** What brings contents into the store. */
interface RealiseOptions {
  readonly nix: Pick<Nix, 'add'>;
  /** Brings a content to disk and checks it. */
  readonly supply: (content: MissingBlob, report: ReportContent) => Promise<Supplied>;
}

/** Brings one content into the store under all its names. */
type Realise = (content: MissingBlob, report: ReportContent) => Promise<Source>;

/**
 * A pipeline from a supply into the store, for any number of contents at once.
 *
 * @returns the function for one content; it throws what `supply` and `Nix.add` throw, or `SkippedError`
 */
function createStoreWriter({ nix, supply }: RealiseOptions): Realise {
  const pipeline = createCircuitBreaker();
  const addFile = createBatch((files) => nix.add(files));

  async function realise(content: MissingBlob, report: ReportContent): Promise<Source> {
    const supplied = await supply(content, report);
    const { file, source } = supplied;
    try {
      report('adding to the store', content.size);
      const names = [...content.names];
      await Promise.all(names.map(([storePath, name]) => addFile({ file, name, storePath })));
    } finally {
      await supplied.discard();
    }
    return source;
  }

  return (content, report) => pipeline(() => realise(content, report));
}

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
  contents: readonly MissingBlob[],
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
  contents: readonly MissingBlob[],
  { nix, diskFolder }: Store,
  options: BringOptions,
  context: BringContext,
): Promise<readonly PromiseSettledResult<Source>[]> {
  if (diskFolder !== undefined) await assertRoom(diskFolder, contents);
  const damaged = new Set<string>();
  const supply = createSources({
    ...options,
    cacheFolder: context.cacheFolder,
    openDownloads: context.offline ? undefined : context.openDownloads,
    onDamage: (damage) => damaged.add(damageText(damage)),
    signal: context.signal,
  });
  try {
    const realise = createStoreWriter({ nix, supply: (...request) => supply.bring(...request) });
    const results = await context.runTransfers(
      contents.map((content) => ({
        entry: placeOf(content.places[0]),
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
  contents: readonly MissingBlob[],
  results: readonly PromiseSettledResult<Source>[],
): Map<string, Source> {
  throwRejected(contents, results, ({ places }) => placeOf(places[0]));
  return new Map([...succeeded(contents, results)].map(([{ hash }, source]) => [hash, source]));
}

async function assertRoom(diskFolder: string, contents: readonly MissingBlob[]): Promise<void> {
  const needed = contents.reduce((sum, { size, names }) => sum + size * names.size, 0);
  await assertSpace(diskFolder, needed, 'Make room in the Nix store: nix-collect-garbage');
}

function titleOf({ places: [first, ...others] }: MissingBlob): string {
  return andMore(escapeControls(first.path), others.length);
}
