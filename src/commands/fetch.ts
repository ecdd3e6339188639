import path from 'node:path';
import { EXIT, HugError } from '../errors.ts';
import { placeOf } from '../lock/entries.ts';
import type { Nix } from '../store/nix.ts';
import {
  lackingContents,
  type LackingContent,
  type PlacedFile,
  placeFiles,
} from '../store/plan.ts';
import { createRealise, NotTried } from '../store/realise.ts';
import { entriesNamed } from './entries.ts';
import { throwFailures } from './failures.ts';
import { fetchJson, type FetchReport, fetchText } from './fetch-report.ts';
import { type ProjectContext, readLockedProject } from './project.ts';
import type { CommandResult } from './result.ts';
import { createSupply, type HubDownloads, type Source } from './supply.ts';
import type { TransferRunner } from './tasks.ts';

export interface FetchOptions {
  /** Folder for links that keep what is fetched from the garbage collector. */
  readonly gcRoot?: string;
  /** Only tell what is missing. */
  readonly dryRun?: boolean;
}

/** What `fetch` needs from outside. */
export interface FetchContext extends ProjectContext {
  readonly offline: boolean;
  readonly openNix: () => Promise<Nix>;
  /** The Hugging Face cache. */
  readonly cacheFolder: string;
  /** Opens connections to a Hub; the caller closes them. */
  readonly openDownloads: (endpoint: string | undefined) => Promise<HubDownloads>;
  readonly runTransfers: TransferRunner;
  readonly warn: (line: string) => void;
  /** Shown with `--debug`. */
  readonly debug: (line: string) => void;
}

/**
 * `nix-hug fetch [name…]`: brings every locked file into the Nix store, under the path that its
 * derivation has, so that a build downloads nothing.
 */
export async function run(
  names: readonly string[],
  options: FetchOptions,
  context: FetchContext,
): Promise<CommandResult> {
  const { lock, warnings } = await readLockedProject(context);
  for (const warning of warnings) context.warn(warning);
  const entries = entriesNamed(lock, names);
  const nix = await context.openNix();
  const { storeFolder, version } = await nix.facts();
  context.debug(`Nix ${version}, store folder ${storeFolder}`);
  const files = placeFiles(entries, storeFolder);
  const storePaths = new Set(files.map(({ storePath }) => storePath));
  const missing = await nix.missing([...storePaths]);
  const contents = lackingContents(files, missing);
  const isDryRun = options.dryRun === true;

  const sources = isDryRun ? undefined : await bring(contents, lock.endpoint, nix, context);
  if (!isDryRun && options.gcRoot !== undefined) {
    const folder = path.resolve(context.cwd, options.gcRoot);
    await nix.keep(folder, groupByEntry(files));
  }
  const report: FetchReport = { entries, files, contents, sources };
  return { json: fetchJson(report), text: fetchText(report), exitStatus: EXIT.ok };
}

/** Brings contents into the store and tells, by digest, where each came from. */
async function bring(
  contents: readonly LackingContent[],
  endpoint: string | undefined,
  nix: Nix,
  context: FetchContext,
): Promise<ReadonlyMap<string, Source>> {
  const damaged = new Set<string>();
  const supply = createSupply({
    cacheFolder: context.cacheFolder,
    openDownloads: context.offline ? undefined : () => context.openDownloads(endpoint),
    onDamage: ({ file, reason }) => damaged.add(`${file} ${reason}; it was not used`),
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
    return sourcesOf(contents, results);
  } finally {
    await supply.close();
  }
}

/** Throws every failure, each with its entry. */
function sourcesOf(
  contents: readonly LackingContent[],
  results: readonly PromiseSettledResult<Source>[],
): Map<string, Source> {
  const sources = new Map<string, Source>();
  const failures: unknown[] = [];
  let untried = 0;
  for (const [index, { hash, places }] of contents.entries()) {
    const result = results[index];
    if (result?.status === 'fulfilled') sources.set(hash, result.value);
    else if (result?.reason instanceof NotTried) untried += 1;
    else if (result?.reason instanceof HugError) {
      failures.push(result.reason.within(placeOf(places[0])));
    } else failures.push(result?.reason);
  }
  throwFailures(failures, untried === 0 ? [] : [`not tried any more: ${untried} other files`]);
  return sources;
}

function titleOf({ places: [first, ...others] }: LackingContent): string {
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return `${placeOf(first)} ${first.path}${more}`;
}

function groupByEntry(files: readonly PlacedFile[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const file of files) {
    const group = groups.get(placeOf(file));
    if (group === undefined) groups.set(placeOf(file), [file.storePath]);
    else group.push(file.storePath);
  }
  return groups;
}
