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
import { type ProjectContext, readProject } from './project.ts';
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
  /** Content of the file; `undefined` when there is none. */
  readonly text: string | undefined;
  readonly lock: Lock;
  readonly warnings: readonly string[];
  /** Why the file is not current as a whole. */
  readonly reasons: readonly Reason[];
}

/** `nix-hug lock`: makes the lock match the manifest. */
export async function run(options: LockOptions, context: LockContext): Promise<CommandResult> {
  const { manifest, lockPath, lockName, lockText: before } = await readProject(context);
  const found = readFound(before, lockName, manifest);
  const drift = driftOf(manifest, found.lock);
  if (options.check === true) return check(lockName, found, drift);

  for (const warning of found.warnings) context.warn(warning);
  const lock = assemble(
    manifest,
    found.lock,
    await resolveStale(manifest, found.lock, drift, context),
  );
  const text = formatLock(lock);
  const write = text !== found.text && options.dryRun !== true;
  if (write) await writeLockText(lockPath, text);
  const entries = diffLocks(found.lock, lock);
  return {
    json: { changed: text !== found.text, entries },
    text: lockText({
      file: lockName,
      entries,
      total: manifest.entries.length,
      outcome: text === found.text ? 'current' : write ? 'written' : 'planned',
    }),
    exitStatus: EXIT.ok,
  };
}

function readFound(text: string | undefined, file: string, manifest: Manifest): Found {
  const whole = (reason: string) => [{ entry: null, type: null, reason }];
  if (text === undefined) {
    return { text, lock: EMPTY_LOCK, warnings: [], reasons: whole('there is no lock') };
  }
  if (hasConflictMarkers(text)) {
    const { lock, warnings } = repairLock(manifest, parseConflict(text, file));
    return { text, lock, warnings, reasons: whole('has conflict markers') };
  }
  const lock = parseLock(text, file);
  const reasons = formatLock(lock) === text ? [] : whole('is not in canonical form');
  return { text, lock, warnings: [], reasons };
}

function check(file: string, found: Found, drift: Drift): CommandResult {
  const reasons = found.text === undefined ? found.reasons : [...found.reasons, ...drift.reasons];
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
