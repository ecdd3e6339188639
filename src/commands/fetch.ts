import path from 'node:path';
import prettyBytes from 'pretty-bytes';
import { repoFolderName } from '../cache/layout.ts';
import { groupBy } from '../collections.ts';
import type { RepoFile, Snapshot } from '../copy/blob.ts';
import { throwFailed } from '../copy/copy.ts';
import type { Source } from '../copy/sources.ts';
import { copyToStore, planStore, type StoredFile, type StorePlan } from '../copy/to-store.ts';
import { EXIT } from '../errors.ts';
import type { Output } from '../output/json-schema.ts';
import { listingJson, listingText } from '../output/listing.ts';
import type { CommandResult } from '../output/result.ts';
import { count } from '../output/text.ts';
import { parseRepoRequest, type RemoteOptions } from '../project/arguments.ts';
import type { CommandContext } from '../project/context.ts';
import { type ChosenSnapshot, readChosen } from '../project/chosen.ts';
import { amount, amountBySource, entriesText } from '../project/copied.ts';
import { type GroupOptions, refuseGroupsOfUrls } from '../project/groups.ts';
import { buildPinned, pinRepo, weightsOf } from '../project/pinned-repo.ts';
import { readManifestIfAny } from '../project/project.ts';
import { withHub } from '../project/repository.ts';
import { escapeControls } from '../quote.ts';

export interface FetchOptions extends GroupOptions {
  /** Folder for links that keep the files from the garbage collector. */
  readonly gcRoot?: string;
  /** Only tell what is missing. */
  readonly dryRun?: boolean;
}

/**
 * `nix-hug fetch [name…]`: adds every locked file to the Nix store, at the store path of its
 * derivation, so that a build downloads nothing.
 */
export async function run(
  context: CommandContext,
  names: readonly string[],
  { dryRun = false, gcRoot, ...groups }: FetchOptions,
): Promise<CommandResult> {
  const { snapshots, note } = readChosen(context, names, groups);
  const nix = await context.openNix();
  context.debug(`Nix ${nix.version}, store folder ${nix.storeFolder}`);
  const plan = await planStore(snapshots, nix);
  if (dryRun) return { ...fetchResult({ snapshots, plan, sources: undefined }), note };
  const result = await copyToStore(plan.missing, nix, {}, context);
  throwFailed(result);
  if (gcRoot !== undefined) {
    const byRoot = groupBy(plan.files, ({ snapshot }) => rootNameOf(snapshot));
    const roots = [...byRoot].map(([name, files]) => [name, storePathsOf(files)] as const);
    await nix.addGcRoots(path.resolve(context.cwd, gcRoot), new Map(roots));
  }
  return { ...fetchResult({ snapshots, plan, sources: result.sources }), note };
}

/** The name of a link: `models.lora`, `needed.models--org--base@main`. */
const rootNameOf = ({ title }: Snapshot): string => title.replaceAll('/', '--');

const storePathsOf = (files: readonly StoredFile[]): string[] =>
  files.map(({ storePath }) => storePath);

export interface FetchUrlOptions extends RemoteOptions, GroupOptions {
  /** Only list the files and print the expression. */
  readonly dryRun?: boolean;
  /** Folder for a link that keeps the model, or its weights alone, from the garbage collector. */
  readonly gcRoot?: string;
}

/**
 * `nix-hug fetch <url>`: adds the weights of a repository to the Nix store, builds the model there,
 * and prints the Nix expression that does the same.
 */
export async function runOnUrl(
  context: CommandContext,
  url: string,
  { dryRun = false, gcRoot, ...options }: FetchUrlOptions,
): Promise<CommandResult> {
  refuseGroupsOfUrls([url], options);
  const endpoint = readManifestIfAny(context)?.endpoint;
  const wanted = parseRepoRequest(url, options, endpoint, context.endpoint);
  const pinned = await withHub(context, (hub) => pinRepo(hub, wanted, context.warn), endpoint);
  const { listing, expression, obstacle } = pinned;
  if (dryRun) {
    const text = `${await listingText(listing)}\n\n${expression ?? obstacle ?? ''}`;
    const json: Output<'fetch-url-dry-run'> = { ...listingJson(listing), expression, obstacle };
    return { text, json, exitStatus: EXIT.ok };
  }
  const nix = await context.openNix();
  const { files, missing } = await planStore([weightsOf(listing, wanted.id, endpoint)], nix);
  throwFailed(await copyToStore(missing, nix, {}, context));
  const result = await buildPinned(pinned, nix, gcRoot, context);
  if (gcRoot !== undefined && result.json.storePath === null) {
    // There is no model that the link could keep.
    const roots = new Map([[repoFolderName(listing.type, listing.repo), storePathsOf(files)]]);
    await nix.addGcRoots(path.resolve(context.cwd, gcRoot), roots);
  }
  return result;
}

/** What `fetch` and `import` report of entries. */
interface FetchReport {
  readonly snapshots: readonly ChosenSnapshot[];
  /** The files of these snapshots, and the blobs that the store missed. */
  readonly plan: StorePlan;
  /** Where each added file came from; `undefined` when nothing was to be added. */
  readonly sources: ReadonlyMap<RepoFile, Source> | undefined;
}

/** What the user can do when files are in the store. */
export const NEXT_AFTER_STORE = 'nix build, which downloads none of these files';

/** The result of `fetch`, and of `import` for the entries of the lock. */
export function fetchResult(report: FetchReport): CommandResult<Output<'fetch'>> {
  const json = fetchJson(report);
  const next = json.changed ? NEXT_AFTER_STORE : undefined;
  return { text: fetchText(report), json, next, exitStatus: EXIT.ok };
}

/** How much was added from where, and how much the store has now. */
function fetchText({ snapshots, plan, sources }: FetchReport): string {
  const { files, missing } = plan;
  const all = `${count(files.length, 'file', 'files')} of ${entriesText(snapshots)}`;
  if (missing.length === 0) return `in the Nix store already: ${all}`;
  if (sources === undefined) {
    const lines = missing.map(({ places: [{ snapshot, file }], size }) => {
      return `  ${snapshot.title} ${escapeControls(file.path)}  ${prettyBytes(size)}`;
    });
    return [`missing in the Nix store: ${amount(missing)}; of ${all}`, ...lines].join('\n');
  }
  return `added to the Nix store: ${amountBySource(missing, sources)}; ${all} are there`;
}

/** For every file where it is, and where it came from. */
function fetchJson({ snapshots, plan, sources }: FetchReport): Output<'fetch'> {
  const missing = new Set(plan.missing.flatMap(({ places }) => places.map(({ file }) => file)));
  const sourceOf = (file: RepoFile) =>
    missing.has(file) ? (sources?.get(file) ?? 'missing') : 'store';
  const filesBy = groupBy(plan.files, ({ snapshot }) => snapshot);
  return {
    changed: sources !== undefined && plan.missing.length > 0,
    entries: snapshots.map((snapshot) => ({
      name: snapshot.name,
      type: snapshot.type,
      repo: snapshot.repo,
      rev: snapshot.rev,
      files: (filesBy.get(snapshot) ?? []).map(({ file, storePath }) => ({
        path: file.path,
        size: file.size,
        storePath,
        source: sourceOf(file),
      })),
    })),
  };
}
