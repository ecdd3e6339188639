import { byCodeUnit } from '../collections.ts';
import { parseLock } from '../lock/codec.ts';
import { namedEntries, placeOf } from '../lock/entries.ts';
import { lockPathOf, readLockText } from '../lock/file.ts';
import { locateManifest, readManifest } from '../manifest/locate.ts';
import { parseManifest } from '../manifest/parse.ts';
import type { Named } from './entries.ts';
import type { ProjectContext } from './project.ts';

/**
 * Names the entries of the manifest and the lock for shell completion, sorted: `mistral`, or
 * `models.mistral` where a dataset has the same name. A file that cannot be read, or that the user is
 * editing, has no entries.
 */
export function entryNames(context: ProjectContext): string[] {
  const manifest = locateManifest(context);
  const entries = [
    ...orNone(() => declared(manifest, context.endpoint)),
    ...orNone(() => locked(lockPathOf(manifest))),
  ];
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
