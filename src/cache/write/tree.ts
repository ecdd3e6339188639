import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TreeItem, treesText } from '../trees.ts';
import { succeedsUnless } from './folders.ts';
import { putNew, readText } from './put.ts';

/**
 * Adds files to `trees/<commit>.json`. Others may replace it at any time, and the client takes no
 * lock for that. So what is there is taken away, and what has all of it is put where nothing is:
 * only one process can do either, and with what was not expected it begins again. Killed in between,
 * it leaves no list, and the client asks the Hub for one.
 *
 * @param scratch makes a folder of this process, on the same file system
 */
export async function addToTree(
  file: string,
  items: readonly TreeItem[],
  scratch: () => Promise<string>,
): Promise<void> {
  const known = new Set<string>();
  for (;;) {
    const before = await readText(file);
    if (before !== undefined) known.add(before);
    const after = treesText(known, items);
    if (after === before) return;
    const temporary = path.join(await scratch(), path.basename(file));
    // The client makes it by `mkstemp`.
    await writeFile(temporary, after, { mode: 0o600, flush: true });
    const was = await take(file, path.join(await scratch(), 'taken'));
    if (was === before && (await putNew(temporary, file))) return;
    if (was !== undefined) known.add(was);
  }
}

/** Moves a file away and tells what it said; `undefined` when it is not there, or not readable. */
async function take(file: string, taken: string): Promise<string | undefined> {
  // In the place of a file there can be nothing but a file.
  await writeFile(taken, '');
  const isTaken = await succeedsUnless(['ENOENT'], () => rename(file, taken));
  return isTaken ? readText(taken) : undefined;
}
