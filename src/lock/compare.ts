import { isDeepStrictEqual } from 'node:util';
import { type EntryChange, diffLocks } from './diff.ts';
import { lockedIn } from './entries.ts';
import { type Lock, type LockedEntry, LOCKFILE_VERSION } from './schema.ts';

/** What the old and the new lock have. */
export interface FromTo<T> {
  /** `null` where the lock does not tell. */
  readonly from: T | null;
  readonly to: T | null;
}

/** An entry that differs, with what its repository is and under which licence. */
export interface ComparedEntry extends EntryChange {
  /** Id of the repository before, where it is another one; else `null`. */
  readonly repoBefore: string | null;
  /** Ids of licences; `other` with its name. Empty where the README declares none. */
  readonly license: FromTo<readonly string[]>;
  /** The name that the Hub itself gave the repository. */
  readonly repoId: FromTo<string>;
  /** Other fields of the entry in the lock that differ. */
  readonly fields: readonly string[];
}

/** Fields that echo the manifest, and what the files of the entry name. */
const FIELDS = ['requested', 'version', 'groups', 'select', 'needs'] as const;

/**
 * The entries that differ between two locks, in the order of `diffLocks`. Between locks of different
 * versions, what the older format does not have is no difference.
 */
export function compareLocks(from: Lock, to: Lock): ComparedEntry[] {
  const isSameFormat = from.lockfileVersion === to.lockfileVersion;
  return diffLocks(from, to).flatMap((change) => {
    const [before, after] = [lockedIn(from, change), lockedIn(to, change)];
    const compared = {
      ...change,
      repoBefore: before !== undefined && before.repo !== change.repo ? before.repo : null,
      license: { from: licensesOf(before, from), to: licensesOf(after, to) },
      repoId: { from: before?.repoId ?? null, to: after?.repoId ?? null },
      fields:
        before === undefined || after === undefined || !isSameFormat
          ? []
          : FIELDS.filter((field) => !isDeepStrictEqual(before[field], after[field])),
    };
    return isSameFormat || hasMoved(compared) || compared.repoBefore !== null ? [compared] : [];
  });
}

/** Whether an entry changes in more than what an upgrade adds. */
export const hasMoved = ({ from, to, added, removed, modified }: EntryChange): boolean =>
  from?.rev !== to?.rev ||
  from?.ref !== to?.ref ||
  added.length + removed.length + modified.length > 0;

/** Version 1 of the format records no licence. */
function licensesOf(
  entry: LockedEntry | undefined,
  { lockfileVersion }: Lock,
): readonly string[] | null {
  if (entry === undefined || lockfileVersion < LOCKFILE_VERSION) return null;
  const { license = [], licenseName } = entry;
  return license.map((id) =>
    id.toLowerCase() === 'other' && licenseName !== undefined ? `${id} (${licenseName})` : id,
  );
}

/** Whether both locks tell, and something else each. */
export const differs = <T>({ from, to }: FromTo<T>): boolean =>
  from !== null && to !== null && !isDeepStrictEqual(from, to);
