import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { byCodeUnit } from '../collections.ts';
import { HugError, messageOf, systemCodeOf } from '../errors.ts';
import { readRegularFile } from '../regular-file.ts';
import { type PythonSource, readNotebook } from './notebook.ts';

/** Bytes. A larger file holds data. */
const MAX_SIZE = 4 * 1024 * 1024;

/** Folders of other people's code. A virtual environment by another name has `pyvenv.cfg`. */
const SKIPPED = new Set(['node_modules', 'venv', '__pycache__']);

/** A file, and whether the user named it. */
export interface SourceFile {
  /** Absolute path. */
  readonly file: string;
  readonly isNamed: boolean;
}

/**
 * Finds Python files and notebooks: those that are named, whatever their ending, and `*.py` and `*.ipynb`
 * below folders. Hidden ones, links, virtual environments and `node_modules` in folders are skipped.
 *
 * @param paths absolute paths of files and folders
 * @param warn told of folders that cannot be read
 * @returns each file once, those of a folder in the order of their names
 * @throws HugError `EHUG_FILE_SYSTEM` when a named path cannot be looked at
 */
export async function findSources(
  paths: readonly string[],
  warn: (line: string) => void,
): Promise<readonly SourceFile[]> {
  const found = new Map<string, SourceFile>();
  for (const named of paths) {
    const stats = await orRefuse(named, () => stat(named));
    const files = stats.isDirectory()
      ? await orRefuse(named, () => filesBelow(named, warn))
      : [{ file: named, isNamed: true }];
    for (const one of files) if (!found.has(one.file)) found.set(one.file, one);
  }
  return [...found.values()];
}

/**
 * Reads a Python file or a notebook.
 *
 * @param warn told of a file that is skipped, and why
 * @returns `undefined` when it is skipped
 * @throws HugError `EHUG_FILE_SYSTEM` when a file that the user names cannot be read
 */
export async function readSource(
  { file, isNamed }: SourceFile,
  warn: (line: string) => void,
): Promise<PythonSource | undefined> {
  const read = async () => {
    const { size } = await stat(file);
    return size > MAX_SIZE ? undefined : readRegularFile(file);
  };
  let text: string | undefined;
  try {
    text = isNamed ? await orRefuse(file, read) : await read();
  } catch (error) {
    if (isNamed) throw error;
    warn(`${file} is skipped: ${messageOf(error)}`);
    return undefined;
  }
  if (text === undefined) {
    warn(`${file} is skipped: it has over 4 MiB`);
    return undefined;
  }
  if (!file.endsWith('.ipynb')) return { text, placeOf: (line) => ({ line }) };
  const notebook = readNotebook(text);
  if (notebook === undefined) warn(`${file} is skipped: it is not a notebook of version 4`);
  return notebook;
}

async function filesBelow(
  folder: string,
  warn: (line: string) => void,
): Promise<readonly SourceFile[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const sorted = entries
    .filter(({ name }) => !name.startsWith('.'))
    .toSorted((a, b) => byCodeUnit(a.name, b.name));
  const found: SourceFile[] = [];
  for (const entry of sorted) {
    const file = path.join(folder, entry.name);
    if (entry.isFile() && /\.(?:py|ipynb)$/u.test(entry.name)) found.push({ file, isNamed: false });
    if (!entry.isDirectory() || SKIPPED.has(entry.name)) continue;
    try {
      if (!(await isVirtualEnvironment(file))) found.push(...(await filesBelow(file, warn)));
    } catch (error) {
      warn(`${file} is skipped: ${messageOf(error)}`);
    }
  }
  return found;
}

async function isVirtualEnvironment(folder: string): Promise<boolean> {
  try {
    return (await stat(path.join(folder, 'pyvenv.cfg'))).isFile();
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function orRefuse<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof HugError) throw cause;
    throw new HugError('EHUG_FILE_SYSTEM', `cannot read ${file}: ${messageOf(cause)}`, {
      hint: 'Check that it is there, and that you may read it.',
      cause,
    });
  }
}
