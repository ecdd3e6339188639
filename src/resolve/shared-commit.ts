import { type NamedEntry, namedEntries, placeOf } from '../lock/entries.ts';
import type { Lock, LockedEntry } from '../lock/schema.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';

/**
 * Entries that are to be resolved, each with one that stays locked and whose commit it should take:
 * both want the same `ref`, or the same `version`, of one repository. Those without such an entry
 * are left out, and all of them when the lock is of another Hub.
 *
 * @param stale entries that the lock does not answer
 */
export function sharedCommits(
  manifest: Manifest,
  lock: Lock,
  stale: readonly ManifestEntry[],
): ReadonlyMap<ManifestEntry, NamedEntry> {
  if (manifest.endpoint !== lock.endpoint) return new Map();
  const staying = new Set(manifest.entries.filter((entry) => !stale.includes(entry)).map(placeOf));
  const kept = namedEntries(lock).filter((locked) => staying.has(placeOf(locked)));
  return new Map(
    stale.flatMap((wanted) => {
      const other = kept.find(
        ({ type, entry }) => type === wanted.type && sameTarget(entry, wanted),
      );
      return other === undefined ? [] : [[wanted, other] as const];
    }),
  );
}

/** Whether an entry asks for what a locked one was resolved from, whatever files it selects. */
function sameTarget(
  { repo, requested, version, ref }: LockedEntry,
  { repo: id, want }: ManifestEntry,
): boolean {
  const isSameRepo = [repo, requested].some((known) => known?.toLowerCase() === id.toLowerCase());
  if ('version' in want) return isSameRepo && want.version === version;
  return isSameRepo && version === undefined && want.ref === ref;
}
