import { HugError } from '../errors.ts';
import { type NamedEntry, isNeededKey, lockedIn, placeOf } from '../lock/entries.ts';
import { type Asked, createNeedIndex, type NeedIndex, neededKey } from '../lock/needs.ts';
import type { Lock, LockedEntry } from '../lock/schema.ts';
import { ageMs, type Rule } from '../manifest/policy-schema.ts';
import type { DependencyMode, Manifest } from '../manifest/schema.ts';
import { DEFAULT_REF } from '../repo.ts';

/** Most repositories that one entry of the manifest may need. */
export const MAX_NEEDED = 64;
/** Longest way from an entry of the manifest to what it needs. */
const MAX_DEPTH = 8;

/** A repository that an entry of the manifest needs, and that the manifest does not declare. */
export interface Reached extends Asked {
  /** Its key in `needed`. */
  readonly key: string;
  /** The entry that needs it. */
  readonly from: NamedEntry;
  /** The file of that entry that names it. */
  readonly by: string;
  /** How that entry is reached; absent for one of the manifest. */
  readonly via?: Reached;
}

/** The entries of a manifest that have needs and a mode of `dependencies`, as they are locked. */
export const entriesOfMode = (
  { entries }: Manifest,
  lock: Lock,
  mode: DependencyMode,
): NamedEntry[] =>
  entries.flatMap(({ type, name, dependencies = 'lock' }) => {
    const entry = lockedIn(lock, { type, name });
    return entry?.needs === undefined || dependencies !== mode ? [] : [{ type, name, entry }];
  });

/**
 * What an entry needs and the manifest does not declare, directly or through others, each once by its
 * shortest way; also what the lock does not have yet. A declared entry has needs of its own, which are
 * not followed from here.
 *
 * @throws HugError `EHUG_DEPENDENCY` for more than 64, or a way of more than 8 steps
 */
export function reachedFrom(root: NamedEntry, index: NeedIndex): readonly Reached[] {
  const reached = new Map<string, Reached>();
  let level: readonly { readonly named: NamedEntry; readonly via?: Reached }[] = [{ named: root }];
  for (let depth = 1; level.length > 0; depth += 1) {
    const next: { readonly named: NamedEntry; readonly via: Reached }[] = [];
    for (const { named, via } of level) {
      for (const { repo, ref, by } of named.entry.needs ?? []) {
        const asked: Asked = { type: 'model', repo, ref };
        const key = neededKey(asked);
        const [found] = index.satisfying(asked);
        if (reached.has(key) || (found !== undefined && !isNeededKey(found.name))) continue;
        const step = { ...asked, key, from: named, by, ...(via === undefined ? {} : { via }) };
        if (depth > MAX_DEPTH) throw beyond(step, root, `more than ${MAX_DEPTH} steps`);
        if (reached.size === MAX_NEEDED) {
          throw beyond(step, root, `more than ${MAX_NEEDED} repositories`);
        }
        reached.set(key, step);
        if (found !== undefined) next.push({ named: found, via: step });
      }
    }
    level = next;
  }
  return [...reached.values()];
}

/** What entries of the manifest need and the manifest does not declare, from each of them. */
export function allReached(manifest: Manifest, lock: Lock): readonly Reached[] {
  const roots = entriesOfMode(manifest, lock, 'lock');
  if (roots.length === 0) return [];
  const index = createNeedIndex(lock);
  return roots.flatMap((root) => reachedFrom(root, index));
}

/** What a lock has of what entries need. */
interface NeedsFound {
  /** What entries need and the manifest does not declare. */
  readonly reached: readonly Reached[];
  /** What entries need and the lock does not have. */
  readonly missing: readonly Reached[];
  /** The needed entries that entries do need, by key. */
  readonly needed: ReadonlyMap<string, LockedEntry>;
}

/** Compares what entries of the manifest need with what the lock has of it. */
export function needsFound(manifest: Manifest, lock: Lock): NeedsFound {
  const reached = allReached(manifest, lock);
  const keys = new Set(reached.map(({ key }) => key));
  const needed = lock.needed ?? new Map<string, LockedEntry>();
  return {
    reached,
    missing: reached.filter(({ key }) => !needed.has(key)),
    needed: new Map([...needed].filter(([key]) => keys.has(key))),
  };
}

/** Whether all entries that need a repository, by these ways, may break a rule. */
export function isExempt({ entries }: Manifest, steps: readonly Reached[], rule: Rule): boolean {
  const roots = new Set(steps.map((step) => placeOf(rootOf(step))));
  return entries.every(
    (entry) => !roots.has(placeOf(entry)) || entry.allow?.includes(rule) === true,
  );
}

/** How old the commit of what entries need must be, in ms; `undefined` where no rule says so. */
export function minAgeOf(manifest: Manifest, steps: readonly Reached[]): number | undefined {
  const age = manifest.policy?.minimumAge;
  return age === undefined || isExempt(manifest, steps, 'minimumAge') ? undefined : ageMs(age);
}

const beyond = (step: Reached, root: NamedEntry, what: string): HugError =>
  new HugError('EHUG_DEPENDENCY', `${placeOf(root)} leads to ${what} that it needs`, {
    details: [`the last one: ${wayTo(step)}`],
    hint: doWithout(root),
  });

/** How a user stops following what an entry needs. */
export const doWithout = (root: NamedEntry): string =>
  `To lock it without, set "dependencies: ignore" on ${placeOf(root)} in the manifest, then run nix-hug lock.`;

/** The entry of the manifest that a way begins at. */
export const rootOf = ({ from, via }: Reached): NamedEntry =>
  via === undefined ? from : rootOf(via);

/** A way as text: `models.lora → org/base (adapter_config.json) → org/code (config.json)`. */
export function wayTo({ from, by, repo, ref, via }: Reached): string {
  const before = via === undefined ? placeOf(from) : wayTo(via);
  return `${before} → ${repo}${ref === DEFAULT_REF ? '' : ` at ${ref}`} (${by})`;
}
