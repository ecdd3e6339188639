import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isGitId } from '../../digest.ts';
import type { RepoType } from '../../repo.ts';
import { acquireLease, removeAll } from '../../download/lease.ts';
import type { Damage } from '../find.ts';
import { repoFolderName } from '../layout.ts';
import { addToTree } from '../trees.ts';
import { type Blob, type BlobSource, isSameFile, makeBlob } from './blob.ts';
import { cacheError, makeFolder, succeedsUnless } from './folders.ts';
import { putLinks, type Snapshot } from './links.ts';
import { create, readText } from './put.ts';

/**
 * Writes one repository into the Hugging Face cache, as the official client does. Each step is
 * complete or did not happen: blobs first, then the snapshot with all of its links, then what it
 * lists, then the ref that leads to it. What is right already is not touched.
 *
 * The client's locks keep two clients from downloading the same file twice; what is written is right
 * without them (`file_download.py`), and Node cannot take them. So lock files are left behind as the
 * client leaves them, and at worst a client downloads what is being exported.
 *
 * All methods throw `EHUG_FILE_SYSTEM`, `EHUG_DISK_FULL`, and `EHUG_UNSAFE_PATH` for a cache with
 * links that lead elsewhere.
 */
export interface RepoWriter {
  /** Id of the repository. */
  readonly id: string;
  /** Makes sure that something can be written. */
  prepare(): Promise<void>;
  /** Whether a file of the right size has the name of the content; it is not read. */
  holds(blob: Blob): Promise<boolean>;
  /**
   * Puts a content where the client looks for it, in place of what is there.
   *
   * @param onBytes told how many bytes of the source have been read
   * @throws HugError `EHUG_INTEGRITY` when the source is another content
   */
  putBlob(blob: Blob, source: BlobSource, onBytes: (read: number) => void): Promise<void>;
  /**
   * Adds files to the snapshot of their commit.
   *
   * @param onDamage told of files without links that were replaced and had another content
   * @returns its folder
   */
  putSnapshot(snapshot: Snapshot, onDamage: (damage: Damage) => void): Promise<string>;
  /**
   * Has a ref name a commit whose snapshot is there.
   *
   * @param mayMove whether the commit is known to be newer than what the ref names
   * @returns the commit that the ref names still, when it is another one
   */
  putRef(ref: string, rev: string, mayMove: boolean): Promise<string | undefined>;
  /** Removes what is left of the work. */
  close(): Promise<void>;
}

/** Name of the folders that things are prepared in, one for each process; no client looks there. */
const SCRATCH = '.nix-hug';

const CACHEDIR_TAG = `Signature: 8a477f597d28d172789f06886806bc55
# This file is a cache directory tag created by huggingface_hub.
# For information about cache directory tags, see:
#\thttps://bford.info/cachedir/
`;

/** @param cache the cache folder, made when missing */
export function createRepoWriter(
  cache: string,
  type: RepoType,
  id: string,
  signal: AbortSignal,
): RepoWriter {
  const name = repoFolderName(type, id);
  const shown = path.join(cache, name);
  const folder = (...segments: readonly string[]) => makeFolder(cache, [name, ...segments]);
  let made: Promise<string> | undefined;
  let forBlobs: ReturnType<typeof makeBlobFolders> | undefined;

  /** A folder of this process, on the file system of the repository. */
  const scratch = () => (made ??= makeScratch());

  async function makeScratch(): Promise<string> {
    const repo = await folder();
    // The client warns of a repository without it.
    await folder('snapshots');
    const { path: mine } = await acquireLease(repo, SCRATCH);
    await rm(mine, { recursive: true, force: true });
    await mkdir(mine);
    const tag = path.join(await makeFolder(cache, []), 'CACHEDIR.TAG');
    // As the client, do without it in a cache whose top belongs to somebody else.
    await create(mine, tag, CACHEDIR_TAG).catch(() => undefined);
    return mine;
  }

  async function scratchFolders(): Promise<string[]> {
    const names = await readdir(shown);
    return names.flatMap((one) => (one.startsWith(`${SCRATCH}.`) ? [path.join(shown, one)] : []));
  }

  /** Where blobs and their locks go. */
  async function makeBlobFolders() {
    const locks = await makeFolder(cache, ['.locks', name]);
    return { blobs: await folder('blobs'), locks };
  }

  /** Writes a file in one step. */
  async function replace(file: string, text: string): Promise<void> {
    const temporary = path.join(await scratch(), path.basename(file));
    await writeFile(temporary, text, { flush: true });
    await rename(temporary, file);
  }

  /** Whether a ref leads somewhere. */
  async function isCommit(rev: string): Promise<boolean> {
    if (!isGitId(rev)) return false;
    return succeedsUnless(['ENOENT'], () => stat(path.join(shown, 'snapshots', rev)));
  }

  async function guarded<T>(needed: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) throw error;
      throw await cacheError(error, shown, needed);
    }
  }

  return {
    id,

    prepare: () => guarded(0, async () => void (await scratch())),

    holds: async ({ etag, size }) => {
      const found = await stat(path.join(shown, 'blobs', etag)).catch(() => undefined);
      return found?.isFile() === true && found.size === size;
    },

    putBlob: (blob, source, onBytes) =>
      guarded(blob.size, async () => {
        if (await isSameFile(source.file, path.join(shown, 'blobs', blob.etag))) return;
        const folders = await (forBlobs ??= makeBlobFolders());
        const target = path.join(folders.blobs, blob.etag);
        const mine = await scratch();
        const temporary = path.join(mine, blob.etag);
        // The client locks it while it writes, and leaves the file behind.
        const lock = path.join(folders.locks, `${blob.etag}.lock`);
        await create(mine, lock, '', 0o664);
        try {
          await makeBlob(source, blob, { temporary, target }, onBytes, signal);
        } finally {
          await rm(temporary, { force: true });
        }
      }),

    putSnapshot: (snapshot, onDamage) =>
      guarded(0, async () => {
        const { rev, tree } = snapshot;
        await putLinks(snapshot, { folder, scratch }, onDamage);
        const list = path.join(await folder('trees'), `${rev}.json`);
        await addToTree(list, tree, scratch);
        return path.join(shown, 'snapshots', rev);
      }),

    putRef: (ref, rev, mayMove) =>
      guarded(0, async () => {
        if (ref === rev) return undefined;
        const parents = ref.split('/').slice(0, -1);
        const file = path.join(await folder('refs', ...parents), path.posix.basename(ref));
        const before = await readText(file);
        if (before === rev) return undefined;
        if (!mayMove && before !== undefined && (await isCommit(before))) return before;
        await replace(file, rev);
        return undefined;
      }),

    close: async () => {
      // A killed process may have left its folder where nothing had to be done any more.
      const left = await scratchFolders().catch(() => []);
      if (left.length > 0) made ??= makeScratch();
      const mine = await made?.catch(() => undefined);
      if (mine !== undefined) await guarded(0, () => removeAll(mine, SCRATCH));
    },
  };
}
