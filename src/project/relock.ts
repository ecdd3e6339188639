import { refClashes } from '../lock/entries.ts';
import { EMPTY_LOCK, formatLock, parseLock } from '../lock/codec.ts';
import { hasConflictMarkers, parseConflict } from '../lock/conflict.ts';
import { entriesOf, placeOf } from '../lock/entries.ts';
import { type Lock, type LockedEntry, LOCKFILE_VERSION } from '../lock/schema.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';
import type { Reason } from '../resolve/drift.ts';
import { repairLock } from '../resolve/repair.ts';
import type { Resolved, ResolveContext } from '../resolve/resolve.ts';
import type { CommandContext } from './context.ts';
import { succeeded, throwRejected } from '../failures.ts';

/** What resolving entries needs from outside. */
export type RelockContext = Pick<CommandContext, 'offline' | 'connect' | 'runTasks' | 'warn'>;

/** The lock as it was found. */
export interface ExistingLock {
  readonly lock: Lock;
  /** Entries of it whose commit alone is to be believed. */
  readonly contested: ReadonlySet<ManifestEntry>;
  readonly warnings: readonly string[];
  /** Why the file is not current, unless for its form. */
  readonly reasons: readonly Reason[];
}

/** A lock that is not written yet. */
export interface LockPlan {
  /** The lock as it was. */
  readonly from: Lock;
  readonly to: Lock;
  /** Content of the file with `to` in it. */
  readonly text: string;
  /** Whether the file differs from it. */
  readonly changed: boolean;
}

/**
 * @param before content of the file; `undefined` when there is none
 * @param warn told of entries that one cache cannot hold together
 */
export function planOf(
  from: Lock,
  to: Lock,
  before: string | undefined,
  warn: (line: string) => void,
): LockPlan {
  for (const clash of refClashes(to)) warn(clash);
  const text = formatLock(to);
  return { from, to, text, changed: text !== before };
}

/**
 * Reads a lock to make it anew; conflict markers of git are resolved.
 *
 * @param file name of the lock, for messages
 * @throws HugError those of the reader
 */
export function readExistingLock(
  text: string | undefined,
  file: string,
  manifest: Manifest,
): ExistingLock {
  if (text === undefined) {
    return { ...sound(EMPTY_LOCK), reasons: whole('there is no lock') };
  }
  if (hasConflictMarkers(text)) {
    const repaired = repairLock(manifest, parseConflict(text, file));
    return { ...repaired, reasons: whole('has conflict markers') };
  }
  return sound(parseLock(text, file));
}

const sound = (lock: Lock): ExistingLock => ({
  lock,
  contested: new Set(),
  warnings: [],
  reasons: [],
});

/** A reason that is about the whole file. */
const whole = (reason: string): readonly Reason[] => [{ entry: null, type: null, reason }];

/** Why a file that was found is not current as a whole, its form included. */
export function formReasons(
  { lock, reasons }: ExistingLock,
  text: string | undefined,
): readonly Reason[] {
  if (reasons.length > 0 || formatLock(lock) === text) return reasons;
  return whole('is not in canonical form');
}

/**
 * Resolves entries at once, whether the lock answers them or not, and tells their warnings.
 *
 * @param from where to ask, and whose digests of plain files are known
 * @param resolve what to do with each entry
 * @throws HugError the failures of all entries in one, each with its entry
 */
export async function resolveAll<T extends Resolved>(
  entries: readonly ManifestEntry[],
  from: { readonly endpoint: string | undefined; readonly lock: Lock },
  resolve: (entry: ManifestEntry, context: ResolveContext) => Promise<T>,
  context: RelockContext,
): Promise<ReadonlyMap<ManifestEntry, T>> {
  const { createPlainHashes } = await import('../resolve/resolve.ts');
  const hashes = createPlainHashes(filesOf(from.lock));
  const hub = await context.connect(from.endpoint);
  try {
    const results = await context.runTasks(
      entries.map((entry) => ({
        title: placeOf(entry),
        run: (report) => resolve(entry, { hub, hashes, report }),
      })),
    );
    throwRejected(entries, results, placeOf);
    const resolved = succeeded(entries, results);
    for (const [entry, { warnings }] of resolved) {
      for (const warning of warnings) context.warn(`${placeOf(entry)}: ${warning}`);
    }
    return resolved;
  } finally {
    await hub.close();
  }
}

/** The lock of a manifest: its entries, from those that were resolved, else from the lock before. */
export function assemble(
  { endpoint, entries }: Manifest,
  lock: Lock,
  resolved: ReadonlyMap<ManifestEntry, LockedEntry>,
): Lock {
  const locked = (type: ManifestEntry['type']) =>
    new Map(
      entries.flatMap((entry) => {
        if (entry.type !== type) return [];
        const value = resolved.get(entry) ?? entriesOf(lock, type).get(entry.name);
        return value === undefined ? [] : [[entry.name, value] as const];
      }),
    );
  return {
    lockfileVersion: LOCKFILE_VERSION,
    ...(endpoint === undefined ? {} : { endpoint }),
    models: locked('model'),
    datasets: locked('dataset'),
  };
}

const filesOf = ({ models, datasets }: Lock) =>
  [...models.values(), ...datasets.values()].flatMap((entry) => [...entry.files.values()]);
