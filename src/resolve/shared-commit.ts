import { type ErrorCode, HugError } from '../errors.ts';
import { type NamedEntry, namedEntries, neededEntries, placeOf } from '../lock/entries.ts';
import type { Lock, LockedEntry } from '../lock/schema.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';
import { hasId } from './identity.ts';
import { licenseOfEntry } from './readme.ts';
import { type Resolved, type ResolveContext, lockAt, resolveEntry } from './resolve.ts';
import { lockedTarget } from './target.ts';

/**
 * Finds, for each entry to resolve, a locked entry whose commit it should take: one that stays as it
 * is and has the same `ref`, or the same `version`, of the same repository.
 *
 * @param stale entries of the manifest that the lock does not satisfy
 * @returns without the entries that have none; empty when the lock is of another Hub
 */
export function sharedCommits(
  manifest: Manifest,
  lock: Lock,
  stale: readonly ManifestEntry[],
): ReadonlyMap<ManifestEntry, NamedEntry> {
  if (manifest.endpoint !== lock.endpoint) return new Map();
  const staying = new Set(manifest.entries.filter((entry) => !stale.includes(entry)).map(placeOf));
  const kept = [
    ...namedEntries(lock).filter((locked) => staying.has(placeOf(locked))),
    ...neededEntries(lock),
  ];
  return new Map(
    stale.flatMap((wanted) => {
      const other = kept.find(
        ({ type, entry }) => type === wanted.type && sameTarget(entry, wanted),
      );
      return other === undefined ? [] : [[wanted, other] as const];
    }),
  );
}

/** Whether an entry asks for the repository and ref or version of a locked one, whatever its files. */
function sameTarget(locked: LockedEntry, wanted: ManifestEntry): boolean {
  if (!hasId(locked, wanted)) return false;
  const { want } = wanted;
  if ('version' in want) return want.version === locked.version;
  return locked.version === undefined && want.ref === locked.ref;
}

/** Errors for a commit that is gone or has too few files; another commit may do. */
const NOT_AT_COMMIT: ReadonlySet<ErrorCode> = new Set([
  'EHUG_REVISION_NOT_FOUND',
  'EHUG_REPO_NOT_FOUND',
  'EHUG_NOT_SERVED',
  'EHUG_SELECTION',
]);

/**
 * Resolves an entry at the commit of another one, without looking up its ref. When that commit is
 * gone, or only the newest one has the selected files, the entry is resolved by itself, with a
 * warning.
 *
 * @param other locked entry of the same repository and the same ref or version range
 * @throws HugError those of `resolveEntry`
 */
export async function resolveAtShared(
  wanted: ManifestEntry,
  other: NamedEntry,
  context: ResolveContext,
): Promise<Resolved> {
  const { rev } = other.entry;
  const place = placeOf(other);
  let shared: Resolved | undefined;
  let obstacle = 'include keeps no LFS file there';
  try {
    const target = { ...lockedTarget(other.entry), license: licenseOfEntry(other.entry) };
    const resolved = await lockAt(wanted, target, context);
    shared = {
      ...resolved,
      warnings: resolved.warnings.map((warning) => `at the commit of ${place}: ${warning}`),
    };
    if (!includesNothing(wanted, resolved.entry)) return shared;
  } catch (error) {
    if (!(error instanceof HugError && NOT_AT_COMMIT.has(error.code))) throw error;
    obstacle = error.message;
  }
  const alone = await resolveEntry(wanted, context);
  if (alone.entry.rev === rev) return alone;
  if (shared !== undefined && includesNothing(wanted, alone.entry)) return shared;
  const warning = `cannot share the commit of ${place}: ${obstacle}`;
  return { ...alone, warnings: [warning, ...alone.warnings] };
}

/** Whether `include` kept no LFS file: the files that it names may be newer than the commit. */
const includesNothing = ({ select }: ManifestEntry, { files }: LockedEntry): boolean =>
  select !== undefined &&
  'include' in select &&
  [...files.values()].every(({ lfs }) => lfs === undefined);
