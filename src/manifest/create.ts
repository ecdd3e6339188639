import { lstat, readFile, rm, writeFile } from 'node:fs/promises';
import { HugError, messageOf, systemCodeOf } from '../errors.ts';

/** A file that is to be made from a template. */
export interface NewFile {
  readonly template: string;
  readonly file: string;
}

/**
 * Which of some files are there, whatever they are.
 *
 * @throws HugError `EHUG_FILE_SYSTEM`
 */
export async function existing(files: readonly string[]): Promise<string[]> {
  const there = await Promise.all(files.map(isThere));
  return files.filter((_, index) => there[index]);
}

/**
 * Makes files from templates: all of them, or none. Nothing is overwritten.
 *
 * @throws HugError `EHUG_FILE_EXISTS`, `EHUG_FILE_SYSTEM`
 */
export async function createFiles(files: readonly NewFile[]): Promise<void> {
  const made: string[] = [];
  for (const { template, file } of files) {
    try {
      const text = await readFile(template, 'utf8');
      await writeFile(file, text, { flag: 'wx' }).catch(async (error: unknown) => {
        // A file that was begun is ours, and not whole.
        if (systemCodeOf(error) !== 'EEXIST') made.push(file);
        throw error;
      });
      made.push(file);
    } catch (error) {
      await Promise.all(made.map((path) => rm(path, { force: true })));
      throw systemCodeOf(error) === 'EEXIST' ? fileExists(file) : cannotWrite(file, error);
    }
  }
}

/** The error for a file that would be overwritten. */
export function fileExists(file: string): HugError {
  return new HugError('EHUG_FILE_EXISTS', `there is already ${file}`, {
    hint: 'Nothing was written. Work with it, or move it away.',
  });
}

async function isThere(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR') return false;
    throw cannotWrite(file, error);
  }
}

function cannotWrite(file: string, cause: unknown): HugError {
  return new HugError('EHUG_FILE_SYSTEM', `cannot write ${file}: ${messageOf(cause)}`, {
    hint: 'Check that the folder is there and that you may write in it.',
    cause,
  });
}
