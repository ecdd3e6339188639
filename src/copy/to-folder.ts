import { createCacheIndex, mayBeInCache } from '../cache/find.ts';
import type { MirrorWriter } from '../mirror/writer.ts';
import type { Nix } from '../store/nix.ts';
import { type Blob, blobsOf, cachedNames, placesIn, type Snapshot } from './blob.ts';
import { type CopyContext, copyBlobs, type CopyResult, type CopyTarget } from './copy.ts';

/** What filling a mirror needs from outside. */
export interface ToFolderContext extends CopyContext {
  /** Opens the Nix whose store is a source; without Nix it is none. */
  readonly openNix: () => Promise<Nix>;
}

/** What a fill of a mirror did. */
export interface ToFolderResult extends CopyResult {
  /** Contents that the mirror missed. */
  readonly missing: readonly Blob[];
}

/**
 * Writes the contents of snapshots into a mirror, each once; those that are there stay as they are.
 *
 * @param snapshots whose files have a SHA-256
 * @throws HugError `EHUG_DISK_FULL` before anything is copied; those of `MirrorWriter`
 */
export async function copyToFolder(
  snapshots: readonly Snapshot[],
  mirror: MirrorWriter,
  context: ToFolderContext,
): Promise<ToFolderResult> {
  const missing: Blob[] = [];
  for (const blob of blobsOf(placesIn(snapshots))) {
    if (!(await mirror.holds(blob))) missing.push(blob);
  }
  const { cacheFolder, openNix } = context;
  const index = createCacheIndex(cacheFolder);
  const target: CopyTarget = {
    async prepare(blobs) {
      if (blobs.length === 0) return;
      await mirror.prepare();
      const isLinkable = await mirror.isOnDiskOf(cacheFolder);
      let needed = 0;
      for (const blob of blobs) {
        const isLinked =
          isLinkable && (await mayBeInCache(index, cachedNames(blob.places), blob.size));
        if (!isLinked) needed += blob.size;
      }
      await mirror.assertSpace(needed);
    },
    put: (blob, file, report) => mirror.put(blob, file, (bytes) => report('copying', bytes)),
    damageOutcome: () => 'it was not used',
  };
  try {
    return { missing, ...(await copyBlobs(missing, target, { index, openNix }, context)) };
  } finally {
    await mirror.close();
  }
}
