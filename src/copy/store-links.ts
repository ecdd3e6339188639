import { hash } from 'node:crypto';
import { HugError } from '../errors.ts';
import type { Nix } from '../store/nix.ts';
import type { RepoFile, Snapshot } from './blob.ts';
import { type CopyContext, throwFailed } from './copy.ts';
import type { CacheLinks } from './to-cache.ts';
import { copyToStore, planStore } from './to-store.ts';

/** Digits that tell the contents of two roots apart. */
const ROOT_DIGITS = 12;

/**
 * Adds the files of snapshots to the Nix store, those that it misses, for a cache that links to them there.
 * A plain file whose SHA-256 is not known has no store path, and is left out.
 *
 * @throws HugError `EHUG_NIX` when the files of the store are on another machine; those of `copyToStore`
 */
export async function linksIntoStore(
  snapshots: readonly Snapshot[],
  nix: Nix,
  context: CopyContext,
): Promise<CacheLinks> {
  if (nix.diskFolder === undefined) {
    throw new HugError('EHUG_NIX', `${nix.storeFolder} is not on this machine`, {
      hint: 'Links need the store on this machine; leave --link out.',
    });
  }
  const linkable = snapshots.map((snapshot) => ({
    ...snapshot,
    files: snapshot.files.filter(({ digest }) => digest.kind === 'sha256'),
  }));
  const { files, missing } = await planStore(linkable, nix);
  const copied = await copyToStore(missing, nix, {}, context);
  throwFailed(copied);
  const storePaths = new Map(files.map(({ file, storePath }) => [file, storePath]));
  const storePathsOf = ({ files: own }: Snapshot) =>
    new Set(own.flatMap((file) => storePaths.get(file) ?? []));
  const targetOf = (file: RepoFile, storePath: string) => ({
    path: nix.fileOf(storePath),
    isLinkable: false,
    isLasting: true,
    source: copied.sources.get(file) ?? ('store' as const),
  });
  return {
    targets: new Map(
      files.map(({ file, storePath }) => [file, targetOf(file, storePath)] as const),
    ),
    keep: (cacheFolder, roots) =>
      nix.addGcRoots(
        cacheFolder,
        new Map(
          roots.map(({ folder, snapshot }) => {
            const kept = [...storePathsOf(snapshot)].toSorted();
            // Another selection of the commit has a root of its own.
            const name = hash('sha256', kept.join('\n')).slice(0, ROOT_DIGITS);
            return [`${folder}/${snapshot.rev}.${name}`, kept];
          }),
        ),
      ),
  };
}
