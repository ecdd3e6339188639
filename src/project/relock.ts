import { HugError } from '../errors.ts';
import { requireAll } from '../failures.ts';
import type { HubApi } from '../hub/api.ts';
import { EMPTY_LOCK, formatLock } from '../lock/codec.ts';
import { hasConflictMarkers, parseConflict } from '../lock/conflict.ts';
import {
  lockedIn,
  namedEntries,
  placeOf,
  refClashes,
  withEndpoint,
  withEntries,
  withGroups,
} from '../lock/entries.ts';
import { writeLockText } from '../lock/file.ts';
import { type Lock, type LockedEntry, LOCKFILE_VERSION } from '../lock/schema.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';
import { DEFAULT_ENDPOINT } from '../address.ts';
import type { KnownRepos } from '../resolve/identity.ts';
import { repairLock } from '../resolve/repair.ts';
import type { Resolved, ResolveContext } from '../resolve/resolve.ts';
import type { CommandContext } from './context.ts';
import type { Project } from './project.ts';
import { withHub } from './repository.ts';

/** The lock on disk. */
export interface ExistingLock {
  /** Without entries when there is no file; repaired when it has conflict markers. */
  readonly lock: Lock;
  /** Entries of which only the commit is reliable, after a repair. */
  readonly contested: ReadonlySet<ManifestEntry>;
  /** Why the file as a whole is not current, its form aside. */
  readonly flaw: string | undefined;
}

/**
 * Reads the lock of a project in order to make a new one; conflict markers of git are repaired.
 *
 * @param warn called for what a repair could not decide
 * @throws HugError those of the reader of the lock
 */
export function readExistingLock(
  project: Project,
  warn: (line: string) => void = () => undefined,
): ExistingLock {
  const { manifest, lockName, lockText } = project;
  if (lockText !== undefined && hasConflictMarkers(lockText)) {
    const repaired = repairLock(manifest, parseConflict(lockText, lockName));
    const { entries, contested, rest, warnings } = repaired;
    for (const warning of warnings) warn(warning);
    const lock = withResolved(manifest, rest, entries);
    return { lock, contested, flaw: 'has conflict markers' };
  }
  const lock = project.lock();
  return {
    lock: lock ?? EMPTY_LOCK,
    contested: new Set(),
    flaw: lock === undefined ? 'there is no lock' : undefined,
  };
}

/** Whether a lock has an older version of the format than this nix-hug writes. */
export const isOldLock = ({ lockfileVersion }: Lock): boolean => lockfileVersion < LOCKFILE_VERSION;

/**
 * Refuses a lock of an older version, for commands that change single entries.
 *
 * @throws HugError `EHUG_LOCK_OLD`
 */
export function refuseOldLock(lock: Lock, { lockName }: Project): void {
  if (!isOldLock(lock)) return;
  const { lockfileVersion } = lock;
  throw new HugError(
    'EHUG_LOCK_OLD',
    `${lockName} has version ${lockfileVersion} of the format, and this command writes version ${LOCKFILE_VERSION}`,
    { hint: 'Upgrade it first, with: nix-hug lock' },
  );
}

/** A new lock that is not written yet. */
export interface LockPlan {
  readonly from: Lock;
  readonly to: Lock;
  /** New content of the file. */
  readonly text: string;
  /** Whether that differs from the present content. */
  readonly changed: boolean;
}

/** @param warn called for entries that one cache cannot hold together */
export function planOf(
  from: Lock,
  to: Lock,
  { lockText }: Project,
  warn: (line: string) => void,
): LockPlan {
  for (const clash of refClashes(to)) warn(clash);
  const text = formatLock(to);
  return { from, to, text, changed: text !== lockText };
}

/**
 * Writes a planned lock, unless it changes nothing or `dryRun` forbids it.
 *
 * @throws HugError those of `writeLockText`
 */
export async function applyPlan(
  { text, changed }: LockPlan,
  { lockPath, lockText }: Project,
  dryRun = false,
): Promise<'current' | 'planned' | 'written'> {
  if (!changed) return 'current';
  if (dryRun) return 'planned';
  await writeLockText(lockPath, lockText, text);
  return 'written';
}

/**
 * Resolves entries at once, and passes their warnings on.
 *
 * @param lock whose digests of plain files are not downloaded again
 * @param resolve what to do with each entry
 * @param problem what needs the network, as the message of an error
 * @param accepted entries whose repository may be another one now
 * @throws HugError `EHUG_OFFLINE`; the failures of all entries in one, each with its entry
 */
export async function resolveAll<T extends Resolved>(
  entries: readonly ManifestEntry[],
  manifest: Manifest,
  lock: Lock,
  resolve: (entry: ManifestEntry, context: ResolveContext) => Promise<T>,
  context: CommandContext,
  problem: string,
  accepted?: ReadonlySet<ManifestEntry>,
): Promise<ReadonlyMap<ManifestEntry, T>> {
  const { endpoint } = manifest;
  const { createPlainHashes } = await import('../resolve/resolve.ts');
  const { createByContent } = await import('../resolve/by-content.ts');
  const { createLicenses } = await import('../resolve/readme.ts');
  const known = namedEntries(lock).flatMap(({ entry }) => [...entry.files.values()]);
  const hashes = createPlainHashes(known);
  const licenses = createLicenses(namedEntries(lock).map(({ entry }) => entry));
  const shardIndexes: NonNullable<ResolveContext['shardIndexes']> = createByContent([]);
  const repos = await knownRepos(manifest, lock, accepted);
  const runAll = (hub: HubApi) =>
    context.runTasks(
      entries.map((entry) => ({
        title: placeOf(entry),
        run: (report) => resolve(entry, { hub, repos, hashes, licenses, shardIndexes, report }),
      })),
    );
  const results = await withHub(context, runAll, endpoint, problem);
  const resolved = requireAll(entries, results, placeOf);
  const ofNix = endpoint ?? DEFAULT_ENDPOINT;
  if (context.endpoint !== undefined && context.endpoint !== ofNix) {
    context.warn(
      `locked from ${context.endpoint} (HF_ENDPOINT), but nix build will ask ${ofNix}; set "endpoint" in the manifest to change that`,
    );
  }
  for (const [entry, { warnings }] of resolved) {
    for (const warning of warnings) context.warn(`${placeOf(entry)}: ${warning}`);
  }
  return resolved;
}

/** The repositories that a lock knows; none when it is of another Hub than the manifest. */
export async function knownRepos(
  manifest: Manifest,
  lock: Lock,
  accepted?: ReadonlySet<ManifestEntry>,
): Promise<KnownRepos> {
  const { createKnownRepos } = await import('../resolve/identity.ts');
  return createKnownRepos(manifest.endpoint === lock.endpoint ? lock : EMPTY_LOCK, accepted);
}

/** The lock of a manifest: each entry as it was resolved, else as the old lock has it. */
export function withResolved(
  { endpoint, entries }: Manifest,
  lock: Lock,
  resolved: ReadonlyMap<ManifestEntry, LockedEntry>,
): Lock {
  return withEntries(
    withEndpoint(lock, endpoint),
    entries.flatMap((wanted) => {
      const { type, name, groups } = wanted;
      const entry = resolved.get(wanted) ?? lockedIn(lock, wanted);
      return entry === undefined ? [] : [{ type, name, entry: withGroups(entry, groups) }];
    }),
  );
}
