import { byCodeUnit } from '../collections.ts';
import { EXIT } from '../errors.ts';
import { parseLock } from '../lock/codec.ts';
import { namedEntries, placeOf } from '../lock/entries.ts';
import { lockPathOf, readLockText } from '../lock/file.ts';
import { locateManifest, readManifest } from '../manifest/locate.ts';
import { parseManifest } from '../manifest/parse.ts';
import type { Named } from '../project/entries.ts';
import type { ProjectContext } from '../project/project.ts';
import type { CommandResult } from '../output/result.ts';

/**
 * `nix-hug entry-names`: prints the names of all entries of the manifest and the lock, for completion
 * scripts. A file that cannot be read, or is being edited, counts as empty.
 */
export async function run(context: ProjectContext): Promise<CommandResult> {
  const manifest = locateManifest(context);
  const names = namesOf([
    ...orNone(() => declared(manifest, context.endpoint)),
    ...orNone(() => locked(lockPathOf(manifest))),
  ]);
  return { text: names.join('\n'), json: { names }, exitStatus: EXIT.ok };
}

/** The shortest name of each: `mistral`, or `models.mistral` where a dataset has the same name. */
function namesOf(entries: readonly Named[]): string[] {
  const places = new Map(entries.map((entry) => [placeOf(entry), entry.name]));
  const names = [...places.values()];
  const shortest = [...places].map(([place, name]) =>
    names.indexOf(name) === names.lastIndexOf(name) ? name : place,
  );
  return shortest.toSorted(byCodeUnit);
}

const declared = (file: string, endpoint: string | undefined): readonly Named[] =>
  parseManifest(readManifest(file), file, { endpoint }).entries;

const locked = (file: string): readonly Named[] =>
  namedEntries(parseLock(readLockText(file) ?? '', file));

function orNone(read: () => readonly Named[]): readonly Named[] {
  try {
    return read();
  } catch {
    return [];
  }
}
