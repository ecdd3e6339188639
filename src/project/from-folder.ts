import path from 'node:path/posix';
import { digestsOf } from '../cache/find.ts';
import { filesOfSizes, type FolderFile } from '../cache/find-in-folder.ts';
import { groupBy } from '../collections.ts';
import type { Blob } from '../copy/blob.ts';
import { createHashLimit } from '../copy/sources.ts';
import { digestOfSri } from '../digest.ts';
import type { CommandContext } from './context.ts';

/**
 * Finds blobs among the files of a folder, by their digests: a folder of `hf download --local-dir`, a
 * clone, or any other. Only files of the right size are read, those with the name of a wanted file
 * first, and none once all blobs of its size are found.
 *
 * @param folder path
 * @returns the path of a file with the content, by SHA-256 in hex
 * @throws HugError `EHUG_FILE_SYSTEM` when the folder cannot be read
 */
export async function findInFolder(
  folder: string,
  blobs: readonly Blob[],
  { signal, runTransfers, warn }: CommandContext,
): Promise<ReadonlyMap<string, string>> {
  const wanted = new Map(
    [...groupBy(blobs, ({ size }) => size)].map(([size, some]) => [
      size,
      new Set(some.map(({ digest }) => digest.hex)),
    ]),
  );
  const names = new Set(
    blobs.flatMap(({ places }) => places.map(({ file }) => path.basename(file.path))),
  );
  const isNamed = ({ name }: FolderFile) => names.has(path.basename(name));
  const files = (await filesOfSizes(folder, new Set(wanted.keys()), signal)).toSorted(
    (a, b) => Number(isNamed(b)) - Number(isNamed(a)),
  );
  const found = new Map<string, string>();
  const hashing = createHashLimit();
  const results = await runTransfers(
    files.map(({ name, file, size }) => ({
      entry: folder,
      title: name,
      size,
      run: (report) =>
        hashing(async () => {
          const missing = wanted.get(size);
          if (missing === undefined || missing.size === 0) return;
          report('checking', 0);
          const { hex } = digestOfSri((await digestsOf(file, signal)).hash);
          report('checked', size);
          if (missing.delete(hex)) found.set(hex, file);
        }),
    })),
  );
  for (const [index, result] of results.entries()) {
    if (result.status === 'fulfilled') continue;
    signal.throwIfAborted();
    warn(`${path.join(folder, files[index]?.name ?? '')} cannot be read, and was passed over`);
  }
  return found;
}
