import { EXIT } from '../errors.ts';
import { formatLock } from '../lock/codec.ts';
import { diffLocks } from '../lock/diff.ts';
import { placeOf } from '../lock/entries.ts';
import type { Lock, LockedEntry } from '../lock/schema.ts';
import { removeEntry } from '../manifest/edit.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';
import { count } from '../output/text.ts';
import { ambiguousEntry, unknownEntries } from '../project/entries.ts';
import type { Output } from '../output/json-schema.ts';
import { lockOf, type ProjectContext, readProject } from '../project/project.ts';
import type { CommandResult } from '../output/result.ts';
import { writeProject } from '../project/write-project.ts';

/**
 * `nix-hug remove <name>…`: takes entries out of the manifest and of its lock; the other entries of
 * the lock stay as they are, whether they are current or not. Nobody is asked.
 */
export async function run(
  names: readonly string[],
  context: ProjectContext,
): Promise<CommandResult> {
  const project = readProject(context);
  const { manifest, manifestName, manifestText, lockName, lockText } = project;
  const entries = entriesToRemove(manifest, names);
  const text = entries
    .toSorted(lastFirst)
    .reduce((before, entry) => removeEntry(before, manifestName, entry), manifestText);
  const from = lockOf(project);
  const to = from === undefined ? undefined : without(from, entries);
  const newLockText = to === undefined ? undefined : formatLock(to);
  const changed = newLockText !== lockText;
  await writeProject(project, text, changed ? newLockText : undefined);
  const files = changed ? `${manifestName} and ${lockName}` : manifestName;
  const left = manifest.entries.length - entries.length;
  return {
    json: {
      changed,
      entries: from === undefined || to === undefined ? [] : diffLocks(from, to),
      removed: entries.map(({ name, type, repo }) => ({ name, type, repo })),
    } satisfies Output<'remove'>,
    text: [
      `${files} written, ${count(left, 'entry', 'entries')}`,
      ...entries.map((entry) => `  - ${placeOf(entry)}`),
    ].join('\n'),
    exitStatus: EXIT.ok,
  };
}

/** @throws HugError `EHUG_ENTRY_UNKNOWN`, `EHUG_ENTRY_AMBIGUOUS` */
function entriesToRemove({ entries }: Manifest, names: readonly string[]): ManifestEntry[] {
  const called = (name: string) =>
    entries.filter((entry) => entry.name === name || placeOf(entry) === name);
  const unknown = names.filter((name) => called(name).length === 0);
  if (unknown.length > 0) {
    const known = entries.flatMap((entry) => [entry.name, placeOf(entry)]);
    throw unknownEntries(unknown, known, 'the manifest');
  }
  const ambiguous = names.find((name) => called(name).length > 1);
  if (ambiguous !== undefined) throw ambiguousEntry(ambiguous, called(ambiguous));
  return [...new Set(names.flatMap(called))];
}

/** The order in which entries can be taken out: one that repeats another stands behind it. */
function lastFirst({ position: a }: ManifestEntry, { position: b }: ManifestEntry): number {
  return b.line - a.line || b.column - a.column;
}

function without(lock: Lock, removed: readonly ManifestEntry[]): Lock {
  const places = new Set(removed.map(placeOf));
  const kept = (type: ManifestEntry['type'], entries: ReadonlyMap<string, LockedEntry>) =>
    new Map([...entries].filter(([name]) => !places.has(placeOf({ type, name }))));
  return { ...lock, models: kept('model', lock.models), datasets: kept('dataset', lock.datasets) };
}
