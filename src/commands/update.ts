import { EXIT } from '../errors.ts';
import { type EntryChange, type Pin, diffLocks } from '../lock/diff.ts';
import { entriesOf, lockedIn, placeOf } from '../lock/entries.ts';
import { writeLockText } from '../lock/file.ts';
import type { Lock, LockedEntry } from '../lock/schema.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';
import type { Output } from '../output/json-schema.ts';
import { lockText } from '../output/lock-changes.ts';
import { styled } from '../output/text.ts';
import type { CommandResult } from '../output/result.ts';
import { manifestEntriesNamed } from '../project/entries.ts';
import { type ProjectContext, lockOf, readProject } from '../project/project.ts';
import {
  type ExistingLock,
  type RelockContext,
  assemble,
  planOf,
  readExistingLock,
  resolveAll,
} from '../project/relock.ts';
import { assertOnline } from '../project/repository.ts';
import { escapeControls } from '../quote.ts';
import { isPinned } from '../resolve/explain-missing.ts';
import type { Moved } from '../resolve/move.ts';
import prettyBytes from 'pretty-bytes';

export interface UpdateOptions {
  /** Resolve, but write nothing. */
  readonly dryRun?: boolean;
}

/** What `update` needs from outside. */
export type UpdateContext = ProjectContext & RelockContext;

/**
 * `nix-hug update [name…]`: moves entries to the newest commit that the manifest allows. Without
 * names the whole lock matches the manifest afterwards; with names the other entries stay as they
 * are, whether the manifest still asks for them or not, and a lock with conflict markers is refused.
 */
export async function run(
  names: readonly string[],
  options: UpdateOptions,
  context: UpdateContext,
): Promise<CommandResult> {
  const project = readProject(context);
  const { manifest, lockPath, lockName, lockText: before } = project;
  const chosen = manifestEntriesNamed(manifest, names);
  // What the sides of a conflict have of other entries would be lost.
  if (names.length > 0) lockOf(project);
  const found = readExistingLock(before, lockName, manifest);
  for (const warning of found.warnings) context.warn(warning);
  const moves = await moveAll(chosen, manifest, found, context);

  const entries = new Map([...moves].map(([entry, { entry: locked }]) => [entry, locked]));
  const lock =
    names.length === 0
      ? assemble(manifest, found.lock, entries)
      : replace(manifest, found.lock, entries);
  const { text, changed } = planOf(found.lock, lock, before, context.warn);
  const write = changed && options.dryRun !== true;
  if (write) await writeLockText(lockPath, before, text);

  const moveAt = new Map([...moves].map(([entry, move]) => [placeOf(entry), move]));
  const changes = diffLocks(found.lock, lock).map((change) =>
    withMove(change, moveAt.get(placeOf(change))),
  );
  const pinned = chosen.filter(isPinned);
  const json: Output<'update'> = {
    changed,
    entries: changes,
    pinned: pinned.map(({ name, type }) => ({ name, type })),
  };
  const report = lockText({
    file: lockName,
    entries: changes,
    total: manifest.entries.length,
    outcome: changed ? (write ? 'written' : 'planned') : 'current',
    details: (change) => moveLines(change, lockedIn(found.lock, change), lockedIn(lock, change)),
  });
  return { json, text: [report, ...pinnedLines(pinned)].join('\n'), exitStatus: EXIT.ok };
}

/** @throws HugError `EHUG_OFFLINE`; those of `moveEntry`, all of them in one */
async function moveAll(
  chosen: readonly ManifestEntry[],
  { endpoint }: Manifest,
  { lock, contested }: ExistingLock,
  context: UpdateContext,
): Promise<ReadonlyMap<ManifestEntry, Moved>> {
  if (chosen.length === 0) return new Map();
  assertOnline(context, 'only the Hub knows what is new');
  const { moveEntry } = await import('../resolve/move.ts');
  return resolveAll(
    chosen,
    { endpoint, lock },
    (entry, resolving) => {
      const locked = contested.has(entry) ? undefined : lockedIn(lock, entry);
      return moveEntry(entry, locked, resolving);
    },
    context,
  );
}

/** A lock with some of its entries replaced. */
function replace(
  { endpoint }: Manifest,
  lock: Lock,
  resolved: ReadonlyMap<ManifestEntry, LockedEntry>,
): Lock {
  const section = (type: ManifestEntry['type']) =>
    new Map([
      ...entriesOf(lock, type),
      ...[...resolved].flatMap(([entry, locked]) =>
        entry.type === type ? [[entry.name, locked] as const] : [],
      ),
    ]);
  return {
    lockfileVersion: lock.lockfileVersion,
    ...(endpoint === undefined ? {} : { endpoint }),
    models: section('model'),
    datasets: section('dataset'),
  };
}

/** Adds to a change what only the Hub knows, and the lock does not keep. */
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

/** As many files as fit a screen; the JSON has them all. */
const MAX_FILES = 20;

/**
 * What changed in an entry that moved: one line for each file, with its size.
 *
 * @param before the entry in the old lock; a new entry has no lines
 */
function moveLines(
  change: EntryChange,
  before: LockedEntry | undefined,
  after: LockedEntry | undefined,
): string[] {
  if (before === undefined || after === undefined) return [];
  if (change.onlyReadme) return ['      only README.md changed'];
  const size = (entry: LockedEntry, path: string) => prettyBytes(entry.files.get(path)?.size ?? 0);
  const lines = [
    ...change.added.map(
      (path) => `      ${styled('green', `+ ${escapeControls(path)}`)}  ${size(after, path)}`,
    ),
    ...change.modified.map(
      (path) =>
        `      ${styled('yellow', `~ ${escapeControls(path)}`)}  ${size(before, path)} → ${size(after, path)}`,
    ),
    ...change.removed.map(
      (path) => `      ${styled('red', `- ${escapeControls(path)}`)}  ${size(before, path)}`,
    ),
  ];
  if (lines.length === 0) return ['      no selected file changed'];
  const rest = lines.length - MAX_FILES;
  return rest <= 0 ? lines : [...lines.slice(0, MAX_FILES), `      … and ${rest} more`];
}

/** Names the entries that nothing can move. */
function pinnedLines(pinned: readonly ManifestEntry[]): string[] {
  if (pinned.length === 0) return [];
  return [`  pinned to a commit, never moved: ${pinned.map(placeOf).join(', ')}`];
}
