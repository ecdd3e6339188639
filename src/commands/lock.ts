import { type ErrorCode, EXIT, HugError } from '../errors.ts';
import { formatLock } from '../lock/codec.ts';
import { hasMoved } from '../lock/compare.ts';
import { diffLocks } from '../lock/diff.ts';
import { lockedIn, placeOf } from '../lock/entries.ts';
import { type Lock, type LockedEntry, LOCKFILE_VERSION } from '../lock/schema.ts';
import type { ManifestEntry } from '../manifest/schema.ts';
import type { Output } from '../output/json-schema.ts';
import { checkText, lockText, nextAfter } from '../output/lock-changes.ts';
import type { CommandResult } from '../output/result.ts';
import type { CommandContext } from '../project/context.ts';
import { lockNeeds, type Start } from '../project/dependencies.ts';
import { type Project, readProject } from '../project/project.ts';
import {
  type ExistingLock,
  type LockPlan,
  applyPlan,
  isOldLock,
  planOf,
  readExistingLock,
  withResolved,
} from '../project/relock.ts';
import { openResolving, type Resolving } from '../project/resolving.ts';
import { driftOf, isUndated } from '../resolve/drift.ts';
import { policyLines } from '../resolve/policy.ts';
import type { Resolved, ResolveContext } from '../resolve/resolve.ts';

interface LockOptions {
  /** Only compare the lock with the manifest, without a network. */
  readonly check?: boolean;
  /** Resolve, but write nothing. */
  readonly dryRun?: boolean;
}

/** `nix-hug lock`: makes the lock match the manifest. */
export async function run(context: CommandContext, options: LockOptions): Promise<CommandResult> {
  const project = readProject(context);
  if (options.check === true) return check(project, context.now);

  const plan = await planLock(project, context);
  const outcome = await applyPlan(plan, project, options.dryRun);
  const entries = diffLocks(plan.from, plan.to);
  const isUpgrade = plan.from.lockfileVersion < plan.to.lockfileVersion;
  return {
    json: { changed: plan.changed, entries } satisfies Output<'lock'>,
    text: lockText({
      file: project.lockName,
      entries: isUpgrade ? entries.filter(hasMoved) : entries,
      ...(isUpgrade ? { upgradedFrom: plan.from.lockfileVersion } : {}),
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
 * @param start where entries begin, and what they need; others begin at their newest commit
 * @throws HugError those of the Hub client, of the reader of the lock and of `resolveEntry`;
 *   `EHUG_OFFLINE`
 */
export async function planLock(
  project: Project,
  context: CommandContext,
  start?: Start,
): Promise<LockPlan> {
  const { manifest } = project;
  const existing = readExistingLock(project, context.warn);
  const from = existing.lock;
  const resolving = openResolving(manifest, from, context);
  try {
    const resolved = await resolveStale(project, existing, resolving, start);
    const base: Lock = { ...from, lockfileVersion: LOCKFILE_VERSION };
    const settled = withResolved(manifest, base, resolved);
    const to = await lockNeeds(
      { manifest, lock: settled, resolved, start },
      resolving,
      context.warn,
    );
    return planOf(from, to, project, context);
  } catch (error) {
    const { lockName, lockText: text } = project;
    const isCurrent = existing.flaw === undefined && driftOf(manifest, from).reasons.length === 0;
    const isOffline = error instanceof HugError && WITHOUT_NETWORK.has(error.code);
    if (!(isOldLock(from) && isCurrent && isOffline) || text === undefined) throw error;
    context.warn(`${lockName} stays at version ${from.lockfileVersion}: ${error.message}`);
    return { from, to: from, text, changed: false };
  } finally {
    await resolving.close();
  }
}

/** Errors of a run that reached no Hub. */
const WITHOUT_NETWORK: ReadonlySet<ErrorCode> = new Set(['EHUG_OFFLINE', 'EHUG_NETWORK']);

function check(project: Project, now: number): CommandResult {
  const { lock, flaw } = readExistingLock(project);
  const form = formatLock(lock) === project.lockText ? undefined : 'is not in canonical form';
  const age = isOldLock(lock) ? oldVersion(lock) : undefined;
  const ofFile = [flaw ?? form, age].filter((reason) => reason !== undefined);
  const reasons = [
    ...ofFile.map((reason) => ({ entry: null, type: null, reason })),
    ...(project.lockText === undefined ? [] : driftOf(project.manifest, lock).reasons),
    ...policyLines(project.manifest, lock, project.manifestName, now).map((reason) => ({
      entry: null,
      type: null,
      reason,
    })),
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

/**
 * Resolves stale and contested entries, and upgrades the others of an old lock; without any, it sends no
 * request.
 */
async function resolveStale(
  { manifest, lockName }: Project,
  { lock, contested }: ExistingLock,
  resolving: Resolving,
  start: Start = () => undefined,
): Promise<ReadonlyMap<ManifestEntry, Resolved>> {
  const { stale } = driftOf(manifest, lock);
  const isBegun = (entry: ManifestEntry) => start(entry) !== undefined;
  const isKept = (entry: ManifestEntry) =>
    !stale.includes(entry) && !contested.has(entry) && !isBegun(entry);
  const old = isOldLock(lock) ? manifest.entries.filter(isKept) : [];
  const unknown = [
    ...new Set([...stale, ...contested, ...old, ...manifest.entries.filter(isBegun)]),
  ];
  if (unknown.length === 0) return new Map();
  const { resolveAgain, resolveEntry } = await import('../resolve/resolve.ts');
  const { upgradeEntry } = await import('../resolve/upgrade.ts');
  const { withDate } = await import('../resolve/age.ts');
  /** Asks for what an entry lacks that keeps its commit. */
  const complete = async (
    entry: ManifestEntry,
    locked: LockedEntry,
    context: ResolveContext,
  ): Promise<Resolved> => {
    const known = isOldLock(lock)
      ? await upgradeEntry(entry, locked, context)
      : { entry: locked, warnings: [] };
    return { ...known, entry: await withDate(known.entry, entry, context.hub) };
  };
  const { resolveAtShared, sharedCommits } = await import('../resolve/shared-commit.ts');
  const shared = sharedCommits(manifest, lock, stale);
  return resolving.all(
    unknown,
    (entry, context): Promise<Resolved> => {
      const rev = start(entry);
      if (rev !== undefined && 'ref' in entry.want) {
        return resolveAgain(entry, { ref: entry.want.ref, rev }, context);
      }
      const locked = lockedIn(lock, entry);
      if (locked !== undefined && contested.has(entry) && !stale.includes(entry)) {
        return resolveAgain(entry, locked, context);
      }
      if (locked !== undefined && (!stale.includes(entry) || isUndated(locked, entry))) {
        return complete(entry, locked, context);
      }
      const other = shared.get(entry);
      return other === undefined
        ? resolveEntry(entry, context)
        : resolveAtShared(entry, other, context);
    },
    old.length === unknown.length
      ? `upgrading ${lockName} to version ${LOCKFILE_VERSION} needs the network`
      : `resolving ${unknown.map(placeOf).join(', ')} needs the network`,
  );
}
