import { EXIT } from '../../errors.ts';
import type { CommandContext } from '../context.ts';
import { ambiguousEntry, entriesNamed, narrowed } from '../entries.ts';
import { entriesJson, entriesText, listingJson, listingOf, listingText } from '../listing.ts';
import { type ProjectContext, readLock } from '../project.ts';
import { selectionOf, type SelectionOptions } from '../remote/remote-options.ts';
import type { CommandResult } from '../result.ts';

/** What `ls` needs from outside. */
export type LsContext = ProjectContext & Pick<CommandContext, 'warn'>;

/**
 * `nix-hug ls [name]`: the entries of the lock, or the files of one. Nothing is asked and nothing
 * is downloaded.
 */
export async function run(
  name: string | undefined,
  options: SelectionOptions,
  context: LsContext,
): Promise<CommandResult> {
  const lock = await readLock(context);
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
