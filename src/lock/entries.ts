import { byCodeUnit } from '../collections.ts';
import type { RepoType } from '../repo.ts';
import type { Lock, LockedEntry } from './schema.ts';

/** An entry of a lock, with its place. */
export interface NamedEntry {
  readonly type: RepoType;
  readonly name: string;
  readonly entry: LockedEntry;
}

/** The entries of one type in a lock. */
export const entriesOf = (lock: Lock, type: RepoType): ReadonlyMap<string, LockedEntry> =>
  type === 'model' ? lock.models : lock.datasets;

/** The entry of a name; `undefined` when the lock has none. */
export const lockedIn = (
  lock: Lock,
  { type, name }: Pick<NamedEntry, 'type' | 'name'>,
): LockedEntry | undefined => entriesOf(lock, type).get(name);

/** All entries: models before datasets, each sorted by name. */
export function namedEntries({ models, datasets }: Lock): NamedEntry[] {
  return [...inSection('model', models), ...inSection('dataset', datasets)];
}

/** Where an entry stands: `models.mistral`. Unlike the name it is unique in a lock. */
export const placeOf = ({ type, name }: { type: RepoType; name: string }): string =>
  `${type}s.${name}`;

function inSection(type: RepoType, entries: ReadonlyMap<string, LockedEntry>): NamedEntry[] {
  return [...entries]
    .toSorted(([a], [b]) => byCodeUnit(a, b))
    .map(([name, entry]) => ({ type, name, entry }));
}

/**
 * Entries that have one branch or tag of a repository at different commits, as one sentence each.
 * Each builds alone, but a Hub cache has one commit for a ref, and Nix refuses to make it of both.
 */
export function refClashes(lock: Lock): string[] {
  const firsts = new Map<string, NamedEntry>();
  return namedEntries(lock).flatMap((named) => {
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
