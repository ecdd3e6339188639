import { sriOfHex } from '../../integrity.ts';
import type { NamedEntry } from '../../lock/entries.ts';
import { lockedFile } from '../../resolve/resolve.ts';
import type { Remote } from './remote.ts';

/**
 * The LFS files of a repository, as a lock would have them; `fetchModel` expects them at the same
 * store paths. Plain files come with the git commit that `fetchModel` fetches.
 *
 * @param alias another id that the Hugging Face cache may know the repository by
 */
export function weightsOf({ type, repo, rev, files }: Remote, alias: string): NamedEntry {
  const weights = files.flatMap((file) =>
    typeof file.lfs === 'object'
      ? [[file.path, lockedFile(file, sriOfHex(file.lfs.sha256))] as const]
      : [],
  );
  const id = alias === repo ? { repo } : { repo, requested: alias };
  return { type, name: repo, entry: { ...id, ref: rev, rev, files: new Map(weights) } };
}
