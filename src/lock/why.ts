import { groupBy } from '../collections.ts';
import { allEntries, type NamedEntry, namedEntries, placeOf } from './entries.ts';
import { createNeedIndex } from './needs.ts';
import type { Lock } from './schema.ts';

/** An entry on the way from an entry of the manifest to what is looked for. */
export interface ChainLink {
  readonly named: NamedEntry;
  /** The file of the entry before it that names it; `null` for the first one. */
  readonly by: string | null;
}

/** An entry from which what is looked for can be reached. */
interface Step {
  readonly named: NamedEntry;
  /** The next entry on a shortest way, and the file that names it; absent at the end of the way. */
  readonly next?: { readonly by: string; readonly step: Step };
}

/**
 * Finds why a lock has some entries: for each entry of the manifest from which one of them can be
 * reached, a shortest chain to it, in the order of the lock.
 *
 * @param isLookedFor entries at which a chain ends; one of the manifest is a chain of itself
 */
export function shortestChains(
  lock: Lock,
  isLookedFor: (named: NamedEntry) => boolean,
): ChainLink[][] {
  const all = allEntries(lock);
  const needing = needingEntries(lock, all);
  const steps = new Map<string, Step>();
  for (const named of all) if (isLookedFor(named)) steps.set(placeOf(named), { named });
  // From the ends backwards, level by level: a `Map` also visits what is added while it is walked.
  for (const step of steps.values()) {
    for (const { named, by } of needing.get(placeOf(step.named)) ?? []) {
      const place = placeOf(named);
      if (!steps.has(place)) steps.set(place, { named, next: { by, step } });
    }
  }
  return namedEntries(lock).flatMap((named) => {
    const first = steps.get(placeOf(named));
    return first === undefined ? [] : [chainFrom(first)];
  });
}

/** By the place of an entry, the entries that need it and the file of each that names it. */
function needingEntries(
  lock: Lock,
  all: readonly NamedEntry[],
): ReadonlyMap<string, readonly { readonly named: NamedEntry; readonly by: string }[]> {
  const index = createNeedIndex(lock);
  const edges = all.flatMap((named) =>
    index
      .edges(named.entry)
      .flatMap(({ need, found }) =>
        found.map((needed) => ({ named, by: need.by, place: placeOf(needed) })),
      ),
  );
  return groupBy(edges, ({ place }) => place);
}

function chainFrom(first: Step): ChainLink[] {
  const chain: ChainLink[] = [{ named: first.named, by: null }];
  for (let { next } = first; next !== undefined; next = next.step.next) {
    chain.push({ named: next.step.named, by: next.by });
  }
  return chain;
}
