import { EXIT, HugError } from '../errors.ts';
import { diffLocks } from '../lock/diff.ts';
import { lockedIn, placeOf } from '../lock/entries.ts';
import { writeLockText } from '../lock/file.ts';
import type { LockedEntry } from '../lock/schema.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';
import { driftOf } from '../resolve/drift.ts';
import { sharedCommits } from '../resolve/shared-commit.ts';
import type { Output } from '../output/json-schema.ts';
import { type Project, type ProjectContext, readProject } from '../project/project.ts';
import type { CommandResult } from '../output/result.ts';
import { checkText, lockText } from '../output/lock-changes.ts';
import {
  assemble,
  formReasons,
  type ExistingLock,
  type LockPlan,
  planOf,
  readExistingLock,
  type RelockContext,
  resolveAll,
} from '../project/relock.ts';

export interface LockOptions {
  /** Write nothing, ask nobody, only tell whether the lock is current. */
  readonly check?: boolean;
  /** Resolve, but write nothing. */
  readonly dryRun?: boolean;
}

/** What `lock` needs from outside. */
export type LockContext = ProjectContext & RelockContext;

/** `nix-hug lock`: makes the lock match the manifest. */
export async function run(options: LockOptions, context: LockContext): Promise<CommandResult> {
  const project = readProject(context);
  const { manifest, lockPath, lockName, lockText: before } = project;
  if (options.check === true) return check(project);

  const { from, to, text, changed } = await planLock(project, context);
  const write = changed && options.dryRun !== true;
  if (write) await writeLockText(lockPath, before, text);
  const entries = diffLocks(from, to);
  return {
    json: { changed, entries } satisfies Output<'lock'>,
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
  const found = readExistingLock(before, lockName, manifest);
  for (const warning of found.warnings) context.warn(warning);
  const resolved = await resolveStale(manifest, found, context);
  const to = assemble(manifest, found.lock, resolved);
  return planOf(found.lock, to, before, context.warn);
}

function check({ manifest, lockName: file, lockText: text }: Project): CommandResult {
  const found = readExistingLock(text, file, manifest);
  const drift = driftOf(manifest, found.lock);
  const reasons = [...formReasons(found, text), ...(text === undefined ? [] : drift.reasons)];
  const upToDate = reasons.length === 0;
  return {
    json: { upToDate, reasons } satisfies Output<'lock-check'>,
    text: checkText(file, reasons),
    exitStatus: upToDate ? EXIT.ok : EXIT.outOfDate,
  };
}

/** Resolves stale and contested entries alone; the Hub is not touched when there are none. */
async function resolveStale(
  manifest: Manifest,
  { lock, contested }: ExistingLock,
  context: LockContext,
): Promise<ReadonlyMap<ManifestEntry, LockedEntry>> {
  const { stale } = driftOf(manifest, lock);
  const unknown = [...stale, ...contested];
  if (unknown.length === 0) return new Map();
  if (context.offline) {
    const places = unknown.map(placeOf).join(', ');
    throw new HugError('EHUG_OFFLINE', `only the Hub knows the files of ${places}`, {
      hint: 'Run nix-hug lock once without --offline and HF_HUB_OFFLINE.',
    });
  }
  const shared = sharedCommits(manifest, lock, stale);
  const { resolveAgain, resolveEntry, resolveWith } = await import('../resolve/resolve.ts');
  const resolved = await resolveAll(
    unknown,
    { endpoint: manifest.endpoint, lock },
    (entry, resolving) => {
      const locked = contested.has(entry) ? lockedIn(lock, entry) : undefined;
      if (locked !== undefined) return resolveAgain(entry, locked, resolving);
      const other = shared.get(entry);
      return other === undefined
        ? resolveEntry(entry, resolving)
        : resolveWith(entry, other, resolving);
    },
    context,
  );
  return new Map([...resolved].map(([entry, result]) => [entry, result.entry]));
}
