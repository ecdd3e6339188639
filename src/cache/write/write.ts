import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isGitId } from '../../digest.ts';
import { acquireLease, removeAll } from '../../download/lease.ts';
import type { RepoType } from '../../repo.ts';
import type { Damage } from '../find.ts';
import { repoFolderName } from '../layout.ts';
import { addToTree } from '../trees.ts';
import { type BlobSource, type CacheBlob, isSameFile, makeBlob } from './blob-file.ts';
import { cacheError, create, makeFolder, readText, succeedsUnless } from './files.ts';
import { type NewSnapshot, putLinks } from './links.ts';

/**
 * Writes one repository into the Hugging Face cache, as the official client does. Each step is
 * complete or did not happen: first the blobs, then the snapshot with all of its links, then its file
 * list, then the ref. What is right already is not touched.
 *
 * The client's locks keep two clients from downloading the same file twice. The cache stays right
 * without them (`file_download.py`), and Node cannot take them. So lock files are only left behind,
 * as by the client, and at worst a client downloads a file that is being exported.
 *
 * All methods throw `EHUG_FILE_SYSTEM`, `EHUG_DISK_FULL`, and `EHUG_UNSAFE_PATH` for a cache with
 * links that lead elsewhere.
 */
export interface RepoWriter {
  /** Id of the repository. */
  readonly id: string;
  /** Fails unless something can be written. */
  prepare(): Promise<void>;
  /** Whether the blob exists with the right size; it is not read. */
  holds(blob: CacheBlob): Promise<boolean>;
  /**
   * Writes a blob, replacing a file of that name.
   *
   * @param onBytes told how many bytes of the source have been read
   * @throws HugError `EHUG_INTEGRITY` when the source has another content
   */
  putBlob(blob: CacheBlob, source: BlobSource, onBytes: (read: number) => void): Promise<void>;
  /**
   * Adds files to the snapshot of their commit.
   *
   * @param onDamage told of files that were no links, had another content, and were replaced
   * @returns the folder of the snapshot
   */
  putSnapshot(snapshot: NewSnapshot, onDamage: (damage: Damage) => void): Promise<string>;
  /**
   * Points a ref to a commit whose snapshot is in the cache.
   *
   * @param mayMove whether the commit is known to be newer than the one of the ref
   * @returns the commit that the ref still points to, when it is another one
   */
  putRef(ref: string, rev: string, mayMove: boolean): Promise<string | undefined>;
  /** Removes temporary files, also those of a process that was killed. */
  close(): Promise<void>;
}

/** Name of the folders for temporary files, one for each process; no client looks there. */
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
  const repo = path.join(cache, name);
  const folder = (...segments: readonly string[]) => makeFolder(cache, [name, ...segments]);
  let made: Promise<string> | undefined;
  let forBlobs: ReturnType<typeof makeBlobFolders> | undefined;

  /** A folder of this process, on the file system of the repository. */
  const scratch = () => (made ??= makeScratch());

  async function makeScratch(): Promise<string> {
    const real = await folder();
    // The client warns of a repository without it.
    await folder('snapshots');
    const { path: mine } = await acquireLease(real, SCRATCH);
    await rm(mine, { recursive: true, force: true });
    await mkdir(mine);
    const tag = path.join(await makeFolder(cache, []), 'CACHEDIR.TAG');
    // The client does without it, too, in a cache whose top belongs to another user.
    await create(mine, tag, CACHEDIR_TAG).catch(() => undefined);
    return mine;
  }

  async function makeBlobFolders() {
    const locks = await makeFolder(cache, ['.locks', name]);
    return { blobs: await folder('blobs'), locks };
  }

  /** Whether a text is a commit that the cache has. */
  async function isCommit(text: string): Promise<boolean> {
    if (!isGitId(text)) return false;
    return succeedsUnless(['ENOENT'], () => stat(path.join(repo, 'snapshots', text)));
  }

  /** @param needed bytes that the work writes */
  async function guarded<T>(needed: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) throw error;
      throw await cacheError(error, repo, needed);
    }
  }

  return {
    id,

    prepare: () => guarded(0, async () => void (await scratch())),

    holds: async ({ name: { hex }, size }) => {
      const found = await stat(path.join(repo, 'blobs', hex)).catch(() => undefined);
      return found?.isFile() === true && found.size === size;
    },

    putBlob: (blob, source, onBytes) =>
      guarded(blob.size, async () => {
        const { hex } = blob.name;
        if (await isSameFile(source.path, path.join(repo, 'blobs', hex))) return;
        const { blobs, locks } = await (forBlobs ??= makeBlobFolders());
        const temporary = path.join(await scratch(), hex);
        // The client locks it while it writes, and leaves the file behind.
        await create(await scratch(), path.join(locks, `${hex}.lock`), '', 0o664);
        try {
          const target = path.join(blobs, hex);
          await makeBlob(source, blob, { temporary, target }, onBytes, signal);
        } finally {
          await rm(temporary, { force: true });
        }
      }),

    putSnapshot: (snapshot, onDamage) =>
      guarded(0, async () => {
        const { rev, tree } = snapshot;
        await putLinks(snapshot, { folder, scratch }, onDamage);
        await addToTree(path.join(await folder('trees'), `${rev}.json`), tree, scratch);
        return path.join(repo, 'snapshots', rev);
      }),

    putRef: (ref, rev, mayMove) =>
      guarded(0, async () => {
        if (ref === rev) return undefined;
        const parents = ref.split('/').slice(0, -1);
        const file = path.join(await folder('refs', ...parents), path.posix.basename(ref));
        const before = await readText(file);
        if (before === rev) return undefined;
        if (!mayMove && before !== undefined && (await isCommit(before))) return before;
        const temporary = path.join(await scratch(), path.basename(file));
        await writeFile(temporary, rev, { flush: true });
        await rename(temporary, file);
        return undefined;
      }),

    close: async () => {
      const names = await readdir(repo).catch(() => []);
      if (names.some((each) => each.startsWith(`${SCRATCH}.`))) made ??= makeScratch();
      const mine = await made?.catch(() => undefined);
      if (mine !== undefined) await guarded(0, () => removeAll(mine, SCRATCH));
    },
  };
}
