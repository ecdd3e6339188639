import { isDeepStrictEqual } from 'node:util';
import { lockedIn, placeOf } from '../lock/entries.ts';
import type { Lock, LockedEntry } from '../lock/schema.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';
import { satisfies } from './drift.ts';

/** Both sides of a lock with conflict markers. */
type Sides = Readonly<Record<'ours' | 'theirs', Lock>>;

/**
 * Takes each entry of the manifest from the side that satisfies it; from ours when both do.
 *
 * Outside the markers git has merged lines of both sides. Where the sides differ in an entry, the
 * files of the one that is taken may therefore belong to the commit of the other. Lines between
 * markers are reliable, and a commit that both sides changed stands there.
 *
 * @returns `entries`: locked entries by manifest entry, without those that neither side satisfies;
 *   `contested`: entries of which only the commit is reliable, not the list of files; `rest`: what the
 *   lock has beside entries, in the older version of both sides; `warnings`
 */
export function repairLock({ entries }: Manifest, sides: Sides) {
  const choices = entries.map((entry) => ({ entry, ...choose(entry, sides) }));
  return {
    entries: new Map(
      choices.flatMap(({ entry, locked }) =>
        locked === undefined ? [] : [[entry, locked] as const],
      ),
    ),
    rest: restOf(sides),
    contested: new Set(choices.flatMap(({ entry, isSure }) => (isSure ? [] : [entry]))),
    warnings: choices.flatMap(({ entry, warning }) =>
      warning === undefined ? [] : [`${placeOf(entry)}: ${warning}`],
    ),
  };
}

function restOf({ ours, theirs }: Sides): Lock {
  const { lockfileVersion } = theirs.lockfileVersion === 1 ? theirs : ours;
  const needed = new Map([...(theirs.needed ?? []), ...(ours.needed ?? [])]);
  const empty = { lockfileVersion, models: new Map(), datasets: new Map() };
  return lockfileVersion === 1 || needed.size === 0 ? empty : { ...empty, needed };
}

function choose(
  entry: ManifestEntry,
  { ours, theirs }: Sides,
): { locked?: LockedEntry; isSure: boolean; warning?: string } {
  const [our, their] = [lockedIn(ours, entry), lockedIn(theirs, entry)];
  const isSure = our === undefined || their === undefined || isDeepStrictEqual(our, their);
  const candidates = [our, their].filter((locked) => satisfies(locked, entry));
  const [locked, other] = candidates;
  if (locked === undefined) return { isSure: true };
  if (other === undefined || other.rev === locked.rev) return { locked, isSure };
  const warning = `the sides have different commits; kept ours, ${locked.rev}`;
  return { locked, isSure, warning };
}
