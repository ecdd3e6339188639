import { rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type CommitTree, treesText } from '../trees.ts';
import { succeedsUnless } from './folders.ts';
import { putNew, readText } from './put.ts';

/** Folders that processes prepare things in, on the file system of the repository. */
export interface ScratchFolders {
  /** Makes the one of this process. */
  readonly mine: () => Promise<string>;
  /** Those that other processes have now. */
  readonly others: () => Promise<string[]>;
}

/** Name that a list has in the folder of the process that took it away. */
const TAKEN = 'taken';

/** It is there again as soon as its text is on the disk; one of a killed process is not. */
const MAX_LOOKS = 100;
const BETWEEN_LOOKS_MS = 10;

/** So often it can hardly be put and taken again in between. */
const ENOUGH_LOOKS = 3;

/**
 * Adds files to `trees/<commit>.json`. Others may replace it at any time, and the client takes no
 * lock for that. So what is there is taken away, and what has all of it is put where nothing is:
 * only one process can do either, and with what was not expected it begins again. Killed in between,
 * it leaves no list, and the client asks the Hub for one.
 *
 * For the client a list is all that the commit has: what it does not name is never downloaded, nor
 * missed. So a part of the files is added to a list, and begins none. A list of somebody else that
 * cannot be read is left alone.
 */
export async function addToTree(
  file: string,
  { items, isWhole }: CommitTree,
  scratch: ScratchFolders,
): Promise<void> {
  const known = new Set<string>();
  const isBegun = () => isWhole || known.size > 0;
  let taken: string | undefined;
  try {
    for (;;) {
      let before: string | undefined;
      const isOurs = await succeedsUnless(['EACCES'], async () => {
        before = await (isBegun() ? readText(file) : readList(file, scratch));
      });
      if (before !== undefined) known.add(before);
      if (!isOurs || !isBegun()) return;
      const after = treesText(known, items);
      if (after === before) return;
      const temporary = path.join(await scratch.mine(), path.basename(file));
      // The client makes it by `mkstemp`.
      await writeFile(temporary, after, { mode: 0o600, flush: true });
      taken = path.join(await scratch.mine(), TAKEN);
      const was = await take(file, taken);
      if (was === before && (await putNew(temporary, file))) return;
      if (was !== undefined) known.add(was);
    }
  } finally {
    if (taken !== undefined) await rm(taken, { force: true });
  }
}

/**
 * The text of a list; `undefined` when there is none, and no other process is about to put one.
 * After a look for it and before one for who has it, it may have been put; after that, another
 * process may have taken it. So what was found nowhere is looked for again.
 */
async function readList(file: string, { others }: ScratchFolders): Promise<string | undefined> {
  let foundNowhere = 0;
  for (let look = 0; look < MAX_LOOKS && foundNowhere < ENOUGH_LOOKS; look += 1) {
    const text = await readText(file);
    if (text !== undefined) return text;
    const isTaken = await isAnyThere((await others()).map((folder) => path.join(folder, TAKEN)));
    foundNowhere = isTaken ? 0 : foundNowhere + 1;
    if (isTaken) await wait(BETWEEN_LOOKS_MS);
  }
  return undefined;
}

async function isAnyThere(files: readonly string[]): Promise<boolean> {
  const there = await Promise.all(
    files.map((file) => succeedsUnless(['ENOENT', 'EACCES'], () => stat(file))),
  );
  return there.includes(true);
}

/**
 * Moves a list away and tells what it said; `undefined` when it is not there. Either way something
 * is at `taken` afterwards, for others to see that a list is about to be put.
 */
async function take(file: string, taken: string): Promise<string | undefined> {
  // In the place of a file there can be nothing but a file.
  await writeFile(taken, '');
  const isThere = await succeedsUnless(['ENOENT'], () => rename(file, taken));
  return isThere ? readText(taken) : undefined;
}
