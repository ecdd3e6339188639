import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type CommitTree, treesText } from '../trees.ts';
import { succeedsUnless } from './folders.ts';
import { putNew, readText } from './put.ts';

/**
 * Adds files to `trees/<commit>.json`. Others may replace it at any time, and the client takes no
 * lock for that. So what is there is taken away, and what has all of it is put where nothing is:
 * only one process can do either, and with what was not expected it begins again. Killed in between,
 * it leaves no list, and the client asks the Hub for one.
 *
 * For the client a list is all that the commit has: what it does not name is never downloaded, nor
 * missed. So a part of the files is added to a list, and begins none. A list of somebody else that
 * cannot be read is left alone.
 *
 * @param scratch makes a folder of this process, on the same file system
 */
export async function addToTree(
  file: string,
  { items, isWhole }: CommitTree,
  scratch: () => Promise<string>,
): Promise<void> {
  const known = new Set<string>();
  for (;;) {
    let before: string | undefined;
    const isOurs = await succeedsUnless(['EACCES'], async () => (before = await readText(file)));
    if (!isOurs) return;
    if (before !== undefined) known.add(before);
    else if (!isWhole && known.size === 0) return;
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

/** Moves a file away and tells what it said; `undefined` when it is not there. */
async function take(file: string, taken: string): Promise<string | undefined> {
  // In the place of a file there can be nothing but a file.
  await writeFile(taken, '');
  const isTaken = await succeedsUnless(['ENOENT'], () => rename(file, taken));
  return isTaken ? readText(taken) : undefined;
}
