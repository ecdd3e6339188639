import { EXIT, HugError } from '../errors.ts';
import { formatLock } from '../lock/codec.ts';
import { diffLocks } from '../lock/diff.ts';
import { placeOf } from '../lock/entries.ts';
import { writeLockText } from '../lock/file.ts';
import type { Lock, LockedEntry } from '../lock/schema.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';
import { type Drift, driftOf } from '../resolve/drift.ts';
import { checkText, lockText } from './lock-text.ts';
import type { Output } from './output-schema.ts';
import { type ProjectContext, readProject } from './project.ts';
import { assemble, type Found, readFound, type RelockContext, resolveAll } from './relock.ts';
import type { CommandResult } from './result.ts';

export interface LockOptions {
  /** Write nothing, ask nobody, only tell whether the lock is current. */
  readonly check?: boolean;
  /** Resolve, but write nothing. */
  readonly dryRun?: boolean;
}

/** What `lock` needs from outside. */
export interface LockContext extends ProjectContext, RelockContext {}

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
    json: { changed: text !== found.text, entries } satisfies Output<'lock'>,
    text: lockText({
      file: lockName,
      entries,
      total: manifest.entries.length,
      outcome: text === found.text ? 'current' : write ? 'written' : 'planned',
    }),
    exitStatus: EXIT.ok,
  };
}

function check(file: string, found: Found, drift: Drift): CommandResult {
  const reasons = found.text === undefined ? found.reasons : [...found.reasons, ...drift.reasons];
  const upToDate = reasons.length === 0;
  return {
    json: { upToDate, reasons } satisfies Output<'lock-check'>,
    text: checkText(file, reasons),
    exitStatus: upToDate ? EXIT.ok : EXIT.outOfDate,
  };
}

/** Resolves the stale entries alone; the Hub is not touched when there are none. */
async function resolveStale(
  { endpoint }: Manifest,
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
  const { resolveEntry } = await import('../resolve/resolve.ts');
  const resolved = await resolveAll(stale, { endpoint, lock }, resolveEntry, context);
  return new Map([...resolved].map(([entry, result]) => [entry, result.entry]));
}
