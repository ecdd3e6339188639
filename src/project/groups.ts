import { byCodeUnit } from '../collections.ts';
import { HugError, usageError } from '../errors.ts';
import { placeOf } from '../lock/entries.ts';
import { quote } from '../quote.ts';
import type { RepoType } from '../repo.ts';

/** Options that choose entries by their groups. */
export interface GroupOptions {
  readonly group?: readonly string[] | undefined;
  readonly allGroups?: boolean | undefined;
}

/** An entry and the groups that it is in; none for one that is always taken. */
interface Grouped {
  readonly type: RepoType;
  readonly name: string;
  readonly groups: readonly string[];
}

/** The entries that a command works on. */
interface GroupChoice<E> {
  readonly taken: readonly E[];
  readonly left: readonly E[];
  /** A sentence on the entries that are left out; `undefined` when none is. */
  readonly note: string | undefined;
}

/**
 * Chooses entries by groups: those without groups, and those of the groups that the user names.
 *
 * @param entries those of the names, or all
 * @param names of entries that the user names: these are taken whatever their groups
 * @param all what belongs to no named group is taken too, unless the user names a group
 * @throws HugError `EHUG_GROUP_UNKNOWN`; `EHUG_USAGE` for groups beside names
 */
export function chooseGroups<E>(
  entries: readonly E[],
  groupedOf: (entry: E) => Grouped,
  names: readonly string[],
  { group = [], allGroups = false }: GroupOptions,
  all = false,
): GroupChoice<E> {
  const isGiven = group.length > 0 || allGroups;
  if (names.length > 0 && isGiven) {
    const hint = 'A named entry is taken whatever its groups: leave --group and --all-groups out.';
    throw usageError('names of entries and groups cannot be combined', hint);
  }
  requireKnown(group, new Set(entries.flatMap((entry) => groupedOf(entry).groups)));
  if (names.length > 0 || allGroups || (all && !isGiven)) {
    return { taken: entries, left: [], note: undefined };
  }
  const isTaken = (entry: E) => {
    const { groups } = groupedOf(entry);
    return groups.length === 0 || groups.some((one) => group.includes(one));
  };
  const left = entries.filter((entry) => !isTaken(entry));
  return { taken: entries.filter(isTaken), left, note: leftOutNote(left.map(groupedOf)) };
}

/** A sentence on entries that are left out; `undefined` when there are none. */
export function leftOutNote(left: readonly Grouped[]): string | undefined {
  if (left.length === 0) return undefined;
  const places = left.map((one) => `${placeOf(one)} (${one.groups.join(', ')})`);
  return `left out: ${places.join(', ')}; --group NAME or --all-groups takes them`;
}

function requireKnown(wanted: readonly string[], known: ReadonlySet<string>): void {
  const [first, ...others] = wanted
    .filter((group) => !known.has(group))
    .map((group) => `no entry is in the group ${quote(group)}`);
  if (first === undefined) return;
  const list = [...known].toSorted(byCodeUnit).join(', ');
  const hint = list === '' ? 'No entry is in any group.' : `The groups are: ${list}`;
  throw new HugError('EHUG_GROUP_UNKNOWN', first, { details: others, hint });
}

/** @throws HugError `EHUG_USAGE` for groups beside a repository, which is in none */
export function refuseGroupsOfUrls(
  urls: readonly string[],
  { group = [], allGroups = false }: GroupOptions,
): void {
  if (urls.length === 0 || (group.length === 0 && !allGroups)) return;
  throw usageError('--group and --all-groups need entries of the lock, not a repository');
}
