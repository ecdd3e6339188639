import { sriOfHex } from '../integrity.ts';
import { lockedFile } from '../resolve/resolve.ts';
import type { Nix } from '../store/nix.ts';
import { type LackingContent, lackingContents, placeFiles } from '../store/plan.ts';
import type { Target } from './bring.ts';
import type { Remote } from './remote.ts';

/**
 * The LFS files of a repository that the store lacks where `fetchModel` and a lock expect them.
 * Plain files come with the git commit that `fetchModel` fetches.
 *
 * @param requested id that the user asked for; the Hugging Face cache may know it by that
 * @throws HugError those of `Nix`
 */
export async function lackingWeights(
  { type, repo, rev, files }: Remote,
  requested: string,
  nix: Nix,
): Promise<{ contents: readonly LackingContent[]; target: Target }> {
  const weights = files.flatMap((file) =>
    typeof file.lfs === 'object'
      ? [[file.path, lockedFile(file, sriOfHex(file.lfs.sha256))] as const]
      : [],
  );
  const id = requested === repo ? { repo } : { repo, requested };
  const entry = { ...id, ref: rev, rev, files: new Map(weights) };
  const { storeFolder } = await nix.facts();
  const placed = placeFiles([{ type, name: repo, entry }], storeFolder);
  const missing = await nix.missing([...new Set(placed.map(({ storePath }) => storePath))]);
  return { contents: lackingContents(placed, missing), target: { nix, storeFolder } };
}
