import { type LockedSnapshot, snapshotOfEntry } from '../copy/blob.ts';
import type { ListedSnapshot } from '../copy/to-cache.ts';
import {
  isNeededKey,
  lockedIn,
  type NamedEntry,
  namedEntries,
  neededEntries,
  placeOf,
} from '../lock/entries.ts';
import { createNeedIndex, type ReachedEntry } from '../lock/needs.ts';
import type { Lock } from '../lock/schema.ts';
import type { CommandContext } from './context.ts';
import { entriesNamed } from './entries.ts';
import { chooseGroups, type GroupOptions, leftOutNote } from './groups.ts';
import { readLock } from './project.ts';

/** The entries that a command works on. */
export interface ChosenEntries {
  /** Those that were asked for, in the order of the lock, then what they need. */
  readonly entries: readonly ReachedEntry[];
  /** A sentence on the entries that are left out; `undefined` when none is. */
  readonly note: string | undefined;
}

/** How a command chooses. */
interface Choice {
  /** Whether it takes the entries of all groups unless the user names one; default no. */
  readonly allGroups?: boolean;
  /** Applies a selection to an entry that was asked for; what it needs is taken as it is locked. */
  readonly narrow?: (entry: NamedEntry) => NamedEntry;
}

/**
 * The entries that the user names, else those of the groups, and what they need. Where no entry is left
 * out, that is everything of the lock.
 *
 * @throws HugError `EHUG_ENTRY_UNKNOWN`, `EHUG_GROUP_UNKNOWN`, `EHUG_USAGE`; those of `narrow`
 */
export function chosenEntries(
  lock: Lock,
  names: readonly string[],
  options: GroupOptions,
  { allGroups = false, narrow = (entry) => entry }: Choice = {},
): ChosenEntries {
  const groupedOf = ({ type, name, entry: { groups = [] } }: NamedEntry) => ({
    type,
    name,
    groups,
  });
  const named = entriesNamed(lock, names);
  const { taken, left } = chooseGroups(named, groupedOf, names, options, allGroups);
  const index = createNeedIndex(lock);
  const reached = index.withNeeded(taken.map(narrow));
  // A selection that drops what names a repository does not make it one that nothing needs.
  const isUnneeded = notAmong(index.withNeeded(taken));
  const isWhole = names.length === 0 && !namedEntries(lock).some(isUnneeded);
  return {
    entries: isWhole ? [...reached, ...neededEntries(lock).filter(isUnneeded)] : reached,
    note: leftOutNote(left.filter(notAmong(reached)).map(groupedOf)),
  };
}

function notAmong(entries: readonly NamedEntry[]): (entry: NamedEntry) => boolean {
  const places = new Set(entries.map(placeOf));
  return (entry) => !places.has(placeOf(entry));
}

/** Whether an entry was not asked for, and is there for others. */
export const isOnlyNeeded = ({ name, neededBy }: ReachedEntry): boolean =>
  neededBy !== undefined || isNeededKey(name);

/** A snapshot of an entry that a command works on. */
export interface ChosenSnapshot extends LockedSnapshot {
  readonly isOnlyNeeded: boolean;
  /**
   * The argument by which a command takes it: its place, or that of an entry that needs it. None when
   * no entry does, and only a command for the whole lock takes it.
   */
  readonly argument: string | undefined;
}

/**
 * An entry that a command works on as a snapshot.
 *
 * @param lock that has the entry
 */
function chosenSnapshot(entry: ReachedEntry, lock: Lock): ChosenSnapshot {
  const { name, neededBy = entry } = entry;
  return {
    ...snapshotOfEntry(entry, lock.endpoint),
    isOnlyNeeded: isOnlyNeeded(entry),
    argument: isNeededKey(name) && neededBy === entry ? undefined : placeOf(neededBy),
  };
}

/**
 * Reads the lock, and chooses the entries that a command works on.
 *
 * @throws HugError those of `readLock` and `chosenEntries`
 */
export function readChosen(
  context: CommandContext,
  names: readonly string[],
  options: GroupOptions,
  choice?: Choice,
): ChosenEntries & { readonly lock: Lock; readonly snapshots: readonly ChosenSnapshot[] } {
  const lock = readLock(context, names);
  const { entries, note } = chosenEntries(lock, names, options, choice);
  const snapshots = entries.map((entry) => chosenSnapshot(entry, lock));
  return { lock, entries, snapshots, note };
}

/** A snapshot of an entry with the file list that a cache gets: a lock has the files of the entry's selection. */
export function listedSnapshot(entry: ReachedEntry, lock: Lock): ChosenSnapshot & ListedSnapshot {
  const whole = lockedIn(lock, entry) ?? entry.entry;
  return {
    ...chosenSnapshot(entry, lock),
    listed: snapshotOfEntry({ ...entry, entry: whole }, lock.endpoint).files,
    isWhole: whole.select === undefined,
    isNewest: false,
  };
}

/** A command that takes some of these snapshots, as the user can type it. */
export const commandFor = (
  command: string,
  snapshots: readonly Pick<ChosenSnapshot, 'argument'>[],
): string =>
  [...new Set([`nix-hug ${command}`, ...snapshots.flatMap(({ argument }) => argument ?? [])])].join(
    ' ',
  );
