import { HugError } from '../errors.ts';
import { EMPTY_LOCK, formatLock } from '../lock/codec.ts';
import { hasConflictMarkers, parseConflict } from '../lock/conflict.ts';
import { lockedIn, refClashes, withEndpoint, withEntries, withGroups } from '../lock/entries.ts';
import { writeLockText } from '../lock/file.ts';
import { type Lock, type LockedEntry, LOCKFILE_VERSION } from '../lock/schema.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';
import { withoutDate } from '../resolve/age.ts';
import { requirePolicy } from '../resolve/policy.ts';
import { repairLock } from '../resolve/repair.ts';
import type { Resolved } from '../resolve/resolve.ts';
import type { CommandContext } from './context.ts';
import type { Project } from './project.ts';

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
    const kept = [...entries].map(([wanted, entry]) => [wanted, { entry }] as const);
    const lock = withResolved(manifest, rest, new Map(kept));
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

/**
 * Checks a new lock against the policy, and warns of entries that one cache cannot hold together.
 *
 * @throws HugError `EHUG_POLICY`
 */
export function planOf(
  from: Lock,
  to: Lock,
  { manifest, manifestName, lockText }: Project,
  { warn, now }: Pick<CommandContext, 'warn' | 'now'>,
): LockPlan {
  requirePolicy(manifest, to, manifestName, now);
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

/** An entry with the groups of the manifest, and with a date only where the policy needs it. */
export const asDeclared = (entry: LockedEntry, { groups, minAge }: ManifestEntry): LockedEntry =>
  withGroups(minAge === undefined ? withoutDate(entry) : entry, groups);

/** The lock of a manifest: each entry as it was resolved, else as the old lock has it. */
export function withResolved(
  { endpoint, entries }: Manifest,
  lock: Lock,
  resolved: ReadonlyMap<ManifestEntry, Pick<Resolved, 'entry'>>,
): Lock {
  return withEntries(
    withEndpoint(lock, endpoint),
    entries.flatMap((wanted) => {
      const { type, name } = wanted;
      const entry = resolved.get(wanted)?.entry ?? lockedIn(lock, wanted);
      return entry === undefined ? [] : [{ type, name, entry: asDeclared(entry, wanted) }];
    }),
  );
}
