import { EXIT, usageError } from '../errors.ts';
import { type EntryChange, type Pin, diffLocks } from '../lock/diff.ts';
import { lockedIn, namedEntries, placeOf, withEndpoint, withEntries } from '../lock/entries.ts';
import { createNeedIndex } from '../lock/needs.ts';
import type { Lock } from '../lock/schema.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';
import type { Output } from '../output/json-schema.ts';
import { changeDetails } from '../output/change-details.ts';
import { keptLine, keptRow } from '../output/kept.ts';
import { lockText, nextAfter } from '../output/lock-changes.ts';
import { code } from '../output/text.ts';
import type { CommandResult } from '../output/result.ts';
import type { CommandContext } from '../project/context.ts';
import { manifestEntriesNamed } from '../project/entries.ts';
import { lockNeeds } from '../project/dependencies.ts';
import { chooseGroups } from '../project/groups.ts';
import { readProject } from '../project/project.ts';
import {
  type ExistingLock,
  applyPlan,
  asDeclared,
  planOf,
  readExistingLock,
  refuseOldLock,
  withResolved,
} from '../project/relock.ts';
import { openResolving } from '../project/resolving.ts';
import { satisfies } from '../resolve/drift.ts';
import type { Moved } from '../resolve/move.ts';
import { reachedFrom } from '../resolve/needed.ts';
import { keepInsignificant, type Kept } from '../resolve/significance.ts';
import { isPinned } from '../resolve/target.ts';

interface UpdateOptions {
  /** Resolve, but write nothing. */
  readonly dryRun?: boolean;
  /** Groups whose entries move, with those of no group; all entries without it. */
  readonly group?: readonly string[];
  /** Keep the commit of entries of which only documentation changed. */
  readonly significant?: boolean;
  /** Follow the named entries to another repository that has taken the name. */
  readonly acceptRepository?: boolean;
}

/**
 * `nix-hug update [name…]`: moves entries to the newest commit that the manifest allows. Without
 * names the whole lock matches the manifest afterwards. With names the other entries of the lock stay
 * as they are, stale ones too, and a lock with conflict markers is refused.
 */
export async function run(
  context: CommandContext,
  names: readonly string[],
  options: UpdateOptions,
): Promise<CommandResult> {
  if (options.acceptRepository === true && names.length === 0) {
    const hint = 'For example: nix-hug update models.NAME --accept-repository';
    throw usageError('--accept-repository needs the names of the entries', hint);
  }
  const project = readProject(context);
  const { manifest, lockName } = project;
  const { taken: chosen, note: left } = chooseGroups(
    manifestEntriesNamed(manifest, names),
    ({ type, name, groups = [] }) => ({ type, name, groups }),
    names,
    options,
    true,
  );
  const isWhole = names.length === 0 && options.group === undefined;
  // A repair would drop the entries without names that neither side of the conflict satisfies.
  if (!isWhole) project.lock();
  const existing = readExistingLock(project, context.warn);
  refuseOldLock(existing.lock, project);
  const from = existing.lock;
  const moving = withSameRef(chosen, manifest, from);
  const { moves, to, kept } = await moveAll(moving, isWhole, manifest, existing, context, options);
  const plan = planOf(from, to, project, context);
  const outcome = await applyPlan(plan, project, options.dryRun);

  const moveAt = new Map([...moves].map(([entry, move]) => [placeOf(entry), move]));
  const entries = diffLocks(from, to).map((change) =>
    withMove(change, moveAt.get(placeOf(change))),
  );
  const pinned = moving.filter(isPinned);
  const json: Output<'update'> = {
    changed: plan.changed,
    entries,
    pinned: pinned.map(({ name, type }) => ({ name, type })),
    kept: kept.map(keptRow),
  };
  const report = lockText({
    file: lockName,
    entries,
    total: manifest.entries.length,
    outcome,
    details: (change) => changeDetails(change, lockedIn(from, change), lockedIn(to, change)),
  });
  const places = pinned.map((entry) => code(placeOf(entry))).join(', ');
  const text = [
    report,
    ...kept.map(keptLine),
    ...(places === '' ? [] : [`- pinned to a commit, never moved: ${places}`]),
  ].join('\n');
  const notes = [left, noteOnSameRef(moving.slice(chosen.length))].filter(
    (line) => line !== undefined,
  );
  const note = notes.length === 0 ? undefined : notes.join('\n');
  return { json, text, note, next: nextAfter(outcome), exitStatus: EXIT.ok };
}

/** The chosen entries, then the others of the manifest that have the same ref of a repository. */
function withSameRef(
  chosen: readonly ManifestEntry[],
  { entries }: Manifest,
  lock: Lock,
): readonly ManifestEntry[] {
  const keyOf = (entry: ManifestEntry) => {
    const { repo, ref, version } = lockedIn(lock, entry) ?? {};
    return JSON.stringify([entry.type, repo, version ?? ref]);
  };
  const keys = new Set(chosen.filter((entry) => lockedIn(lock, entry) !== undefined).map(keyOf));
  return [
    ...chosen,
    ...entries.filter((entry) => !chosen.includes(entry) && keys.has(keyOf(entry))),
  ];
}

/** One cache cannot hold a ref at two commits. */
const noteOnSameRef = (others: readonly ManifestEntry[]): string | undefined =>
  others.length === 0
    ? undefined
    : `moved too, since they have the same ref of a repository: ${others.map(placeOf).join(', ')}`;

/**
 * Moves entries, and what they alone need; of a whole lock, all that is needed.
 *
 * @throws HugError `EHUG_OFFLINE`; those of `moveEntry`, all of them in one; those of `lockNeeds`
 */
async function moveAll(
  moving: readonly ManifestEntry[],
  isWhole: boolean,
  manifest: Manifest,
  { lock, contested }: ExistingLock,
  context: CommandContext,
  { acceptRepository = false, significant = false }: UpdateOptions,
): Promise<{
  readonly moves: ReadonlyMap<ManifestEntry, Moved>;
  readonly to: Lock;
  readonly kept: readonly Kept[];
}> {
  const keys = isWhole ? new Set(lock.needed?.keys()) : neededByAlone(moving, manifest, lock);
  const accepted = acceptRepository
    ? new Set([
        ...moving.map(placeOf),
        ...[...keys].map((name) => placeOf({ type: 'model', name })),
      ])
    : undefined;
  const resolving = openResolving(manifest, lock, context, accepted);
  try {
    const problem = 'looking up new commits needs the network';
    const { moveEntry } = await import('../resolve/move.ts');
    const trusted = (entry: ManifestEntry) =>
      contested.has(entry) ? undefined : lockedIn(lock, entry);
    const newest = await (moving.length === 0
      ? new Map<ManifestEntry, Moved>()
      : resolving.all(
          moving,
          (entry, resolve) => moveEntry(entry, trusted(entry), resolve),
          problem,
        ));
    const lockedOf = (entry: ManifestEntry) => {
      const locked = trusted(entry);
      return locked !== undefined && satisfies(locked, entry) ? locked : undefined;
    };
    const { moves, kept } = significant
      ? keepInsignificant(newest, lockedOf)
      : { moves: newest, kept: [] };
    const keptNeeded: Kept[] = [];
    const onKept = significant ? (one: Kept) => void keptNeeded.push(one) : undefined;
    const moved = [...moves].map(([wanted, { entry }]) => ({
      type: wanted.type,
      name: wanted.name,
      entry: asDeclared(entry, wanted),
    }));
    const settled = isWhole
      ? withResolved(manifest, lock, moves)
      : withEntries(withEndpoint(lock, manifest.endpoint), [...namedEntries(lock), ...moved]);
    const state = { manifest, lock: settled, resolved: moves, moving: keys, onKept };
    const to = await lockNeeds(state, resolving, context.warn);
    const stay = keptNeeded.filter(({ name, locked }) => to.needed?.get(name)?.rev === locked.rev);
    return { moves, to, kept: [...kept, ...stay] };
  } finally {
    await resolving.close();
  }
}

/** The keys of what these entries need and no other entry does. */
function neededByAlone(
  chosen: readonly ManifestEntry[],
  { entries }: Manifest,
  lock: Lock,
): ReadonlySet<string> {
  const index = createNeedIndex(lock);
  const keysOf = (some: readonly ManifestEntry[]) =>
    some.flatMap(({ type, name }) => {
      const entry = lockedIn(lock, { type, name });
      return entry === undefined
        ? []
        : reachedFrom({ type, name, entry }, index).map(({ key }) => key);
    });
  const others = new Set(keysOf(entries.filter((entry) => !chosen.includes(entry))));
  return new Set(keysOf(chosen).filter((key) => !others.has(key)));
}

/** Adds the dates and warnings of a move, which the lock does not record. */
function withMove(
  change: EntryChange,
  move: Moved | undefined,
): Output<'update'>['entries'][number] {
  const dated = (pin: Pin | null, date: string | undefined) =>
    pin === null ? null : { ...pin, date: date ?? null };
  return {
    ...change,
    from: dated(change.from, move?.dates.from),
    to: dated(change.to, move?.dates.to),
    warnings: move?.warnings ?? [],
  };
}
