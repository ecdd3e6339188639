import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { HugError, messageOf, systemCodeOf } from '../errors.ts';
import { quote } from '../quote.ts';

/** A file of a folder. */
export interface FolderFile {
  /** Relative to the folder. */
  readonly name: string;
  /** Its path, behind all links. */
  readonly file: string;
  /** In bytes. */
  readonly size: number;
}

/**
 * Lists the files of a folder and of those below it that have one of some sizes, each once; sorted by
 * name. Links are followed where they stay in the folder. What cannot be read is passed over.
 *
 * @param sizes in bytes
 * @param signal ends the listing; it throws then
 * @throws HugError `EHUG_FILE_SYSTEM` when the folder itself cannot be read
 */
export async function filesOfSizes(
  folder: string,
  sizes: ReadonlySet<number>,
  signal: AbortSignal,
): Promise<FolderFile[]> {
  const root = await realpath(folder).catch((error: unknown) => unreadable(folder, error));
  const found = new Map<string, FolderFile>();
  const seen = new Set<string>();

  async function visit(at: string, name: string): Promise<void> {
    signal.throwIfAborted();
    const real = await realpath(at);
    if (real !== root && !real.startsWith(`${root}${path.sep}`)) return;
    const stats = await stat(real);
    if (stats.isDirectory()) {
      if (seen.has(real)) return;
      seen.add(real);
      for (const child of (await readdir(real)).toSorted()) {
        await visit(path.join(at, child), path.join(name, child)).catch((error: unknown) => {
          if (systemCodeOf(error) === undefined) throw error;
        });
      }
    } else if (stats.isFile() && sizes.has(stats.size) && !found.has(real)) {
      found.set(real, { name, file: real, size: stats.size });
    }
  }

  const stats = await stat(root).catch((error: unknown) => unreadable(folder, error));
  if (!stats.isDirectory()) throw notAFolder(folder);
  await visit(root, '').catch((error: unknown) => {
    if (systemCodeOf(error) === undefined) throw error;
    unreadable(folder, error);
  });
  return [...found.values()];
}

const notAFolder = (folder: string): HugError =>
  new HugError('EHUG_FILE_SYSTEM', `${quote(folder)} is not a folder`);

function unreadable(folder: string, error: unknown): never {
  const reason = systemCodeOf(error) ?? messageOf(error);
  throw new HugError('EHUG_FILE_SYSTEM', `${quote(folder)} cannot be read: ${reason}`, {
    cause: error,
  });
}
