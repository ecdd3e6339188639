import { groupBy } from '../collections.ts';
import { allEntries, type NamedEntry, namedEntries, placeOf, withNeeded } from '../lock/entries.ts';
import type { Lock, LockedEntry } from '../lock/schema.ts';
import type { Manifest, WantedEntry } from '../manifest/schema.ts';
import type { Edge } from './edges.ts';
import { withoutDate } from './age.ts';
import { allReached, entriesOfMode, isExempt, minAgeOf, type Reached } from './needed.ts';
import { isSameTaken, type Taken, takenBy, uniteTaken, uniteTakes } from './take.ts';

/** A repository that entries need, which is to be resolved. */
export interface Needed extends WantedEntry {
  readonly want: { readonly ref: string };
  /** How it is reached, for messages. */
  readonly reached: Reached;
  /** Where the file names it, for messages; `undefined` where the file was not read in this run. */
  readonly key: string | undefined;
  /** What all that need it take of it together. */
  readonly taken: Taken;
  /** The entry as it is locked. */
  readonly locked: LockedEntry | undefined;
  /** Whether its ref is looked up anew although it is locked. */
  readonly isMoving: boolean;
  /** The entries of the manifest at the same ref: of one repository they have one commit. */
  readonly sameRef: readonly LockedEntry[];
}

/** A needed entry that is settled in this run. */
export interface Settled {
  readonly entry: LockedEntry;
  readonly taken: Taken;
}

/** What is known in the middle of a run. */
export interface NeededState {
  /** The entries of the manifest are settled; `needed` is that of the lock before. */
  readonly before: Lock;
  /** What the files of entries name, by the place of the entry, where they were read in this run. */
  readonly edges: ReadonlyMap<string, readonly Edge[]>;
  /** By key. */
  readonly settled: ReadonlyMap<string, Settled>;
  /** Keys whose ref is looked up anew. */
  readonly moving: ReadonlySet<string>;
}

/** What is to be done next. All three are empty when the lock has what its entries need. */
export interface NeededPlan {
  /** The lock with what is settled, as far as entries need it. */
  readonly lock: Lock;
  /** Needed entries that stay as they are locked, by key. */
  readonly keep: ReadonlyMap<string, Settled>;
  readonly resolve: readonly Needed[];
  /** Entries whose files have to be read, since the lock does not tell what they take. */
  readonly read: readonly NamedEntry[];
}

/**
 * Plans the next step towards a lock that has what its entries need. Resolving may reach further
 * repositories, and a wider selection of one that is settled.
 *
 * @throws HugError `EHUG_DEPENDENCY` for too much, before any of it is resolved
 */
export function planNeeded(manifest: Manifest, state: NeededState): NeededPlan {
  const { before, settled } = state;
  const all = withNeeded(before, new Map([...settled].map(([key, { entry }]) => [key, entry])));
  const reached = groupBy(allReached(manifest, all), ({ key }) => key);
  const lock = withNeeded(
    all,
    new Map([...(all.needed ?? [])].filter(([key]) => reached.has(key))),
  );
  const askers = groupBy(
    [
      ...entriesOfMode(manifest, all, 'lock'),
      ...allEntries(lock).filter(({ name }) => reached.has(name)),
    ].flatMap((named) =>
      (named.entry.needs ?? []).map(({ repo, ref }) => ({ named, id: `${repo}@${ref}` })),
    ),
    ({ id }) => id,
  );
  const declared = namedEntries(before);
  const read = new Set<NamedEntry>();
  const keep = new Map<string, Settled>();
  const resolve: Needed[] = [];
  for (const [key, steps] of reached) {
    const [step] = steps;
    const { type, repo, ref } = step;
    const asking = new Set((askers.get(`${repo}@${ref}`) ?? []).map(({ named }) => named));
    const demand = demandOf(step, asking, state);
    const locked = settled.get(key)?.entry ?? before.needed?.get(key);
    if (demand.taken === undefined) {
      for (const named of demand.unread) read.add(named);
      continue;
    }
    const code = omitsCode(manifest, steps) ? ({ code: false } as const) : {};
    const minAge = minAgeOf(manifest, steps);
    const age = minAge === undefined ? {} : { minAge };
    const wanted = { name: key, type, repo, want: { ref }, ...code, ...age };
    const sameRef = declared.flatMap((one) =>
      one.type === type && one.entry.ref === ref ? [one.entry] : [],
    );
    const twin = sameRef.find((entry) => entry.repo === locked?.repo);
    const isMoving = state.moving.has(key) && !settled.has(key);
    const isCurrent =
      locked !== undefined &&
      !isMoving &&
      (twin === undefined || twin.rev === locked.rev) &&
      locked.select?.code === wanted.code &&
      (minAge === undefined || locked.date !== undefined) &&
      isSameTaken(settled.get(key)?.taken ?? takenBy(locked.select), demand.taken);
    if (!isCurrent) {
      const { taken, place } = demand;
      resolve.push({ ...wanted, reached: step, key: place, taken, locked, isMoving, sameRef });
    } else if (!settled.has(key)) {
      const entry = minAge === undefined ? withoutDate(locked) : locked;
      keep.set(key, { entry, taken: demand.taken });
    }
  }
  return { lock, keep, resolve, read: [...read] };
}

/** Whether code is left out of a repository: unless all entries that need it may have code. */
const omitsCode = (manifest: Manifest, steps: readonly Reached[]): boolean =>
  manifest.policy?.remoteCode === 'omit' && !isExempt(manifest, steps, 'remoteCode');

/** What all that need a repository take of it together, as far as that is known. */
function demandOf(
  { key, repo, ref }: Reached,
  asking: ReadonlySet<NamedEntry>,
  { before, edges, settled }: NeededState,
): {
  /** `undefined` where a file has to be read first. */
  readonly taken: Taken | undefined;
  readonly place: string | undefined;
  readonly unread: readonly NamedEntry[];
} {
  const unread = [...asking].filter((named) => !edges.has(placeOf(named)));
  const named = [...asking].flatMap((asker) =>
    (edges.get(placeOf(asker)) ?? []).filter((edge) => edge.repo === repo && edge.ref === ref),
  );
  const takes = uniteTakes(named.map(({ take }) => take));
  const old = before.needed?.get(key);
  // What is settled only grows in a run. What is locked counts where a file was not read again.
  const was =
    settled.get(key)?.taken ??
    (unread.length === 0 || old === undefined ? undefined : takenBy(old.select));
  const taken = was === undefined ? takes : uniteTaken(takes, was);
  const isUnknown = was === undefined && unread.length > 0;
  return { taken: isUnknown ? undefined : taken, place: named[0]?.key, unread };
}
