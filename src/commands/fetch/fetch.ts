import path from 'node:path';
import { EXIT } from '../../errors.ts';
import { groupBy } from '../../group.ts';
import { placeOf } from '../../lock/entries.ts';
import type { PlacedFile } from '../../store/plan.ts';
import { type BringContext, bringContents } from '../bring/bring.ts';
import { placeEntries } from '../bring/placement.ts';
import type { CommandContext } from '../context.ts';
import { entriesNamed } from '../entries.ts';
import { type ProjectContext, readLock } from '../project.ts';
import type { CommandResult } from '../result.ts';
import { openStore } from '../store.ts';
import { fetchJson, type FetchReport, fetchText } from './report.ts';

export interface FetchOptions {
  /** Folder for links that keep what is fetched from the garbage collector. */
  readonly gcRoot?: string;
  /** Only tell what is missing. */
  readonly dryRun?: boolean;
}

/** What `fetch` needs from outside. */
export type FetchContext = ProjectContext &
  BringContext &
  Pick<CommandContext, 'openNix' | 'debug'>;

/**
 * `nix-hug fetch [name…]`: brings every locked file into the Nix store, under the path that its
 * derivation has, so that a build downloads nothing.
 */
export async function run(
  names: readonly string[],
  options: FetchOptions,
  context: FetchContext,
): Promise<CommandResult> {
  const lock = await readLock(context);
  const entries = entriesNamed(lock, names);
  const store = await openStore(context);
  context.debug(`Nix ${store.version}, store folder ${store.storeFolder}`);
  const { files, contents } = await placeEntries(entries, store);
  const isDryRun = options.dryRun === true;

  const sources = isDryRun
    ? undefined
    : await bringContents(contents, store, { endpoint: lock.endpoint }, context);
  if (!isDryRun && options.gcRoot !== undefined) {
    const folder = path.resolve(context.cwd, options.gcRoot);
    await store.nix.keep(folder, storePathsByEntry(files));
  }
  const report: FetchReport = { entries, files, contents, sources };
  return { json: fetchJson(report), text: fetchText(report), exitStatus: EXIT.ok };
}

function storePathsByEntry(files: readonly PlacedFile[]): Map<string, string[]> {
  return new Map(
    [...groupBy(files, placeOf)].map(([place, own]) => [
      place,
      own.map(({ storePath }) => storePath),
    ]),
  );
}
