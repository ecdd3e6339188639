import { hasId } from '../resolve/identity.ts';
import { type NamedEntry, namedEntries, placeOf } from '../lock/entries.ts';
import { createNeedIndex } from '../lock/needs.ts';
import type { Lock } from '../lock/schema.ts';
import type { Manifest, WantedEntry } from '../manifest/schema.ts';
import { DEFAULT_REF } from '../repo.ts';
import type { Edge } from '../resolve/edges.ts';
import { doWithout, entriesOfMode, MAX_NEEDED, rootOf } from '../resolve/needed.ts';
import { type Needed, planNeeded, type Settled } from '../resolve/plan-needed.ts';
import type { Resolved } from '../resolve/resolve.ts';
import type { Kept } from '../resolve/significance.ts';
import type { Resolving } from './resolving.ts';

/** The commit at which an entry begins, or what entries need; `undefined` for the newest one. */
export type Start = (wanted: WantedEntry) => string | undefined;

/** What a run knows before it locks what entries need. */
export interface NeedsRun {
  readonly manifest: Manifest;
  /** The entries of the manifest are settled; `needed` is that of the lock before. */
  readonly lock: Lock;
  /** The entries that were resolved in this run. */
  readonly resolved: ReadonlyMap<WantedEntry, Resolved>;
  /** Keys of `needed` whose ref is looked up anew. */
  readonly moving?: ReadonlySet<string>;
  readonly start?: Start | undefined;
  /** Told of what stays at its commit since only documentation changed; without it all moves. */
  readonly onKept?: ((kept: Kept) => void) | undefined;
}

/**
 * Locks what entries need, and what that needs in turn; what no entry needs any more is left out.
 * Sends no request when the lock has it all.
 *
 * @param warn told of needs that are not followed, and of repositories at two refs
 * @throws HugError `EHUG_DEPENDENCY`, `EHUG_OFFLINE`; those of `resolveNeeded`
 */
export async function lockNeeds(
  { manifest, lock: before, resolved, moving = new Set(), start, onKept }: NeedsRun,
  resolving: Resolving,
  warn: (line: string) => void,
): Promise<Lock> {
  const settled = new Map<string, Settled>();
  const edges = new Map<string, readonly Edge[]>();
  for (const [wanted, { edges: found }] of resolved) {
    if (found !== undefined) edges.set(placeOf(wanted), found);
  }
  for (;;) {
    const plan = planNeeded(manifest, { before, edges, settled, moving });
    const isDone = plan.keep.size + plan.resolve.length + plan.read.length === 0;
    if (isDone) {
      for (const line of unfollowed(manifest, plan.lock)) warn(line);
      return plan.lock;
    }
    for (const [key, kept] of plan.keep) settled.set(key, kept);
    // What is kept may need what is locked, too: that costs no request.
    if (plan.keep.size > 0) continue;
    const { keepNeeded, readNeeds, resolveNeeded } = await import('../resolve/resolve-needed.ts');
    if (plan.read.length > 0) {
      const again = await resolving.all(
        plan.read.map((named) => ({ ...named, repo: named.entry.repo, want: named.entry })),
        readNeeds,
        `reading what ${plan.read.map(placeOf).join(', ')} needs the network`,
      );
      for (const [named, result] of again) edges.set(placeOf(named), result.edges ?? []);
      continue;
    }
    const results = await resolving.all(
      plan.resolve,
      async (needed, context) => {
        const newest = await resolveNeeded(needed, context, start?.(needed));
        if (onKept === undefined) return newest;
        const { resolved: settling, kept } = await keepNeeded(needed, newest, context.hub);
        if (kept !== undefined) onKept(kept);
        return settling;
      },
      `resolving ${plan.resolve.map(({ repo, want }) => `${repo} at ${want.ref}`).join(', ')}, which entries need, needs the network`,
    );
    for (const [needed, { entry, edges: found }] of results) {
      settled.set(needed.name, { entry, taken: needed.taken });
      if (found !== undefined) edges.set(placeOf(needed), found);
      for (const line of otherRefs(needed, before)) warn(line);
    }
  }
}

/** Warnings of what is needed at one ref and declared at another only. */
function otherRefs({ reached, locked, repo, want, ...wanted }: Needed, lock: Lock): string[] {
  if (locked !== undefined) return [];
  const others = namedEntries(lock).filter(
    ({ type, entry }) =>
      type === wanted.type && entry.ref !== want.ref && hasId(entry, { ...wanted, repo, want }),
  );
  return others.map(
    (other) =>
      `${placeOf(reached.from)} needs ${repo} at ${want.ref} (${reached.by}), and ${placeOf(other)} has it at ${other.entry.ref}: both are locked. ${doWithout(rootOf(reached))}`,
  );
}

/** Warnings of what entries need under `dependencies: warn` and the lock does not have, as many as could be locked. */
function unfollowed(manifest: Manifest, lock: Lock): string[] {
  const entries = entriesOfMode(manifest, lock, 'warn');
  if (entries.length === 0) return [];
  const index = createNeedIndex(lock);
  const missing = (named: NamedEntry) =>
    (named.entry.needs ?? []).filter(
      ({ repo, ref }) => index.satisfying({ type: 'model', repo, ref }).length === 0,
    );
  return entries.flatMap((named) =>
    missing(named)
      .slice(0, MAX_NEEDED)
      .map(
        ({ repo, ref, by }) =>
          `${placeOf(named)}: ${by} names ${repo} at ${ref}, which is not locked; add it with: nix-hug add ${repo}${ref === DEFAULT_REF ? '' : ` --ref ${ref}`}`,
      ),
  );
}
