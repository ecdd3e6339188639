import { isDeepStrictEqual } from 'node:util';
import { groupBy } from '../collections.ts';
import {
  lockedIn,
  type NamedEntry,
  namedEntries,
  neededEntries,
  placeOf,
  withEntries,
} from '../lock/entries.ts';
import type { Lock, LockedEntry } from '../lock/schema.ts';
import type { Manifest, ManifestEntry, WantedEntry } from '../manifest/schema.ts';
import type { RepoType } from '../repo.ts';
import { minAgeOf, needsFound, rootOf } from './needed.ts';

/** One difference between a lock and its manifest. */
export interface Reason {
  /** Name of the entry; `null` for a reason about the whole file. */
  readonly entry: string | null;
  readonly type: RepoType | null;
  /** The difference, as a phrase about the entry or the file. */
  readonly reason: string;
}

/**
 * Compares a manifest with its lock, without a network.
 *
 * @returns `stale`: the entries of the manifest that have to be resolved; `reasons`: all differences,
 *   also those that need no Hub, such as groups; none when the lock is current
 */
export function driftOf(
  manifest: Manifest,
  lock: Lock,
): { readonly stale: readonly ManifestEntry[]; readonly reasons: readonly Reason[] } {
  const compared = manifest.entries.map((entry) => ({
    entry,
    reasons: entryReasons(entry, lockedIn(lock, entry)),
  }));
  const wanted = new Set(manifest.entries.map(placeOf));
  const locked = namedEntries(lock);
  const declared = locked.filter((named) => wanted.has(placeOf(named)));
  const left = locked.filter((named) => !wanted.has(placeOf(named)));
  const stale = compared.filter(({ reasons }) => reasons.length > 0);
  const regrouped = manifest.entries.flatMap(({ name, type, groups }) => {
    const entry = lockedIn(lock, { name, type });
    return entry === undefined || isDeepStrictEqual(groups, entry.groups)
      ? []
      : [{ entry: name, type, reason: changed('groups', entry.groups, groups) }];
  });
  const dated = manifest.entries.flatMap(({ name, type, minAge }) =>
    minAge === undefined && lockedIn(lock, { name, type })?.date !== undefined
      ? [{ entry: name, type, reason: NEEDLESS_DATE }]
      : [],
  );
  return {
    stale: stale.map(({ entry }) => entry),
    reasons: [
      ...endpointReasons(manifest, lock),
      ...stale.flatMap(({ entry: { name, type }, reasons }) =>
        reasons.map((reason) => ({ entry: name, type, reason })),
      ),
      ...regrouped,
      ...dated,
      ...leftovers(left),
      ...needReasons(manifest, left.length === 0 ? lock : withEntries(lock, declared)),
    ],
  };
}

/** Whether all that a locked entry does not satisfy is that it has no date, which `minimumAge` needs. */
export function isUndated(locked: LockedEntry, { minAge, ...entry }: WantedEntry): boolean {
  return minAge !== undefined && locked.date === undefined && satisfies(locked, entry);
}

/** Whether a locked entry satisfies what the manifest asks for. */
export const satisfies = (locked: LockedEntry | undefined, entry: WantedEntry): boolean =>
  entryReasons(entry, locked).length === 0;

function endpointReasons(manifest: Manifest, lock: Lock): Reason[] {
  if (manifest.endpoint === lock.endpoint) return [];
  const reason = changed('endpoint', lock.endpoint, manifest.endpoint);
  return [{ entry: null, type: null, reason }];
}

function entryReasons(entry: WantedEntry, locked: LockedEntry | undefined): string[] {
  if (locked === undefined) return ['is not locked'];
  const repo = locked.requested ?? locked.repo;
  const version = 'version' in entry.want ? entry.want.version : undefined;
  const ref = 'ref' in entry.want ? entry.want.ref : undefined;
  const reasons: string[] = [];
  if (repo !== entry.repo) reasons.push(changed('repo', repo, entry.repo));
  if (version !== locked.version) reasons.push(changed('version', locked.version, version));
  if (version === undefined && locked.version === undefined && ref !== locked.ref) {
    reasons.push(changed('ref', locked.ref, ref));
  }
  if (entry.minAge !== undefined && locked.date === undefined) reasons.push(NO_DATE);
  const { code } = entry;
  const wanted = { ...entry.select, ...(code === undefined ? {} : { code }) };
  return [...reasons, ...selectionReasons(wanted, locked.select ?? {})];
}

const NO_DATE = 'has no date, which minimumAge needs';
const NEEDLESS_DATE = 'has a date, which only minimumAge needs';

/** The keys of a selection, which the manifest decides. */
const SELECT_KEYS = ['include', 'exclude', 'files', 'format', 'variant', 'quant', 'code'] as const;

type PartialSelection = {
  readonly [key in (typeof SELECT_KEYS)[number]]?: readonly string[] | string | false | undefined;
};

function selectionReasons(wanted: PartialSelection, locked: PartialSelection): string[] {
  return SELECT_KEYS.filter(
    (key) => JSON.stringify(wanted[key]) !== JSON.stringify(locked[key]),
  ).map((key) => changed(key, locked[key], wanted[key]));
}

const leftovers = (left: readonly NamedEntry[]): Reason[] =>
  left.map(({ name, type }) => ({ entry: name, type, reason: 'is not in the manifest any more' }));

/** What is needed and not locked, and what is locked and no entry needs any more. */
function needReasons(manifest: Manifest, lock: Lock): Reason[] {
  const { missing, needed, reached } = needsFound(manifest, lock);
  const steps = groupBy(reached, ({ key }) => key);
  const aboutDates = [...needed].flatMap(([key, { date }]) => {
    const isAged = minAgeOf(manifest, steps.get(key) ?? []) !== undefined;
    if (isAged === (date !== undefined)) return [];
    const place = placeOf({ type: 'model', name: key });
    const reason = `${place}: ${isAged ? NO_DATE : NEEDLESS_DATE}`;
    return [{ entry: null, type: null, reason }];
  });
  return [
    ...aboutDates,
    ...missing.map((step) => ({
      entry: rootOf(step).name,
      type: rootOf(step).type,
      reason: `needs ${step.repo} at ${step.ref}, which is not locked (${step.by})`,
    })),
    ...neededEntries(lock)
      .filter(({ name }) => !needed.has(name))
      .map((named) => ({
        entry: null,
        type: null,
        reason: `${placeOf(named)}: no entry needs it any more`,
      })),
  ];
}

function changed(what: string, from: unknown, to: unknown): string {
  const show = (value: unknown) => (value === undefined ? 'none' : JSON.stringify(value));
  return `${what} changed from ${show(from)} to ${show(to)}`;
}
