import { byCodeUnit } from '../code-unit.ts';
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
