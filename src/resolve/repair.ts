import { isDeepStrictEqual } from 'node:util';
import { entriesOf } from '../lock/entries.ts';
import type { Lock, LockedEntry } from '../lock/schema.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';
import { satisfies } from './drift.ts';

/** Both sides of a lock that git could not merge. */
export interface Sides {
  readonly ours: Lock;
  readonly theirs: Lock;
}

/** One lock out of two, and what the user should know of. */
export interface Repaired {
  readonly lock: Lock;
  /** Entries of the lock whose commit alone is to be believed. */
  readonly contested: ReadonlySet<ManifestEntry>;
  readonly warnings: readonly string[];
}

/**
 * Takes each entry of the manifest from the side that satisfies it; from ours when both do.
 * An entry that neither satisfies stays out, so that it is resolved anew.
 *
 * Outside of its markers git has merged lines already. Where the sides have an entry differently,
 * the files of the one that is taken may be those of the other's commit; what stands between markers
 * is sure, and a commit that both changed does.
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
    contested: new Set(choices.flatMap(({ entry, isSure }) => (isSure ? [] : [entry]))),
    warnings: choices.flatMap(({ entry, warning }) =>
      warning === undefined ? [] : [`${entry.type}s.${entry.name}: ${warning}`],
    ),
  };
}

function choose(
  entry: ManifestEntry,
  { ours, theirs }: Sides,
): { locked?: LockedEntry; isSure: boolean; warning?: string } {
  const [our, their] = [ours, theirs].map((lock) => entriesOf(lock, entry.type).get(entry.name));
  const isSure = our === undefined || their === undefined || isDeepStrictEqual(our, their);
  if (our === undefined || !satisfies(our, entry)) {
    if (their === undefined || !satisfies(their, entry)) return { isSure: true };
    return { locked: their, isSure };
  }
  if (their === undefined || !satisfies(their, entry) || their.rev === our.rev)
    return { locked: our, isSure };
  const warning = `the sides have different commits; kept ours, ${our.rev}`;
  return { locked: our, isSure, warning };
}
