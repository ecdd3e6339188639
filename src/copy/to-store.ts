import { assertSpace } from '../download/disk-space.ts';
import type { FileToAdd, Nix } from '../store/nix.ts';
import { storePathOf } from '../store/store-path.ts';
import { type Blob, blobsOf, type Place, placesIn, type Snapshot, storeNamesOf } from './blob.ts';
import { type CopyContext, copyBlobs, type CopyResult } from './copy.ts';
import type { SourceOptions } from './sources.ts';

/** A file of a snapshot and its path in the Nix store. */
export interface StoredFile extends Place {
  readonly storePath: string;
}

/** Snapshots as the Nix store should have them. */
export interface StorePlan {
  /** Every file of the snapshots. */
  readonly files: readonly StoredFile[];
  /** Blobs that the store misses under at least one name; their places are the missing ones. */
  readonly missing: readonly Blob[];
}

/** Every file of some snapshots, whose SHA-256 is known, with its store path. */
export const storedFiles = (snapshots: readonly Snapshot[], storeFolder: string): StoredFile[] =>
  placesIn(snapshots).map((place) => {
    const { storeName, digest } = place.file;
    const storePath = storePathOf(storeFolder, { name: storeName, sha256: digest.hex });
    return { ...place, storePath };
  });

/**
 * Asks Nix which files of some snapshots are missing.
 *
 * @throws HugError those of `Nix`
 */
export async function planStore(snapshots: readonly Snapshot[], nix: Nix): Promise<StorePlan> {
  const files = storedFiles(snapshots, nix.storeFolder);
  const missing = await nix.missing(new Set(files.map(({ storePath }) => storePath)));
  return { files, missing: missingBlobs(files, missing) };
}

/** The contents that have to be added for some missing store paths, each once. */
export const missingBlobs = (files: readonly StoredFile[], missing: ReadonlySet<string>): Blob[] =>
  blobsOf(files.filter(({ storePath }) => missing.has(storePath)));

/** Bytes that blobs take in the store: one copy for each name. */
export const bytesInStore = (blobs: readonly Blob[]): number =>
  blobs.reduce((sum, blob) => sum + blob.size * storeNamesOf(blob).length, 0);

/**
 * Adds blobs to the Nix store, each under all names that are missing.
 *
 * @param blobs of `planStore`
 * @throws HugError `EHUG_DISK_FULL` before anything is copied
 */
export function copyToStore(
  blobs: readonly Blob[],
  nix: Nix,
  options: SourceOptions,
  context: CopyContext,
): Promise<CopyResult> {
  const addFile = createBatch((files) => nix.add(files));
  return copyBlobs(
    blobs,
    {
      async prepare() {
        if (nix.diskFolder === undefined) return;
        const hint = 'Make room in the Nix store: nix-collect-garbage';
        await assertSpace(nix.diskFolder, bytesInStore(blobs), hint);
      },
      async put(blob, { path }, report) {
        report('adding to the store', blob.size);
        const sha256 = blob.digest.hex;
        await Promise.all(
          storeNamesOf(blob).map((name) => {
            const storePath = storePathOf(nix.storeFolder, { name, sha256 });
            return addFile({ file: path, name, storePath });
          }),
        );
      },
      damageOutcome: () => 'it was not used',
    },
    options,
    context,
  );
}

/**
 * Makes what gathers files for Nix, which takes many of them in one call: while a call runs, the next
 * files gather. When a call fails its files are added one by one, so that each failure has its file.
 *
 * @param add `Nix.add`
 * @returns adds one file, in one call with those that were asked for meanwhile
 */
export function createBatch(
  add: (files: readonly FileToAdd[]) => Promise<void>,
): (file: FileToAdd) => Promise<void> {
  let gathered: { file: FileToAdd; resolve: () => void; reject: (reason: unknown) => void }[] = [];
  let isRunning = false;

  async function addAll(batch: typeof gathered): Promise<void> {
    try {
      await add(batch.map(({ file }) => file));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      if (batch.length === 1) batch[0]?.reject(error);
      else for (const waiting of batch) await addAll([waiting]);
    }
  }

  async function run(): Promise<void> {
    isRunning = true;
    while (gathered.length > 0) {
      const batch = gathered;
      gathered = [];
      await addAll(batch);
    }
    isRunning = false;
  }

  return (file) =>
    new Promise((resolve, reject) => {
      gathered.push({ file, resolve, reject });
      // `addAll` hands every failure to the file it belongs to.
      if (!isRunning) void run();
    });
}
