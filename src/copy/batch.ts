import type { FileToAdd } from '../store/nix.ts';

/** Adds one file, in one call with those that were asked for meanwhile. */
export type AddFile = (file: FileToAdd) => Promise<void>;

interface Waiting {
  readonly file: FileToAdd;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Gathers files for Nix, which takes many of them in one call: while a call runs, the next ones
 * gather. When a call fails its files are tried one by one, so that each failure has its file.
 *
 * @param add `Nix.add`
 */
export function createBatch(add: (files: readonly FileToAdd[]) => Promise<void>): AddFile {
  let gathered: Waiting[] = [];
  let isRunning = false;

  async function addAll(batch: readonly Waiting[]): Promise<void> {
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
