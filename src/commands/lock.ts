import { EXIT, HugError } from '../errors.ts';
import type { HubApi } from '../hub/api.ts';
import { formatLock, EMPTY_LOCK, parseLock } from '../lock/codec.ts';
import { hasConflictMarkers, parseConflict } from '../lock/conflict.ts';
import { diffLocks } from '../lock/diff.ts';
import { placeOf } from '../lock/entries.ts';
import { writeLockText } from '../lock/file.ts';
import { type Lock, type LockedEntry, LOCKFILE_VERSION } from '../lock/schema.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';
import { type Drift, driftOf, entriesOf, type Reason } from '../resolve/drift.ts';
import { repairLock } from '../resolve/repair.ts';
import { throwFailures } from './failures.ts';
import { checkText, lockText } from './lock-text.ts';
import { type Project, type ProjectContext, readProject } from './project.ts';
import type { CommandResult } from './result.ts';
import type { TaskRunner } from './tasks.ts';

export interface LockOptions {
  /** Write nothing, ask nobody, only tell whether the lock is current. */
  readonly check?: boolean;
  /** Resolve, but write nothing. */
  readonly dryRun?: boolean;
}

/** What `lock` needs from outside. */
export interface LockContext extends ProjectContext {
  readonly offline: boolean;
  /** Opens a Hub client; the caller closes it. */
  readonly connect: (endpoint: string | undefined) => Promise<HubApi>;
  readonly runTasks: TaskRunner;
  readonly warn: (line: string) => void;
}

/** The lock as it was found. */
interface Found {
  readonly lock: Lock;
  readonly warnings: readonly string[];
  /** Why the file is not current as a whole. */
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

/** `nix-hug lock`: makes the lock match the manifest. */
export async function run(options: LockOptions, context: LockContext): Promise<CommandResult> {
  const project = await readProject(context);
  const { manifest, lockPath, lockName } = project;
  if (options.check === true) return check(project);

  const { from, to, text, changed } = await planLock(project, context);
  const write = changed && options.dryRun !== true;
  if (write) await writeLockText(lockPath, text);
  const entries = diffLocks(from, to);
  return {
    json: { changed, entries },
    text: lockText({
      file: lockName,
      entries,
      total: manifest.entries.length,
      outcome: changed ? (write ? 'written' : 'planned') : 'current',
    }),
    exitStatus: EXIT.ok,
  };
}

/**
 * Resolves what the manifest asks for and the lock does not have; nothing is written.
 *
 * @param project whose manifest need not be written either
 * @throws HugError of the Hub client and of the reader of the lock; `EHUG_OFFLINE`, and those of
 *   `resolveEntry`
 */
export async function planLock(
  { manifest, lockName, lockText: before }: Project,
  context: LockContext,
): Promise<LockPlan> {
  const found = readFound(before, lockName, manifest);
  for (const warning of found.warnings) context.warn(warning);
  const drift = driftOf(manifest, found.lock);
  const resolved = await resolveStale(manifest, found.lock, drift, context);
  const to = assemble(manifest, found.lock, resolved);
  const text = formatLock(to);
  return { from: found.lock, to, text, changed: text !== before };
}

function readFound(text: string | undefined, file: string, manifest: Manifest): Found {
  const whole = (reason: string) => [{ entry: null, type: null, reason }];
  if (text === undefined) {
    return { lock: EMPTY_LOCK, warnings: [], reasons: whole('there is no lock') };
  }
  if (hasConflictMarkers(text)) {
    const { lock, warnings } = repairLock(manifest, parseConflict(text, file));
    return { lock, warnings, reasons: whole('has conflict markers') };
  }
  const lock = parseLock(text, file);
  const reasons = formatLock(lock) === text ? [] : whole('is not in canonical form');
  return { lock, warnings: [], reasons };
}

function check({ manifest, lockName: file, lockText: text }: Project): CommandResult {
  const found = readFound(text, file, manifest);
  const drift = driftOf(manifest, found.lock);
  const reasons = text === undefined ? found.reasons : [...found.reasons, ...drift.reasons];
  const upToDate = reasons.length === 0;
  return {
    json: { upToDate, reasons },
    text: checkText(file, reasons),
    exitStatus: upToDate ? EXIT.ok : EXIT.outOfDate,
  };
}

/** Resolves the stale entries alone; the Hub is not touched when there are none. */
async function resolveStale(
  manifest: Manifest,
  lock: Lock,
  { stale }: Drift,
  context: LockContext,
): Promise<ReadonlyMap<ManifestEntry, LockedEntry>> {
  if (stale.length === 0) return new Map();
  if (context.offline) {
    throw new HugError('EHUG_OFFLINE', `not locked yet: ${stale.map(placeOf).join(', ')}`, {
      hint: 'Run nix-hug lock once without --offline and HF_HUB_OFFLINE.',
    });
  }
  const { createPlainHashes, resolveEntry } = await import('../resolve/resolve.ts');
  const hashes = createPlainHashes(filesOf(lock));
  const hub = await context.connect(manifest.endpoint);
  try {
    const results = await context.runTasks(
      stale.map((entry) => ({
        title: placeOf(entry),
        run: (report) => resolveEntry(entry, { hub, hashes, report }),
      })),
    );
    failOnRejected(stale, results);
    return new Map(
      stale.flatMap((entry, index) => {
        const result = results[index];
        if (result?.status !== 'fulfilled') return [];
        for (const warning of result.value.warnings) context.warn(`${placeOf(entry)}: ${warning}`);
        return [[entry, result.value.entry] as const];
      }),
    );
  } finally {
    await hub.close();
  }
}

const filesOf = ({ models, datasets }: Lock) =>
  [...models.values(), ...datasets.values()].flatMap((entry) => [...entry.files.values()]);

/** Names every entry that failed. */
function failOnRejected(
  entries: readonly ManifestEntry[],
  results: readonly PromiseSettledResult<unknown>[],
): void {
  throwFailures(
    results.flatMap((result, index) => {
      const entry = entries[index];
      if (result.status === 'fulfilled' || entry === undefined) return [];
      const { reason } = result;
      return [reason instanceof HugError ? reason.within(placeOf(entry)) : reason];
    }),
  );
}

function assemble(
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
