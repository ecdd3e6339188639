import { groupBy } from '../collections.ts';
import { type PlacedFile, placeEntries } from '../copy/placement.ts';
import { type BringContext, bringContents } from '../copy/to-store.ts';
import { EXIT } from '../errors.ts';
import { placeOf } from '../lock/entries.ts';
import { type FetchReport, fetchJson, fetchText } from '../output/fetch-report.ts';
import type { Output } from '../output/json-schema.ts';
import { listingJson, listingText } from '../output/listing.ts';
import type { CommandResult } from '../output/result.ts';
import { type RemoteOptions, parseRepoRequest } from '../project/arguments.ts';
import { type AssembleContext, assemble, rootLinkName, weightsOf } from '../project/assemble.ts';
import type { CommandContext } from '../project/context.ts';
import { entriesNamed } from '../project/entries.ts';
import { pinRepo } from '../project/nix-expression.ts';
import { type ProjectContext, endpointOfManifest, readLock } from '../project/project.ts';
import { type HubContext, withHub } from '../project/repository.ts';
import { openStore } from '../project/store.ts';
import path from 'node:path';

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

export interface FetchUrlOptions extends RemoteOptions {
  /** Only list the files and print the expression. */
  readonly dryRun?: boolean;
  /** Folder for a link that keeps the model, or its weights alone, from the garbage collector. */
  readonly gcRoot?: string;
}

/** What `fetch <url>` needs from outside. */
export type FetchUrlContext = HubContext &
  ProjectContext &
  BringContext &
  AssembleContext &
  Pick<CommandContext, 'openNix'>;

/**
 * `nix-hug fetch <url>`: brings the weights of a repository into the Nix store, builds the model
 * there, and prints the Nix expression that does the same.
 */
export async function runOnUrl(
  url: string,
  options: FetchUrlOptions,
  context: FetchUrlContext,
): Promise<CommandResult> {
  const endpoint = endpointOfManifest(context);
  const wanted = parseRepoRequest(url, options, endpoint, context.endpoint);
  const inspected = await withHub(context, (hub) => pinRepo(hub, wanted, context.warn), endpoint);
  const { remote, expression, obstacle } = inspected;
  if (options.dryRun === true) {
    const text = `${await listingText(remote)}\n\n${expression ?? obstacle ?? ''}`;
    const json: Output<'fetch-url-dry-run'> = { ...listingJson(remote), expression, obstacle };
    return { text, json, exitStatus: EXIT.ok };
  }
  const store = await openStore(context);
  const { files, contents } = await placeEntries([weightsOf(remote, wanted.id)], store);
  await bringContents(contents, store, { endpoint }, context);
  const result = await assemble(inspected, store.nix, options.gcRoot, context);
  if (options.gcRoot !== undefined && result.json.storePath === null) {
    // Where nothing is built, there is no link to what is built.
    const weights = files.map(({ storePath }) => storePath);
    const folder = path.resolve(context.cwd, options.gcRoot);
    await store.nix.keep(folder, new Map([[rootLinkName(remote), weights]]));
  }
  return result;
}
