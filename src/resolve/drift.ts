import { isDeepStrictEqual } from 'node:util';
import { lockedIn, namedEntries, neededEntries, placeOf, withEntries } from '../lock/entries.ts';
import type { Lock, LockedEntry } from '../lock/schema.ts';
import type { Manifest, ManifestEntry, WantedEntry } from '../manifest/schema.ts';
import type { RepoType } from '../repo.ts';
import { missingNeeds, rootOf, withoutUnneeded } from './needed.ts';

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
  const stale = compared.filter(({ reasons }) => reasons.length > 0);
  const regrouped = manifest.entries.flatMap(({ name, type, groups }) => {
    const locked = lockedIn(lock, { name, type });
    return locked === undefined || isDeepStrictEqual(groups, locked.groups)
      ? []
      : [{ entry: name, type, reason: changed('groups', locked.groups, groups) }];
  });
  return {
    stale: stale.map(({ entry }) => entry),
    reasons: [
      ...endpointReasons(manifest, lock),
      ...stale.flatMap(({ entry: { name, type }, reasons }) =>
        reasons.map((reason) => ({ entry: name, type, reason })),
      ),
      ...regrouped,
      ...leftovers(manifest, lock),
      ...needReasons(manifest, lock),
    ],
  };
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
  return [...reasons, ...selectionReasons(entry.select ?? {}, locked.select ?? {})];
}

/** The keys of a selection that the manifest decides. */
const SELECT_KEYS = ['include', 'exclude', 'files', 'format', 'variant', 'quant'] as const;

type PartialSelection = {
  readonly [key in (typeof SELECT_KEYS)[number]]?: readonly string[] | string | undefined;
};

function selectionReasons(wanted: PartialSelection, locked: PartialSelection): string[] {
  return SELECT_KEYS.filter(
    (key) => JSON.stringify(wanted[key]) !== JSON.stringify(locked[key]),
  ).map((key) => changed(key, locked[key], wanted[key]));
}

function leftovers(manifest: Manifest, lock: Lock): Reason[] {
  const wanted = new Set(manifest.entries.map(placeOf));
  return namedEntries(lock)
    .filter((locked) => !wanted.has(placeOf(locked)))
    .map(({ name, type }) => ({ entry: name, type, reason: 'is not in the manifest any more' }));
}

/** What is needed and not locked, and what is locked and no entry needs any more. */
function needReasons(manifest: Manifest, all: Lock): Reason[] {
  const wanted = new Set(manifest.entries.map(placeOf));
  const declared = namedEntries(all).filter((named) => wanted.has(placeOf(named)));
  const lock = withEntries(all, declared);
  const keys = withoutUnneeded(manifest, lock).needed;
  return [
    ...missingNeeds(manifest, lock).map((step) => ({
      entry: rootOf(step).name,
      type: rootOf(step).type,
      reason: `needs ${step.repo} at ${step.ref}, which is not locked (${step.by})`,
    })),
    ...neededEntries(lock)
      .filter(({ name }) => keys?.has(name) !== true)
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
