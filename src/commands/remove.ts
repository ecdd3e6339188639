import { EXIT } from '../errors.ts';
import { formatLock } from '../lock/codec.ts';
import { diffLocks } from '../lock/diff.ts';
import { isNeededKey, namedEntries, placeOf, withEntries, withNeeded } from '../lock/entries.ts';
import type { Lock } from '../lock/schema.ts';
import { removeEntries } from '../manifest/edit.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';
import { code, count } from '../output/text.ts';
import type { CommandContext } from '../project/context.ts';
import { ambiguousEntry, manifestEntriesNamed } from '../project/entries.ts';
import type { Output } from '../output/json-schema.ts';
import { readProject, writeProject } from '../project/project.ts';
import { refuseOldLock } from '../project/relock.ts';
import { needsFound } from '../resolve/needed.ts';
import type { CommandResult } from '../output/result.ts';

/**
 * `nix-hug remove <name>…`: takes entries out of the manifest and of its lock, with what they alone
 * need; the other entries of the lock stay as they are, whether they are current or not. Nobody is
 * asked.
 */
export async function run(
  context: CommandContext,
  names: readonly string[],
): Promise<CommandResult> {
  const project = readProject(context);
  const { manifest, manifestName, manifestText, lockName, lockText } = project;
  const entries = entriesToRemove(manifest, names);
  const text = removeEntries(manifestText, manifestName, entries);
  const from = project.lock();
  if (from !== undefined) refuseOldLock(from, project);
  const rest = { ...manifest, entries: manifest.entries.filter((one) => !entries.includes(one)) };
  const { to, missing } =
    from === undefined ? { to: undefined, missing: [] } : withoutThem(from, entries, rest);
  const newLockText = to === undefined ? undefined : formatLock(to);
  const changed = newLockText !== lockText;
  await writeProject(project, text, changed ? newLockText : undefined);
  const files = changed ? `${manifestName} and ${lockName}` : manifestName;
  const changes = from === undefined || to === undefined ? [] : diffLocks(from, to);
  const unneeded = changes.filter(({ name }) => isNeededKey(name));
  for (const { key, from: needing, by } of missing) {
    context.warn(`${placeOf(needing)} needs ${key.slice('models/'.length)} (${by})`);
  }
  return {
    json: {
      changed,
      entries: changes,
      removed: entries.map(({ name, type, repo }) => ({ name, type, repo })),
    } satisfies Output<'remove'>,
    text: [
      `${files} written, ${count(entries.length, 'entry', 'entries')} removed (${rest.entries.length} in all)`,
      ...entries.map((entry) => `- ${code(placeOf(entry))} removed`),
      ...unneeded.map((entry) => `- ${code(placeOf(entry))} removed: no entry needs it any more`),
    ].join('\n'),
    next: missing.length > 0 ? 'nix-hug lock, which locks what entries need' : `commit ${files}`,
    exitStatus: EXIT.ok,
  };
}

/**
 * Each entry once, in the order of the names.
 *
 * @throws HugError `EHUG_ENTRY_UNKNOWN` with all unknown names, `EHUG_ENTRY_AMBIGUOUS`
 */
function entriesToRemove(manifest: Manifest, names: readonly string[]): ManifestEntry[] {
  const known = manifestEntriesNamed(manifest, names);
  const called = (name: string) =>
    known.filter((entry) => entry.name === name || placeOf(entry) === name);
  const ambiguous = names.find((name) => called(name).length > 1);
  if (ambiguous !== undefined) throw ambiguousEntry(ambiguous, called(ambiguous));
  return [...new Set(names.flatMap(called))];
}

/**
 * A lock without entries and what they alone need.
 *
 * @returns `missing`: what the others need of them
 */
function withoutThem(lock: Lock, removed: readonly ManifestEntry[], rest: Manifest) {
  const places = new Set(removed.map(placeOf));
  const kept = namedEntries(lock).filter((named) => !places.has(placeOf(named)));
  const left = withEntries(lock, kept);
  const { missing, needed } = needsFound(rest, left);
  return { to: withNeeded(left, needed), missing };
}
