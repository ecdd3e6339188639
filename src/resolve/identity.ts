import { HugError } from '../errors.ts';
import type { Revision } from '../hub/api.ts';
import { type NamedEntry, allEntries, lockedIn, placeOf } from '../lock/entries.ts';
import type { Lock, LockedEntry } from '../lock/schema.ts';
import type { WantedEntry } from '../manifest/schema.ts';
import { isSameId } from '../repo.ts';

/** The repositories that a lock knows, by the `_id` that the Hub gave them. */
export interface KnownRepos {
  /**
   * Compares what the Hub has under the id of an entry with what was locked under it.
   *
   * @returns the same, with the known `repoId` where the Hub sent none
   * @throws HugError `EHUG_REPO_REPLACED` when it is another repository
   */
  confirm(wanted: WantedEntry, at: Revision): Revision;
}

/**
 * The repositories of a lock.
 *
 * @param accepted places of the entries whose repository may be another one now
 */
export function createKnownRepos(
  lock: Lock,
  accepted: ReadonlySet<string> = new Set(),
): KnownRepos {
  const entries = allEntries(lock);
  return {
    confirm(wanted, at) {
      if (accepted.has(placeOf(wanted))) return at;
      const known = knownAs(wanted, lockedIn(lock, wanted), entries);
      const { repoId } = known?.entry ?? {};
      if (known === undefined || repoId === undefined) return at;
      if (at.repoId === undefined) return { ...at, repoId };
      if (at.repoId !== repoId) throw replaced(wanted, at.repoId, known);
      return at;
    },
  };
}

/** The entry whose repository is the one of `wanted`: its own, else another one of the same id. */
function knownAs(
  wanted: WantedEntry,
  own: LockedEntry | undefined,
  entries: readonly NamedEntry[],
): Pick<NamedEntry, 'type' | 'name' | 'entry'> | undefined {
  const { type, name } = wanted;
  if (own?.repoId !== undefined && hasId(own, wanted)) return { type, name, entry: own };
  return entries.find(
    (other) =>
      other.type === type && other.entry.repoId !== undefined && hasId(other.entry, wanted),
  );
}

/** Whether a locked entry is of the repository that an entry of the manifest names. */
export const hasId = ({ repo, requested }: LockedEntry, { repo: id }: WantedEntry): boolean =>
  [repo, requested].some((known) => isSameId(known, id));

function replaced(
  { type, repo }: WantedEntry,
  repoId: string,
  known: Pick<NamedEntry, 'type' | 'name' | 'entry'>,
): HugError {
  const place = placeOf(known);
  return new HugError(
    'EHUG_REPO_REPLACED',
    `${type} ${repo} is another repository than the one that ${place} is locked to: the Hub has ${repoId} under this name, and the lock has ${known.entry.repoId}`,
    {
      hint: `If you trust its owner, accept it with: nix-hug update ${place} --accept-repository`,
    },
  );
}
