import { entriesOf } from '../lock/entries.ts';
import type { Lock, LockedEntry } from '../lock/schema.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';
import { answers } from './drift.ts';

/** Both sides of a lock that git could not merge. */
export interface Sides {
  readonly ours: Lock;
  readonly theirs: Lock;
}

/** One lock out of two, and the choices that the user should know of. */
export interface Repaired {
  readonly lock: Lock;
  readonly warnings: readonly string[];
}

/**
 * Takes each entry of the manifest from the side that answers it; from ours when both do.
 * An entry that neither answers stays out, so that it is resolved anew.
 */
export function repairLock(manifest: Manifest, sides: Sides): Repaired {
  const { endpoint, entries } = manifest;
  const choices = entries.map((entry) => ({ entry, ...choose(entry, sides) }));
  const taken = (type: ManifestEntry['type']) =>
    new Map(
      choices.flatMap(({ entry, locked }) =>
        entry.type === type && locked !== undefined ? [[entry.name, locked] as const] : [],
      ),
    );
  return {
    lock: {
      lockfileVersion: sides.ours.lockfileVersion,
      ...(endpoint === undefined ? {} : { endpoint }),
      models: taken('model'),
      datasets: taken('dataset'),
    },
    warnings: choices.flatMap(({ entry, warning }) =>
      warning === undefined ? [] : [`${entry.type}s.${entry.name}: ${warning}`],
    ),
  };
}

function choose(
  entry: ManifestEntry,
  { ours, theirs }: Sides,
): { locked?: LockedEntry; warning?: string } {
  const [our, their] = [ours, theirs].map((lock) => entriesOf(lock, entry.type).get(entry.name));
  if (our === undefined || !answers(our, entry)) {
    return their !== undefined && answers(their, entry) ? { locked: their } : {};
  }
  if (their === undefined || !answers(their, entry) || their.rev === our.rev)
    return { locked: our };
  return { locked: our, warning: `the sides have different commits; kept ours, ${our.rev}` };
}
