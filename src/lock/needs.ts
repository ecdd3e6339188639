import { groupBy } from '../collections.ts';
import type { RepoType } from '../repo.ts';
import { type NamedEntry, namedEntries, neededEntries } from './entries.ts';
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
const askedAs = ({ type, entry }: NamedEntry): Asked => ({
  type,
  repo: entry.requested ?? entry.repo,
  ref: entry.ref,
});

/** The entries of a lock by what they are asked for as. */
export interface NeedIndex {
  /**
   * The entries that satisfy a need: those that the manifest declares, else the one of `needed`; none
   * when the lock has none, as with `dependencies: ignore`.
   */
  satisfying(asked: Asked): readonly NamedEntry[];
  /** What the files of an entry name. A model needs models; a dataset needs nothing. */
  directly(entry: LockedEntry): readonly NamedEntry[];
  /**
   * Entries with all that they need, directly or through others: first the entries themselves, then
   * the rest in the order in which it is found, each once.
   */
  withNeeded(entries: readonly NamedEntry[]): NamedEntry[];
}

export function createNeedIndex(lock: Lock): NeedIndex {
  const key = (named: NamedEntry) => neededKey(askedAs(named));
  const declared = groupBy(namedEntries(lock), key);
  const needed = groupBy(neededEntries(lock), key);
  const satisfying = (asked: Asked) =>
    declared.get(neededKey(asked)) ?? needed.get(neededKey(asked)) ?? [];
  const directly = ({ needs = [] }: LockedEntry) =>
    needs.flatMap(({ repo, ref }) => satisfying({ type: 'model', repo, ref }));
  return {
    satisfying,
    directly,
    withNeeded(entries) {
      const byEntry = new Map(entries.map((named) => [named.entry, named]));
      // A `Map` also visits what is added while it is walked.
      for (const { entry } of byEntry.values()) {
        for (const named of directly(entry)) {
          if (!byEntry.has(named.entry)) byEntry.set(named.entry, named);
        }
      }
      return [...byEntry.values()];
    },
  };
}
