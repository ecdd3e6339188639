import { EXIT } from '../errors.ts';
import { formatLock } from '../lock/codec.ts';
import { diffLocks } from '../lock/diff.ts';
import { lockedIn, placeOf } from '../lock/entries.ts';
import { type Lock, type LockedEntry, LOCKFILE_VERSION } from '../lock/schema.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';
import type { Output } from '../output/json-schema.ts';
import { checkText, lockText, nextAfter } from '../output/lock-changes.ts';
import type { CommandResult } from '../output/result.ts';
import type { CommandContext } from '../project/context.ts';
import { type Project, readProject } from '../project/project.ts';
import {
  type ExistingLock,
  type LockPlan,
  applyPlan,
  planOf,
  readExistingLock,
  resolveAll,
  withResolved,
} from '../project/relock.ts';
import { driftOf } from '../resolve/drift.ts';

interface LockOptions {
  /** Only compare the lock with the manifest, without a network. */
  readonly check?: boolean;
  /** Resolve, but write nothing. */
  readonly dryRun?: boolean;
}

/** `nix-hug lock`: makes the lock match the manifest. */
export async function run(context: CommandContext, options: LockOptions): Promise<CommandResult> {
  const project = readProject(context);
  if (options.check === true) return check(project);

  const plan = await planLock(project, context);
  const outcome = await applyPlan(plan, project, options.dryRun);
  const entries = diffLocks(plan.from, plan.to);
  return {
    json: { changed: plan.changed, entries } satisfies Output<'lock'>,
    text: lockText({
      file: project.lockName,
      entries,
      total: project.manifest.entries.length,
      outcome,
    }),
    next: nextAfter(outcome),
    exitStatus: EXIT.ok,
  };
}

/**
 * Resolves the entries of the manifest that the lock does not satisfy; writes nothing.
 *
 * @param project its manifest may be one that is not written yet
 * @throws HugError those of the Hub client, of the reader of the lock and of `resolveEntry`;
 *   `EHUG_OFFLINE`
 */
export async function planLock(project: Project, context: CommandContext): Promise<LockPlan> {
  const existing = readExistingLock(project, context.warn);
  const resolved = await resolveStale(project.manifest, existing, context);
  const to = withResolved(project.manifest, existing.lock, resolved);
  return planOf(existing.lock, to, project, context.warn);
}

function check(project: Project): CommandResult {
  const { lock, flaw } = readExistingLock(project);
  const form = formatLock(lock) === project.lockText ? undefined : 'is not in canonical form';
  const age = lock.lockfileVersion < LOCKFILE_VERSION ? oldVersion(lock) : undefined;
  const ofFile = [flaw ?? form, age].filter((reason) => reason !== undefined);
  const reasons = [
    ...ofFile.map((reason) => ({ entry: null, type: null, reason })),
    ...(project.lockText === undefined ? [] : driftOf(project.manifest, lock).reasons),
  ];
  const upToDate = reasons.length === 0;
  return {
    json: { upToDate, reasons } satisfies Output<'lock-check'>,
    text: checkText(project.lockName, reasons),
    exitStatus: upToDate ? EXIT.ok : EXIT.outOfDate,
  };
}

const oldVersion = ({ lockfileVersion }: Lock): string =>
  `has version ${lockfileVersion} of the format; version ${LOCKFILE_VERSION} is current`;

/** Resolves stale and contested entries; without any, it sends no request. */
async function resolveStale(
  manifest: Manifest,
  { lock, contested }: ExistingLock,
  context: CommandContext,
): Promise<ReadonlyMap<ManifestEntry, LockedEntry>> {
  const { stale } = driftOf(manifest, lock);
  const unknown = [...stale, ...contested];
  if (unknown.length === 0) return new Map();
  const { resolveAgain, resolveEntry } = await import('../resolve/resolve.ts');
  const { resolveAtShared, sharedCommits } = await import('../resolve/shared-commit.ts');
  const shared = sharedCommits(manifest, lock, stale);
  const resolved = await resolveAll(
    unknown,
    manifest,
    lock,
    (entry, resolving) => {
      const locked = contested.has(entry) ? lockedIn(lock, entry) : undefined;
      if (locked !== undefined) return resolveAgain(entry, locked, resolving);
      const other = shared.get(entry);
      return other === undefined
        ? resolveEntry(entry, resolving)
        : resolveAtShared(entry, other, resolving);
    },
    context,
    `resolving ${unknown.map(placeOf).join(', ')} needs the network`,
  );
  return new Map([...resolved].map(([entry, result]) => [entry, result.entry]));
}
