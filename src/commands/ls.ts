import { EXIT } from '../errors.ts';
import { createNeedIndex } from '../lock/needs.ts';
import { entriesJson, entriesText } from '../output/entry-tree.ts';
import { listingJson, listingOf, listingText } from '../output/listing.ts';
import type { CommandResult } from '../output/result.ts';
import {
  type RemoteOptions,
  type SelectionOptions,
  selectionOf,
  parseRepoRequest,
} from '../project/arguments.ts';
import type { CommandContext } from '../project/context.ts';
import { chosenEntries, isOnlyNeeded } from '../project/chosen.ts';
import { ambiguousEntry, narrowed } from '../project/entries.ts';
import { type GroupOptions, refuseGroupsOfUrls } from '../project/groups.ts';
import { readManifestIfAny, readLock } from '../project/project.ts';
import { listRepo, withHub } from '../project/repository.ts';

/**
 * `nix-hug ls [name]`: lists the entries of the lock, or the files of one. Sends no request.
 */
export async function run(
  context: CommandContext,
  name: string | undefined,
  options: SelectionOptions & GroupOptions,
): Promise<CommandResult> {
  const names = name === undefined ? [] : [name];
  const lock = readLock(context, names);
  const { entries, note } = chosenEntries(lock, names, options, { allGroups: true });
  const asked = entries.filter((entry) => !isOnlyNeeded(entry));
  if (name === undefined) {
    const listed = { asked, needed: entries.filter(isOnlyNeeded), index: createNeedIndex(lock) };
    return {
      note,
      json: entriesJson(listed),
      text: (columns) => entriesText(listed, columns),
      exitStatus: EXIT.ok,
    };
  }
  const [only] = asked;
  if (only === undefined || asked.length > 1) throw ambiguousEntry(name, asked);
  const listing = listingOf(narrowed(only, selectionOf({}, options), context.warn));
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
  options: RemoteOptions & GroupOptions,
): Promise<CommandResult> {
  refuseGroupsOfUrls([url], options);
  const endpoint = readManifestIfAny(context)?.endpoint;
  const request = parseRepoRequest(url, options, endpoint, context.endpoint);
  const listing = await withHub(context, (hub) => listRepo(hub, request, context.warn), endpoint);
  return {
    json: listingJson(listing),
    text: (columns) => listingText(listing, columns),
    exitStatus: EXIT.ok,
  };
}
