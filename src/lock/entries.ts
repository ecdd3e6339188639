import { isDeepStrictEqual } from 'node:util';
import { byCodeUnit } from '../collections.ts';
import type { RepoType } from '../repo.ts';
import type { Lock, LockedEntry } from './schema.ts';

/** An entry of a lock with its type and name. */
export interface NamedEntry {
  readonly type: RepoType;
  /** The name in the manifest; of what entries need, its key in `needed`: `models/org/base@main`. */
  readonly name: string;
  readonly entry: LockedEntry;
}

/**
 * A lock with other entries; of two at one place, the last one counts.
 *
 * @param lock gives everything else
 */
export function withEntries(lock: Lock, entries: readonly NamedEntry[]): Lock {
  const section = (type: RepoType) =>
    new Map(
      entries.flatMap((named) => (named.type === type ? [[named.name, named.entry] as const] : [])),
    );
  return { ...lock, models: section('model'), datasets: section('dataset') };
}

/** The entries of one type in a lock. */
const entriesOf = (lock: Lock, type: RepoType): ReadonlyMap<string, LockedEntry> =>
  type === 'model' ? lock.models : lock.datasets;

/** The entry of a name, or of a key of `needed`; `undefined` when the lock has none. */
export const lockedIn = (
  lock: Lock,
  { type, name }: Pick<NamedEntry, 'type' | 'name'>,
): LockedEntry | undefined =>
  isNeededKey(name) ? lock.needed?.get(name) : entriesOf(lock, type).get(name);

/** All entries of the manifest: models before datasets, each sorted by name. */
export function namedEntries(lock: Lock): NamedEntry[] {
  return (['model', 'dataset'] as const).flatMap((type) =>
    [...entriesOf(lock, type)]
      .toSorted(([a], [b]) => byCodeUnit(a, b))
      .map(([name, entry]) => ({ type, name, entry })),
  );
}

/** What entries need and the manifest does not declare, sorted by key. */
export function neededEntries({ needed = new Map<string, LockedEntry>() }: Lock): NamedEntry[] {
  return [...needed]
    .toSorted(([a], [b]) => byCodeUnit(a, b))
    .map(([key, entry]) => ({
      type: key.startsWith('datasets/') ? ('dataset' as const) : ('model' as const),
      name: key,
      entry,
    }));
}

/** All entries of the manifest, then what they need. */
export const allEntries = (lock: Lock): NamedEntry[] => [
  ...namedEntries(lock),
  ...neededEntries(lock),
];

/** A lock with other needed entries, by key. */
export function withNeeded(lock: Lock, needed: ReadonlyMap<string, LockedEntry>): Lock {
  const { needed: _before, ...rest } = lock;
  return needed.size === 0 ? rest : { ...rest, needed };
}

/**
 * The place of an entry: `models.mistral`, or `needed.models/org/base@main`. Unlike the name it is
 * unique in a lock.
 */
export const placeOf = ({ type, name }: { type: RepoType; name: string }): string =>
  isNeededKey(name) ? `needed.${name}` : `${type}s.${name}`;

/** Whether a name is a key of `needed`: those have a slash, and no name in a manifest has. */
export const isNeededKey = (name: string): boolean => name.includes('/');

/**
 * Warnings about entries that have one branch or tag of a repository at different commits. Each
 * builds alone, but a Hub cache has one commit per ref, so Nix refuses to build a cache of both.
 */
export function refClashes(lock: Lock): string[] {
  const firsts = new Map<string, NamedEntry>();
  return allEntries(lock).flatMap((named) => {
    const { repo, ref, rev } = named.entry;
    const key = JSON.stringify([named.type, repo, ref]);
    const first = firsts.get(key) ?? named;
    firsts.set(key, first);
    if (first.entry.rev === rev) return [];
    return [
      `${placeOf(first)} and ${placeOf(named)} have ${ref} of ${repo} at different commits, and one cache cannot hold both; update both`,
    ];
  });
}

/** A lock with the endpoint of a manifest, or without one. */
export function withEndpoint(lock: Lock, endpoint: string | undefined): Lock {
  const { endpoint: _before, ...rest } = lock;
  return endpoint === undefined ? rest : { ...rest, endpoint };
}

/** An entry in other groups; the same entry when it is in these already. */
export function withGroups(entry: LockedEntry, groups: readonly string[] | undefined): LockedEntry {
  if (isDeepStrictEqual(entry.groups, groups)) return entry;
  const { groups: _before, ...rest } = entry;
  return groups === undefined ? rest : { ...rest, groups };
}
