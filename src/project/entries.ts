import { closestMatch } from 'leven';
import { byCodeUnit } from '../collections.ts';
import { HugError } from '../errors.ts';
import { parseLock } from '../lock/codec.ts';
import { type NamedEntry, namedEntries, placeOf } from '../lock/entries.ts';
import { lockPathOf, readLockText } from '../lock/file.ts';
import { createNeedIndex } from '../lock/needs.ts';
import type { Lock } from '../lock/schema.ts';
import { locateManifest, readManifest } from '../manifest/locate.ts';
import { parseManifest } from '../manifest/parse.ts';
import type { Manifest, ManifestEntry, Selection } from '../manifest/schema.ts';
import { quote } from '../quote.ts';
import type { RepoType } from '../repo.ts';
import { selectFiles } from '../resolve/select.ts';
import type { ProjectContext } from './project.ts';

/** What tells entries apart. */
interface Named {
  readonly type: RepoType;
  readonly name: string;
}

/** More edits than these are another word, not a misspelling. */
const MAX_EDITS = 2;

/** What has entries, as a message names it, and the hint for an unknown name. */
const HINTS = {
  'the lock':
    'nix-hug ls lists the entries. A repository is written org/name, or hf:gpt2 without org.',
  'the manifest': 'The names are the keys below models and datasets.',
};

/**
 * The entries that the user names, in the order of the lock; all of them for no name.
 *
 * @param names `mistral`, or `models.mistral` where a dataset has the same name
 * @throws HugError `EHUG_ENTRY_UNKNOWN` with all names that are not in the lock
 */
export function entriesNamed(lock: Lock, names: readonly string[]): NamedEntry[] {
  return among(namedEntries(lock), names, 'the lock', (name) => neededAs(name, lock));
}

/** For an unknown name: the repository of that name that the lock has because an entry needs it. */
function neededAs(name: string, lock: Lock): string | undefined {
  const reached = createNeedIndex(lock).withNeeded(namedEntries(lock));
  const found = reached.find(
    ({ neededBy, entry }) =>
      neededBy !== undefined && [entry.repo, entry.requested].some((id) => nameOf(id) === name),
  );
  if (found?.neededBy === undefined) return undefined;
  return `it has ${found.entry.repo}, since ${placeOf(found.neededBy)} needs it`;
}

/** The part of an id that entries are named by. */
const nameOf = (id = ''): string => id.slice(id.lastIndexOf('/') + 1);

/**
 * The same of a manifest, in its order.
 *
 * @throws HugError `EHUG_ENTRY_UNKNOWN` with all names that are not in the manifest
 */
export function manifestEntriesNamed(
  { entries }: Manifest,
  names: readonly string[],
): ManifestEntry[] {
  return among(entries, names, 'the manifest');
}

function among<E extends Named>(
  entries: readonly E[],
  names: readonly string[],
  holder: keyof typeof HINTS,
  explain: (name: string) => string | undefined = () => undefined,
): E[] {
  if (names.length === 0) return [...entries];
  const known = new Set(entries.flatMap((entry) => [entry.name, placeOf(entry)]));
  const unknown = names.filter((name) => !known.has(name));
  const [first, ...others] = unknown.map((name) => {
    const near = closestMatch(name, [...known], { maxDistance: MAX_EDITS });
    const suggestion = near === undefined ? undefined : `did you mean ${quote(near)}?`;
    const more = explain(name) ?? suggestion;
    return `${holder} has no entry ${quote(name)}${more === undefined ? '' : `; ${more}`}`;
  });
  if (first !== undefined) {
    throw new HugError('EHUG_ENTRY_UNKNOWN', first, { details: others, hint: HINTS[holder] });
  }
  const wanted = new Set(names);
  return entries.filter((entry) => wanted.has(entry.name) || wanted.has(placeOf(entry)));
}

/** The error for a name where one entry is meant and several have it. */
export function ambiguousEntry(name: string, entries: readonly Named[]): HugError {
  return new HugError('EHUG_ENTRY_AMBIGUOUS', `${name} is a model and a dataset`, {
    hint: `Write ${entries.map(placeOf).join(' or ')}.`,
  });
}

/**
 * An entry with those of its files that a further selection keeps, and what these need.
 *
 * @param warn told of globs that match nothing
 * @throws HugError `EHUG_SELECTION`
 */
export function narrowed(
  named: NamedEntry,
  select: Selection | undefined,
  warn: (line: string) => void,
): NamedEntry {
  const all = [...named.entry.files].map(([path, file]) => ({
    path,
    file,
    size: file.size,
    lfs: file.lfs,
  }));
  const { files, warnings } = selectFiles(all, select);
  for (const warning of warnings) warn(warning);
  const kept = new Map(files.map(({ path, file }) => [path, file]));
  const { needs = [], ...entry } = named.entry;
  const left = needs.filter(({ by }) => kept.has(by));
  return { ...named, entry: { ...entry, needs: left, files: kept } };
}

/**
 * Names the entries of the manifest and the lock for shell completion, sorted: `mistral`, or
 * `models.mistral` where a dataset has the same name. A file that cannot be read, or that the user is
 * editing, has no entries.
 */
export function entryNames(context: ProjectContext): string[] {
  const manifest = locateManifest(context);
  const lock = lockPathOf(manifest);
  const entries = [
    ...orNone(() => parseManifest(readManifest(manifest), manifest, context).entries),
    ...orNone(() => namedEntries(parseLock(readLockText(lock) ?? '', lock))),
  ];
  const places = new Map(entries.map((entry) => [placeOf(entry), entry.name]));
  const names = [...places.values()];
  return [...places]
    .map(([place, name]) => (names.indexOf(name) === names.lastIndexOf(name) ? name : place))
    .toSorted(byCodeUnit);
}

function orNone(read: () => readonly Named[]): readonly Named[] {
  try {
    return read();
  } catch {
    return [];
  }
}
