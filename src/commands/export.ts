import { HugError } from '../errors.ts';
import { placeOf, type NamedEntry } from '../lock/entries.ts';
import type { Selection } from '../manifest/schema.ts';
import { selectFiles } from '../resolve/select.ts';
import { entriesNamed } from './entries.ts';
import { type ExportContext, exportAll } from './export-all.ts';
import { type Exported, exportedEntry } from './export-plan.ts';
import { listingOf } from './listing.ts';
import { type ProjectContext, readLockedProject } from './project.ts';
import { selectionOf, type SelectionOptions } from './remote-options.ts';
import type { CommandResult } from './result.ts';

/**
 * `nix-hug export [name…]`: writes entries of the lock into the Hugging Face cache, as the official
 * client would have them there.
 */
export async function run(
  names: readonly string[],
  options: SelectionOptions,
  context: ProjectContext & ExportContext,
): Promise<CommandResult> {
  const { lock, warnings } = await readLockedProject(context);
  for (const warning of warnings) context.warn(warning);
  const select = selectionOf(undefined, options);
  const exports = entriesNamed(lock, names).map((named) => narrowed(named, select, context.warn));
  return exportAll(exports, lock.endpoint, context);
}

/** An entry with those of its files that a further selection leaves. */
function narrowed(
  named: NamedEntry,
  select: Selection | undefined,
  warn: (line: string) => void,
): Exported {
  try {
    const { files, warnings } = selectFiles(listingOf(named).files, select);
    for (const warning of warnings) warn(`${placeOf(named)}: ${warning}`);
    const paths = new Set(files.map(({ path }) => path));
    return exportedEntry(named, (path) => paths.has(path));
  } catch (error) {
    throw error instanceof HugError ? error.within(placeOf(named)) : error;
  }
}
