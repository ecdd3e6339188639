import { chmod, lstat, open, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { HugError, messageOf, systemCodeOf } from './errors.ts';
import { succeedsUnless } from './failures.ts';

/** A new text for a file. */
export interface FileChange {
  readonly file: string;
  /**
   * A symbolic link to a manifest stays, and its target is replaced; a link in place of a lock is
   * refused. Only one process at a time may be changing a manifest.
   */
  readonly kind: 'manifest' | 'lock';
  /** The text that the new one was made from; `undefined` when there was no file. */
  readonly before: string | undefined;
  readonly after: string;
}

/** A new text on disk, beside the file that it is to replace. */
interface StagedFile {
  readonly change: FileChange;
  /** The file itself, behind its links. */
  readonly target: string;
  readonly temporary: string;
}

const CHANGED = { manifest: 'EHUG_MANIFEST_CHANGED', lock: 'EHUG_LOCK_CHANGED' } as const;

const BYTE_ORDER_MARK = '\uFEFF';

/**
 * Errors of systems that cannot sync a folder: FUSE, network file systems, or any where the user may
 * write into the folder but not list it. The file is replaced all the same.
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
 * Replaces files: all of them, or none. All texts are synced to temporary files first; then each is
 * renamed into place, from the last file to the first. A reader sees the old text or the new one. A
 * file keeps its permissions; a manifest keeps its byte order mark, which its texts leave out.
 *
 * @throws HugError `EHUG_MANIFEST_CHANGED`, `EHUG_LOCK_CHANGED` when a file is neither `before` nor
 *   `after` any more, or another process is changing it; `EHUG_LOCK_NOT_A_FILE` for what is no regular
 *   file; `EHUG_FILE_SYSTEM`
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
    // The first error matters more than one of putting a file back.
    if (changes.length > 1) await Promise.allSettled([...placed].map(putBack));
    throw error;
  } finally {
    const waiting = staged.filter((one) => !placed.has(one));
    await Promise.allSettled(waiting.map(({ temporary }) => rm(temporary, { force: true })));
  }
}

/**
 * Makes files from templates, those that are not there; after an error, none. Nothing is overwritten.
 *
 * @param files each path, and that of the file with its text
 * @param edit gives the text to write for that of a template
 * @returns the paths of the files that were made
 * @throws HugError `EHUG_FILE_SYSTEM`
 */
export async function createFiles(
  files: readonly { readonly file: string; readonly template: string }[],
  edit: (text: string) => string,
): Promise<readonly string[]> {
  const made: string[] = [];
  try {
    for (const { file, template } of files) {
      const text = edit(await readFile(template, 'utf8'));
      await writeOrRefuse(file, async () => {
        await succeedsUnless(['EEXIST'], async () => {
          const handle = await open(file, 'wx');
          made.push(file);
          try {
            await handle.writeFile(text);
          } finally {
            await handle.close();
          }
        });
      });
    }
    return made;
  } catch (error) {
    await Promise.all(made.map((file) => rm(file, { force: true })));
    throw error;
  }
}

/**
 * Writes a file that a command makes for the user, in one step: a reader sees the old content or the
 * new one. A file that is there is replaced, and keeps its permissions.
 *
 * @throws HugError `EHUG_FILE_SYSTEM`, also for a link, a folder or a pipe in its place
 */
export async function writeOutput(file: string, text: string): Promise<void> {
  await writeOrRefuse(file, async () => {
    const stats = await orNothing(lstat(file));
    if (stats !== undefined && !stats.isFile()) {
      const what = stats.isSymbolicLink() ? 'a symbolic link' : 'not a regular file';
      throw new HugError('EHUG_FILE_SYSTEM', `${file} is ${what}`, {
        hint: 'Nothing was written. Name another file.',
      });
    }
    const folder = path.dirname(file);
    const name = `.${path.basename(file)}.${globalThis.crypto.randomUUID()}.tmp`;
    const temporary = path.join(folder, name);
    try {
      await writeFile(temporary, text, { flag: 'wx', flush: true });
      // The umask applies to new files only.
      if (stats !== undefined) await chmod(temporary, stats.mode & 0o777);
      await rename(temporary, file);
      await syncFolder(folder);
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

/** The error for a link, a folder or a device in the place of a lock. */
export function notAFile(file: string, isLink: boolean): HugError {
  const what = isLink ? 'a symbolic link' : 'not a regular file';
  return new HugError('EHUG_LOCK_NOT_A_FILE', `${file} is ${what}`, {
    hint: 'Nothing was written. Move it away, then run nix-hug lock.',
  });
}

/** Writes a text to a temporary file in the folder of its target, and syncs it. */
async function stage(change: FileChange): Promise<StagedFile> {
  const { file, before, after, kind } = change;
  const isLinkKept = kind === 'manifest' && before !== undefined;
  const target = isLinkKept ? await realpath(file) : file;
  const stats = await orNothing(lstat(target));
  if (stats !== undefined && !stats.isFile()) throw notAFile(target, stats.isSymbolicLink());
  const mode = stats === undefined ? undefined : stats.mode & 0o777;
  const { mark } = await readContent(target, kind);
  // One name for all processes, so that the second one fails.
  const suffix = kind === 'manifest' ? '' : `.${globalThis.crypto.randomUUID()}`;
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}${suffix}.tmp`);
  try {
    await writeFile(temporary, mark + after, { flag: 'wx', flush: true, mode });
    // The umask has cleared bits of the mode above.
    if (mode !== undefined) await chmod(temporary, mode);
    const { text } = await readContent(target, kind);
    if (text !== before && text !== after) {
      throw new HugError(CHANGED[kind], `${file} changed while nix-hug was at work`, {
        hint: 'Nothing was written. Run it again.',
      });
    }
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
    // As with git's `index.lock`, only the user knows whether the other process still runs.
    const message = `another nix-hug is changing ${file}: there is ${temporary}`;
    throw new HugError(CHANGED[kind], message, {
      hint: 'Nothing was written. Run it again when that is done. If nothing is at work, delete that file first.',
    });
  }
  return { change, target, temporary };
}

async function putBack({ change: { file, before, after, kind } }: StagedFile): Promise<void> {
  if (before === undefined) return rm(file, { force: true });
  return replaceFiles([{ file, before: after, after: before, kind }]);
}

/** A manifest's byte order mark, or nothing, and its text without; no text when there is no file. */
async function readContent(
  file: string,
  kind: FileChange['kind'],
): Promise<{ mark: string; text: string | undefined }> {
  const text = await orNothing(readFile(file, 'utf8'));
  return kind === 'manifest' && text?.startsWith(BYTE_ORDER_MARK) === true
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
