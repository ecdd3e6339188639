import { repoFolderName } from '../cache/layout.ts';
import type { ViewedRepo } from '../cache/view.ts';
import { groupBy } from '../collections.ts';
import { HugError } from '../errors.ts';
import { DEFAULT_REF } from '../repo.ts';
import type { Snapshot } from './blob.ts';

/**
 * What a view of snapshots has, by the rules of `buildCache`: a ref for each commit and each ref that was
 * asked for, and `main` where a repository has one commit only.
 *
 * @throws HugError `EHUG_LOCK_INVALID` for a ref at two commits
 */
export function viewedRepos(snapshots: readonly Snapshot[]): ViewedRepo[] {
  const named = snapshots.flatMap((snapshot) =>
    snapshot.ids.map((id) => ({ folder: repoFolderName(snapshot.type, id), snapshot })),
  );
  return [...groupBy(named, ({ folder }) => folder)].map(([folder, group]) => {
    const own = group.map(({ snapshot }) => snapshot);
    const revs = new Set(own.map(({ rev }) => rev));
    const main = revs.size === 1 ? [[DEFAULT_REF, own[0]?.rev ?? ''] as const] : [];
    const refs = new Map([...main, ...[...revs].map((rev) => [rev, rev] as const)]);
    for (const [ref, same] of groupBy(own, (snapshot) => snapshot.ref)) {
      refs.set(ref, agreedRev(ref, same));
    }
    return { folder, refs, snapshots: own };
  });
}

function agreedRev(ref: string, [first, ...others]: readonly [Snapshot, ...Snapshot[]]): string {
  const other = others.find(({ rev }) => rev !== first.rev);
  if (other === undefined) return first.rev;
  throw new HugError(
    'EHUG_LOCK_INVALID',
    `${ref} of ${first.repo} is ${first.rev} in ${first.title}, but ${other.rev} in ${other.title}`,
    { hint: 'Run nix-hug update, which moves both to one commit.' },
  );
}
