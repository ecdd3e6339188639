import { EXIT } from '../errors.ts';
import {
  entriesJson,
  entriesText,
  listingJson,
  listingOf,
  listingText,
} from '../output/listing.ts';
import type { CommandResult } from '../output/result.ts';
import {
  type RemoteOptions,
  type SelectionOptions,
  selectionOf,
  parseRepoRequest,
} from '../project/arguments.ts';
import type { CommandContext } from '../project/context.ts';
import { ambiguousEntry, entriesNamed, narrowed } from '../project/entries.ts';
import { endpointOfManifest, readLock } from '../project/project.ts';
import { listRepo, withHub } from '../project/repository.ts';

/**
 * `nix-hug ls [name]`: lists the entries of the lock, or the files of one. Sends no request.
 */
export async function run(
  context: CommandContext,
  name: string | undefined,
  options: SelectionOptions,
): Promise<CommandResult> {
  const lock = readLock(context, name === undefined ? [] : [name]);
  if (name === undefined) {
    const entries = entriesNamed(lock, []);
    return {
      json: entriesJson(entries),
      text: (columns) => entriesText(entries, columns),
      exitStatus: EXIT.ok,
    };
  }
  const named = entriesNamed(lock, [name]);
  const [only] = named;
  if (only === undefined || named.length > 1) throw ambiguousEntry(name, named);
  const listing = listingOf(narrowed(only, selectionOf(undefined, options), context.warn));
  return {
    json: listingJson(listing),
    text: (columns) => listingText(listing, columns),
    exitStatus: EXIT.ok,
  };
}

/** `nix-hug ls <url>`: lists the files of a repository. Downloads no file. */
export async function runOnUrl(
  context: CommandContext,
  url: string,
  options: RemoteOptions,
): Promise<CommandResult> {
  const endpoint = endpointOfManifest(context);
  const request = parseRepoRequest(url, options, endpoint, context.endpoint);
  const listing = await withHub(context, (hub) => listRepo(hub, request, context.warn), endpoint);
  return {
    json: listingJson(listing),
    text: (columns) => listingText(listing, columns),
    exitStatus: EXIT.ok,
  };
}
