import { randomBytes } from 'node:crypto';
import { chmod, lstat, open, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type ErrorCode, HugError, messageOf, systemCodeOf } from './errors.ts';

/** How files of one kind are replaced. */
export interface FileKind {
  /** A symbolic link: whether what it leads to is replaced, or it is refused. */
  readonly link: 'follow' | 'refuse';
  /**
   * The temporary file: with one name for all, whoever makes it first is alone, and no other process
   * changes the file meanwhile; with a name of its own, a process that is quicker is found out later.
   */
  readonly temporary: 'shared' | 'own';
  /** Code for a file that another process changed or is about to change. */
  readonly changed: ErrorCode;
}

/** A new text for a file. */
export interface FileChange {
  readonly file: string;
  /** The text that the new one was made from; `undefined` when there was no file. */
  readonly before: string | undefined;
  readonly after: string;
  readonly kind: FileKind;
}

/** A file to make, and the text that it begins with. */
export interface NewFile {
  readonly file: string;
  /** File with the text. */
  readonly template: string;
}

/** A new text on disk, beside the file that it is to replace. */
interface StagedFile {
  readonly change: FileChange;
  /** The file itself, behind its links. */
  readonly target: string;
  readonly temporary: string;
}

const BYTE_ORDER_MARK = '\uFEFF';

/**
 * What systems say that do not let a folder be written to the disk: FUSE, network file systems, or
 * any where the user may write into the folder and not list it. The text is in place all the same.
 */
const CANNOT_SYNC: ReadonlySet<string | undefined> = new Set([
  'EACCES',
  'EBADF',
  'EINVAL',
  'EISDIR',
  'ENOSYS',
  'ENOTSUP',
  'EPERM',
]);

/**
 * Replaces files: all of them, or none. Every text is on disk before the first one is put in place,
 * so that what is left to do can hardly fail. Each is put in place in one step: a reader sees the old
 * text or the new one. The last file comes first. A file keeps its permissions, and a byte order mark
 * that its texts leave out.
 *
 * @throws HugError the `changed` code of a kind when a file is neither `before` nor `after` any more,
 *   or another process is about to change it; `EHUG_LOCK_NOT_A_FILE` for what is no regular file;
 *   `EHUG_FILE_SYSTEM`
 */
export async function replaceFiles(changes: readonly FileChange[]): Promise<void> {
  const staged: StagedFile[] = [];
  const placed = new Set<StagedFile>();
  try {
    for (const change of changes) {
      staged.push(await writeOrRefuse(change.file, () => stage(change)));
    }
    for (const one of staged.toReversed()) {
      await writeOrRefuse(one.change.file, async () => {
        await rename(one.temporary, one.target);
        placed.add(one);
        await syncFolder(path.dirname(one.target));
      });
    }
  } catch (error) {
    // Why the writing failed matters more than a file that cannot be put back.
    if (changes.length > 1) await Promise.allSettled([...placed].map(putBack));
    throw error;
  } finally {
    const waiting = staged.filter((one) => !placed.has(one));
    await Promise.allSettled(waiting.map(({ temporary }) => rm(temporary, { force: true })));
  }
}

/**
 * Makes files from templates: all of them, or none. Nothing is overwritten.
 *
 * @throws HugError `EHUG_FILE_EXISTS`, `EHUG_FILE_SYSTEM`
 */
export async function createFiles(files: readonly NewFile[]): Promise<void> {
  const made: string[] = [];
  try {
    for (const { file, template } of files) {
      await writeOrRefuse(file, async () => {
        const text = await readFile(template);
        await writeFile(file, text, { flag: 'wx' }).catch((error: unknown) => {
          if (systemCodeOf(error) === 'EEXIST') throw fileExists(file);
          // A file that was begun is not whole.
          made.push(file);
          throw error;
        });
        made.push(file);
      });
    }
  } catch (error) {
    await Promise.all(made.map((file) => rm(file, { force: true })));
    throw error;
  }
}

/** The error for a file that would be overwritten. */
export function fileExists(file: string): HugError {
  return new HugError('EHUG_FILE_EXISTS', `there is already ${file}`, {
    hint: 'Nothing was written. Work with it, or move it away.',
  });
}

/** The error for what stands in the place of a lock. */
export function notAFile(file: string, isLink: boolean): HugError {
  const what = isLink ? 'a symbolic link' : 'not a regular file';
  return new HugError('EHUG_LOCK_NOT_A_FILE', `${file} is ${what}`, {
    hint: 'Nothing was written. Move it away, then run nix-hug lock.',
  });
}

/** Writes a text beside its file, and has it reach the disk. */
async function stage(change: FileChange): Promise<StagedFile> {
  const { file, after, kind } = change;
  const target = kind.link === 'follow' ? await realpath(file) : file;
  const mode = await modeOf(target);
  const { mark } = await readContent(target);
  const suffix = kind.temporary === 'shared' ? '' : `.${randomBytes(6).toString('hex')}`;
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}${suffix}.tmp`);
  try {
    await writeFile(temporary, mark + after, { flag: 'wx', flush: true, mode });
    // The mode above is without the bits that the umask takes.
    if (mode !== undefined) await chmod(temporary, mode);
    const { text } = await readContent(target);
    // A process that was quicker has its text kept.
    if (text !== change.before && text !== after) throw changedError(change);
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') throw takenError(change, temporary);
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  return { change, target, temporary };
}

async function putBack({ change: { file, before, after, kind } }: StagedFile): Promise<void> {
  if (before === undefined) return rm(file, { force: true });
  return replaceFiles([{ file, before: after, after: before, kind }]);
}

/** Permission bits of a regular file; `undefined` when nothing is there. */
async function modeOf(file: string): Promise<number | undefined> {
  const stats = await orNothing(lstat(file));
  if (stats !== undefined && !stats.isFile()) throw notAFile(file, stats.isSymbolicLink());
  return stats === undefined ? undefined : stats.mode & 0o777;
}

/** A file's byte order mark, or nothing, and its text without; no text when there is no file. */
async function readContent(file: string): Promise<{ mark: string; text: string | undefined }> {
  const text = await orNothing(readFile(file, 'utf8'));
  return text?.startsWith(BYTE_ORDER_MARK) === true
    ? { mark: BYTE_ORDER_MARK, text: text.slice(BYTE_ORDER_MARK.length) }
    : { mark: '', text };
}

async function orNothing<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!CANNOT_SYNC.has(systemCodeOf(error))) throw error;
  }
}

/** As with git's `index.lock`, nobody but the user knows whether its maker is still at work. */
function takenError({ file, kind }: FileChange, temporary: string): HugError {
  return new HugError(kind.changed, `another nix-hug is changing ${file}: there is ${temporary}`, {
    hint: 'Nothing was written. Run it again when that is done. If nothing is at work, delete that file first.',
  });
}

function changedError({ file, kind }: FileChange): HugError {
  return new HugError(kind.changed, `${file} changed while nix-hug was at work`, {
    hint: 'Nothing was written. Run it again.',
  });
}

async function writeOrRefuse<T>(file: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof HugError) throw error;
    throw new HugError('EHUG_FILE_SYSTEM', `cannot write ${file}: ${messageOf(error)}`, {
      hint: 'Check that its folder is there, and that you may write in it.',
      cause: error,
    });
  }
}
