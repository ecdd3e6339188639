import { groupBy } from '../collections.ts';
import type { RepoType } from '../repo.ts';
import { type NamedEntry, namedEntries, neededEntries, placeOf } from './entries.ts';
import type { Lock, LockedEntry } from './schema.ts';

/** A repository at a ref, as a file of another one names it. */
export interface Asked {
  readonly type: RepoType;
  /** The id as asked, which the Hub may redirect. */
  readonly repo: string;
  readonly ref: string;
}

/** The key of `needed` for a repository at a ref: `models/org/base@main`. */
export const neededKey = ({ type, repo, ref }: Asked): string => `${type}s/${repo}@${ref}`;

/** What a locked entry is asked for as. */
export const askedAs = ({ type, entry }: NamedEntry): Asked => ({
  type,
  repo: entry.requested ?? entry.repo,
  ref: entry.ref,
});

/** What a file of an entry names. */
type Need = NonNullable<LockedEntry['needs']>[number];

/** A need, and the entries that satisfy it. */
interface Edge {
  readonly need: Need;
  readonly found: readonly NamedEntry[];
}

/** An entry, with the reason why it is there. */
export interface ReachedEntry extends NamedEntry {
  /** The first of the entries asked about that needs it; absent for those entries themselves. */
  readonly neededBy?: NamedEntry;
}

/** The entries of a lock by what they are asked for as. */
export interface NeedIndex {
  /**
   * The entries that satisfy a need: those that the manifest declares, else the one of `needed`; none
   * when the lock has none, as with `dependencies: ignore`.
   */
  satisfying(asked: Asked): readonly NamedEntry[];
  /** What the files of an entry name, in the order of `needs`. A model needs models. */
  edges(entry: LockedEntry): readonly Edge[];
  /**
   * Entries with all that they need, directly or through others: first the entries themselves, then
   * the rest in the order in which it is found, each once.
   */
  withNeeded(entries: readonly NamedEntry[]): ReachedEntry[];
}

export function createNeedIndex(lock: Lock): NeedIndex {
  const key = (named: NamedEntry) => neededKey(askedAs(named));
  const declared = groupBy(namedEntries(lock), key);
  const needed = groupBy(neededEntries(lock), key);
  const satisfying = (asked: Asked) =>
    declared.get(neededKey(asked)) ?? needed.get(neededKey(asked)) ?? [];
  const edges = ({ needs = [] }: LockedEntry) =>
    needs.map((need) => ({ need, found: satisfying({ ...need, type: 'model' }) }));
  return {
    satisfying,
    edges,
    withNeeded(entries) {
      const byPlace = new Map<string, ReachedEntry>(
        entries.map((named) => [placeOf(named), named]),
      );
      // A `Map` also visits what is added while it is walked.
      for (const reached of byPlace.values()) {
        const { entry, neededBy = reached } = reached;
        for (const named of edges(entry).flatMap(({ found }) => found)) {
          if (!byPlace.has(placeOf(named))) byPlace.set(placeOf(named), { ...named, neededBy });
        }
      }
      return [...byPlace.values()];
    },
  };
}
