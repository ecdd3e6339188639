import { HugError } from '../errors.ts';
import type { Nix } from '../store/nix.ts';
import { isOnDisk, storePathOf } from '../store/store-path.ts';
import { type Blob, storeNamesOf } from './blob.ts';

/**
 * Asks Nix which blobs are in its store, and in which file. Without Nix, or when Nix fails or has its
 * store on another machine, none is.
 */
export async function findInStore(
  blobs: readonly Blob[],
  openNix: () => Promise<Nix>,
  warn: (line: string) => void,
): Promise<ReadonlyMap<Blob, string>> {
  try {
    const nix = await openNix();
    // A store path follows from a SHA-256 only.
    const candidates = blobs
      .filter(({ digest }) => digest.kind === 'sha256')
      .flatMap((blob) =>
        storeNamesOf(blob).map((name) => {
          const file = { name, sha256: blob.digest.hex };
          return [blob, storePathOf(nix.storeFolder, file)] as const;
        }),
      );
    const missing = await nix.missing(new Set(candidates.map(([, storePath]) => storePath)));
    return new Map(
      candidates
        .filter(([, storePath]) => !missing.has(storePath))
        .map(([blob, storePath]) => [blob, nix.fileOf(storePath)] as const)
        .filter(([, file]) => isOnDisk(file)),
    );
  } catch (error) {
    if (!(error instanceof HugError)) throw error;
    if (error.code !== 'EHUG_NIX_MISSING') warn(`the Nix store is not used: ${error.message}`);
    return new Map();
  }
}
