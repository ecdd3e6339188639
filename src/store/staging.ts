import { constants, type Dirent } from 'node:fs';
import { copyFile, link, mkdir, mkdtemp, readdir, realpath, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { HugError, messageOf } from '../errors.ts';

/** A file, and the name that it is wanted under. */
export interface NamedFile {
  /** Path of the content. */
  readonly file: string;
  readonly name: string;
}

const PREFIX = '.nix-hug-';
/** Nothing takes that long to be added; what is older was left behind by a process that is gone. */
const STALE_MS = 24 * 60 * 60 * 1000;

/**
 * Has files under other names while `work` runs: hard links in private folders, or copies where
 * there cannot be links. A symbolic link would not do, Nix adds the link itself.
 *
 * @param own folder for the private folders, made when it is missing; on another file system than
 *   a file, the file's own folder takes its place
 * @throws HugError `EHUG_FILE_SYSTEM`, and whatever `work` throws
 */
export async function withStaged<T>(
  files: readonly NamedFile[],
  own: string,
  work: (paths: readonly string[]) => Promise<T>,
): Promise<T> {
  const staged: string[] = [];
  try {
    await mkdir(own, { recursive: true });
    await sweep(own);
    for (const file of files) staged.push(await stage(file, own));
  } catch (error) {
    await unstage(staged);
    throw new HugError('EHUG_FILE_SYSTEM', `cannot prepare files in ${own}: ${messageOf(error)}`, {
      hint: 'Check the free space and the permissions there; XDG_CACHE_HOME moves it.',
      cause: error,
    });
  }
  try {
    return await work(staged);
  } finally {
    await unstage(staged);
  }
}

async function stage({ file, name }: NamedFile, own: string): Promise<string> {
  const source = await realpath(file);
  return (
    (await linked(source, name, own)) ??
    (await linked(source, name, path.dirname(source))) ??
    (await copied(source, name, own))
  );
}

/** `undefined` when there can be no hard link in a folder. */
async function linked(source: string, name: string, parent: string): Promise<string | undefined> {
  const folder = await mkdtemp(path.join(parent, PREFIX)).catch(() => undefined);
  if (folder === undefined) return undefined;
  const target = path.join(folder, name);
  return await link(source, target).then(
    () => target,
    () => rm(folder, { recursive: true }).then(() => undefined),
  );
}

/** A copy that shares its blocks with the source where the file system can do that. */
async function copied(source: string, name: string, parent: string): Promise<string> {
  const folder = await mkdtemp(path.join(parent, PREFIX));
  const target = path.join(folder, name);
  try {
    await copyFile(source, target, constants.COPYFILE_FICLONE);
  } catch (error) {
    await unstage([target]);
    throw error;
  }
  return target;
}

async function unstage(staged: readonly string[]): Promise<void> {
  await Promise.all(staged.map((file) => rm(path.dirname(file), { recursive: true, force: true })));
}

/** Removes what processes left behind that were killed. */
async function sweep(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  const left = entries.filter((entry) => entry.name.startsWith(PREFIX) && entry.isDirectory());
  await Promise.all(left.map(removeIfStale));
}

async function removeIfStale({ parentPath, name }: Dirent): Promise<void> {
  const folder = path.join(parentPath, name);
  const age = await stat(folder).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  if (age > STALE_MS) await rm(folder, { recursive: true, force: true });
}
