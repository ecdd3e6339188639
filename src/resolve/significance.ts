import { isDeepStrictEqual } from 'node:util';
import { groupBy } from '../collections.ts';
import { classesOf } from '../lock/classes.ts';
import { changedFiles } from '../lock/diff.ts';
import type { LockedEntry } from '../lock/schema.ts';
import type { WantedEntry } from '../manifest/schema.ts';
import type { RepoType } from '../repo.ts';
import type { Moved } from './move.ts';

/** An entry that stays at its commit although there is a newer one. */
export interface Kept {
  readonly type: RepoType;
  /** The name in the manifest; of what entries need, its key. */
  readonly name: string;
  readonly locked: LockedEntry;
  /** The entry as it would be. */
  readonly newest: LockedEntry;
}

/**
 * Whether all that changed of an entry is documentation, or no selected file at all. Another licence,
 * repository or need is more than that, although a README can be what says so.
 */
export function onlyDocsChanged(type: RepoType, locked: LockedEntry, newest: LockedEntry): boolean {
  return (
    classesOf(changedPaths({ locked, newest }), type).every((one) => one === 'docs') &&
    isDeepStrictEqual(factsOf(locked), factsOf(newest))
  );
}

/** Paths that changed, sorted by kind of change. */
export function changedPaths({ locked, newest }: Pick<Kept, 'locked' | 'newest'>): string[] {
  const { added, modified, removed } = changedFiles(locked.files, newest.files);
  return [...added, ...modified, ...removed];
}

/** What an entry says beside its commit and its files; groups are no matter of the repository. */
function factsOf(entry: LockedEntry): Partial<LockedEntry> {
  const { ref: _ref, rev: _rev, date: _date, groups: _groups, files: _files, ...facts } = entry;
  return facts;
}

/**
 * Keeps the entries of which only documentation changed. Entries that come to the same ref of one
 * repository stay or move together, since one cache cannot hold both commits.
 *
 * @param lockedOf the entry that a move began at; `undefined` when it does not satisfy the manifest
 */
export function keepInsignificant<W extends WantedEntry>(
  moves: ReadonlyMap<W, Moved>,
  lockedOf: (wanted: W) => LockedEntry | undefined,
): { readonly moves: ReadonlyMap<W, Moved>; readonly kept: readonly Kept[] } {
  const judged = [...moves].map(([wanted, move]) => {
    const { type, name } = wanted;
    const locked = lockedOf(wanted);
    const newest = move.entry;
    const stays =
      locked !== undefined && move.isLost !== true && onlyDocsChanged(type, locked, newest);
    return { wanted, move, kept: stays ? { type, name, locked, newest } : undefined };
  });
  const groups = groupBy(judged, ({ wanted: { type }, move: { entry } }) =>
    JSON.stringify([type, entry.repo, entry.ref]),
  );
  const staying = new Map(
    [...groups.values()].flatMap((group) => {
      const pairs = group.flatMap(({ wanted, kept }) =>
        kept === undefined ? [] : [[wanted, kept] as const],
      );
      return pairs.length === group.length ? pairs : [];
    }),
  );
  return {
    moves: new Map(
      judged.map(({ wanted, move }) => {
        const kept = staying.get(wanted);
        return [
          wanted,
          kept === undefined ? move : { entry: kept.locked, warnings: move.warnings, dates: {} },
        ];
      }),
    ),
    kept: [...staying.values()].filter(
      ({ locked, newest }) => locked.rev !== newest.rev || locked.ref !== newest.ref,
    ),
  };
}
