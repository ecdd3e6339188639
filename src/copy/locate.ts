import { createCacheIndex, hasSize, isInside, reasonAgainst } from '../cache/find.ts';
import { type Blob, cachedNames } from './blob.ts';
import { findInStore } from './in-store.ts';
import type { SourceContext, SourceOptions } from './sources.ts';

/** What the search for files on this machine needs from outside. */
type LocateContext = Pick<SourceContext, 'cacheFolder' | 'signal' | 'warn'> &
  Required<Pick<SourceOptions, 'openNix'>>;

/**
 * Finds files of this machine that have contents: those of the Nix store first, then those of the
 * Hugging Face cache. They are not read: Nix has checked the ones, and the name in the cache is the
 * digest of the others. A file that a link leads to outside of the cache is read and compared.
 *
 * @returns their paths; a content that is not on this machine is missing
 */
export async function locateBlobs(
  blobs: readonly Blob[],
  { cacheFolder, openNix, signal, warn }: LocateContext,
): Promise<ReadonlyMap<Blob, string>> {
  const files = new Map(await findInStore(blobs, openNix, warn));
  const index = createCacheIndex(cacheFolder);
  const inCache = async (blob: Blob) => {
    for await (const { file } of index.all(cachedNames(blob.places))) {
      if (!(await hasSize(file, blob.size))) continue;
      if (await isInside(cacheFolder, file)) return file;
      if ((await reasonAgainst(file, blob, () => undefined, signal)) === undefined) return file;
    }
    return undefined;
  };
  for (const blob of blobs) {
    signal.throwIfAborted();
    const file = files.get(blob) ?? (await inCache(blob));
    if (file !== undefined) files.set(blob, file);
  }
  return files;
}
