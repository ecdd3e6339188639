import { isDeepStrictEqual } from 'node:util';
import { byCodeUnit } from '../collections.ts';
import type { RepoType } from '../repo.ts';
import { type ChangeClass, classesOf } from './classes.ts';
import { allEntries, lockedIn, namedEntries, withEntries, withNeeded } from './entries.ts';
import type { Lock, LockedEntry, LockedFile } from './schema.ts';

/** The commit of an entry. */
export interface Pin {
  /** Branch, tag or commit that was resolved to it. */
  readonly ref: string;
  /** 40 hex digits. */
  readonly rev: string;
}

/** The difference of one entry between two locks. */
export interface EntryChange<P extends Pin = Pin> {
  /** Name of the entry; of what entries need, its key in `needed`. */
  readonly name: string;
  readonly type: RepoType;
  /** Id of the repository, the new one where it changed. */
  readonly repo: string;
  /** `null` for a new entry. */
  readonly from: P | null;
  /** `null` for a removed entry. */
  readonly to: P | null;
  /** Paths, sorted. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly modified: readonly string[];
  /** What these files are for. */
  readonly classes: readonly ChangeClass[];
  /** Whether `README.md` is the only file that changed. */
  readonly onlyReadme: boolean;
  /** Growth of all files together, in bytes; negative when they shrank. */
  readonly sizeChange: number;
  /** Bytes of the contents that no entry of the old lock has. */
  readonly downloadBytes: number;
}

const README = 'README.md';

/** The entries that differ: models, datasets, then what they need, each sorted by name. */
export function diffLocks(from: Lock, to: Lock): EntryChange[] {
  const both = withEntries(from, [...namedEntries(from), ...namedEntries(to)]);
  const all = withNeeded(both, new Map([...(from.needed ?? []), ...(to.needed ?? [])]));
  const changed = allEntries(all).filter(
    (named) => !isDeepStrictEqual(lockedIn(from, named), lockedIn(to, named)),
  );
  if (changed.length === 0) return [];
  const known = new Set(
    allEntries(from).flatMap(({ entry }) => [...entry.files.values()].map((file) => file.hash)),
  );
  return changed.map(({ type, name, entry: { repo } }) => {
    const before = lockedIn(from, { type, name });
    const after = lockedIn(to, { type, name });
    const files = changedFiles(before?.files ?? new Map(), after?.files ?? new Map());
    const touched = [...files.added, ...files.removed, ...files.modified];
    return {
      name,
      type,
      repo,
      from: pin(before),
      to: pin(after),
      ...files,
      classes: classesOf(touched, type),
      onlyReadme: touched.length === 1 && touched[0] === README,
      sizeChange: sizeOf(after) - sizeOf(before),
      downloadBytes: newBytes(after, known),
    };
  });
}

function pin(entry: LockedEntry | undefined): Pin | null {
  return entry === undefined ? null : { ref: entry.ref, rev: entry.rev };
}

/** Paths of the files that differ, each list sorted. */
export function changedFiles(
  before: ReadonlyMap<string, LockedFile>,
  after: ReadonlyMap<string, LockedFile>,
): Pick<EntryChange, 'added' | 'removed' | 'modified'> {
  const kept = [...after.keys()].filter((path) => before.has(path));
  return {
    added: [...after.keys()].filter((path) => !before.has(path)).toSorted(byCodeUnit),
    removed: [...before.keys()].filter((path) => !after.has(path)).toSorted(byCodeUnit),
    modified: kept
      .filter((path) => before.get(path)?.hash !== after.get(path)?.hash)
      .toSorted(byCodeUnit),
  };
}

const sizeOf = (entry: LockedEntry | undefined): number =>
  [...(entry?.files.values() ?? [])].reduce((sum, { size }) => sum + size, 0);

/** Each content counts once, even under several paths. */
function newBytes(entry: LockedEntry | undefined, known: ReadonlySet<string>): number {
  const contents = new Map(
    [...(entry?.files.values() ?? [])].map((file) => [file.hash, file.size] as const),
  );
  return [...contents].reduce((sum, [hash, size]) => (known.has(hash) ? sum : sum + size), 0);
}
