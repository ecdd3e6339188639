import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { type BlobSource, makeBlob } from '../cache/write/blob-file.ts';
import type { Digest } from '../digest.ts';
import { assertSpace, storageError } from '../download/disk-space.ts';
import { acquireLease, removeAll } from '../download/lease.ts';
import { makeFolders } from '../make-folders.ts';

/** A content of a mirror. */
interface MirrorBlob {
  /** SHA-256 of the content. */
  readonly digest: Digest;
  /** Length in bytes. */
  readonly size: number;
}

/** Writes a folder of files by their SHA-256, see `createMirrorWriter`. */
export type MirrorWriter = ReturnType<typeof createMirrorWriter>;

/** Name of the folders for temporary files, one for each process. */
const SCRATCH = '.nix-hug';

/**
 * Writes a folder that any web server can offer as a hashed mirror of Nix: it asks for
 * `sha256/<64 hex digits>` (Nix manual, `hashed-mirrors`). A file appears under its name when it is
 * complete, and none is ever removed: several locks can share a folder.
 *
 * All methods throw `EHUG_FILE_SYSTEM` and `EHUG_DISK_FULL`.
 *
 * @param folder made when something is written
 */
export function createMirrorWriter(folder: string, signal: AbortSignal) {
  const contents = path.join(folder, 'sha256');
  const fileOf = ({ digest }: MirrorBlob) => path.join(contents, digest.hex);
  let made: Promise<string> | undefined;

  /** A folder of this process, on the file system of the contents. */
  const scratch = () => (made ??= makeScratch());

  async function makeScratch(): Promise<string> {
    await makeFolders(contents);
    const { path: mine } = await acquireLease(contents, SCRATCH);
    await rm(mine, { recursive: true, force: true });
    await mkdir(mine);
    return mine;
  }

  /** @param needed bytes that the work writes */
  async function guarded<T>(needed: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) throw error;
      throw await storageError(error, folder, needed);
    }
  }

  return {
    folder,

    /** Whether the content is there with the right size; it is not read. */
    async holds(blob: MirrorBlob): Promise<boolean> {
      const found = await stat(fileOf(blob)).catch(() => undefined);
      return found?.isFile() === true && found.size === blob.size;
    },

    /** Fails unless something can be written. */
    prepare: () => guarded(0, async () => void (await scratch())),

    /** Whether another folder is on the same file system, so that hard links between them may work. */
    async isOnDiskOf(other: string): Promise<boolean> {
      const [mine, its] = await Promise.all([stat(contents), stat(other).catch(() => undefined)]);
      return mine.dev === its?.dev;
    },

    /** Fails unless the disk has room for so many bytes. */
    assertSpace: (bytes: number) =>
      assertSpace(contents, bytes, 'Make room, or name a folder on a larger disk.'),

    /**
     * Writes a content: by a hard link or a clone where the file system has them, else by a copy.
     *
     * @param onBytes told how many bytes of the source have been read
     * @throws HugError `EHUG_INTEGRITY` when the source has another content
     */
    put: (blob: MirrorBlob, source: BlobSource, onBytes: (read: number) => void) =>
      guarded(blob.size, async () => {
        const temporary = path.join(await scratch(), blob.digest.hex);
        try {
          const { digest: name, size } = blob;
          const places = { temporary, target: fileOf(blob) };
          await makeBlob(source, { name, size }, places, onBytes, signal);
        } finally {
          await rm(temporary, { force: true });
        }
      }),

    /** Removes temporary files, also those of a process that was killed. */
    async close(): Promise<void> {
      const names = await readdir(contents).catch(() => []);
      if (names.some((name) => name.startsWith(`${SCRATCH}.`))) made ??= makeScratch();
      const mine = await made?.catch(() => undefined);
      if (mine !== undefined) await guarded(0, () => removeAll(mine, SCRATCH));
    },
  };
}
