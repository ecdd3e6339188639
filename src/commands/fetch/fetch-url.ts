import path from 'node:path';
import { EXIT } from '../../errors.ts';
import { type BringContext, bringContents } from '../bring/bring.ts';
import { placeEntries } from '../bring/placement.ts';
import type { CommandContext } from '../context.ts';
import { listingJson, listingText } from '../listing.ts';
import type { Output } from '../output-schema.ts';
import { endpointOfManifest, type ProjectContext } from '../project.ts';
import { assemble, type AssembleContext, rootLinkName } from '../remote/assemble.ts';
import { inspect } from '../remote/inspect.ts';
import { type RemoteOptions, wantedOf } from '../remote/remote-options.ts';
import { type RemoteContext, withHub } from '../remote/remote.ts';
import { weightsOf } from '../remote/weights.ts';
import type { CommandResult } from '../result.ts';
import { openStore } from '../store.ts';

export interface FetchUrlOptions extends RemoteOptions {
  /** Only list the files and print the expression. */
  readonly dryRun?: boolean;
  /** Folder for a link that keeps the model, or its weights alone, from the garbage collector. */
  readonly gcRoot?: string;
}

/** What `fetch <url>` needs from outside. */
export type FetchUrlContext = RemoteContext &
  ProjectContext &
  BringContext &
  AssembleContext &
  Pick<CommandContext, 'openNix'>;

/**
 * `nix-hug fetch <url>`: brings the weights of a repository into the Nix store, builds the model
 * there, and prints the Nix expression that does the same.
 */
export async function run(
  url: string,
  options: FetchUrlOptions,
  context: FetchUrlContext,
): Promise<CommandResult> {
  const endpoint = endpointOfManifest(context);
  const wanted = wantedOf(url, options, endpoint, context.endpoint);
  const inspected = await withHub(context, (hub) => inspect(hub, wanted, context.warn), endpoint);
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
