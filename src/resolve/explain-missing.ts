import { HugError } from '../errors.ts';
import { isGitId } from '../digest.ts';
import type { LockedEntry } from '../lock/schema.ts';
import type { ManifestEntry } from '../manifest/schema.ts';

/** Whether an entry names a commit, which nothing can move. */
export const isPinned = ({ want }: ManifestEntry): boolean => 'ref' in want && isGitId(want.ref);

/** What to tell of a repository that has another id than when it was locked. */
export const renameWarnings = (locked: LockedEntry, id: string): readonly string[] =>
  id === locked.repo ? [] : [`${locked.repo} is now ${id} on the Hub`];

/**
 * Says of an error that the Hub once had what it does not find.
 *
 * @param error what looking up an entry gave
 * @param locked what the entry was locked to
 */
export function explainMissing(
  error: unknown,
  entry: ManifestEntry,
  { repo, rev }: LockedEntry,
): unknown {
  if (!(error instanceof HugError)) return error;
  const what = `${entry.type} ${repo}`;
  if (error.code === 'EHUG_REPO_NOT_FOUND') {
    return new HugError(
      error.code,
      `${what} was on the Hub when it was locked, and is deleted or private now`,
      {
        hint: `Files that the Nix store or a binary cache has stay usable. ${error.hint ?? ''}`.trim(),
        cause: error,
      },
    );
  }
  if (error.code === 'EHUG_REVISION_NOT_FOUND' && isPinned(entry)) {
    return new HugError(
      error.code,
      `${what} has lost the commit ${rev}: its history was rewritten`,
      {
        hint: 'Name a commit that is there, or a branch, in ref.',
        cause: error,
      },
    );
  }
  return error;
}
