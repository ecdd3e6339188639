import { constants } from 'node:fs';
import {
  copyFile,
  link,
  lstat,
  mkdir,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { isGitId } from '../../digest.ts';
import { succeedsUnless } from '../../failures.ts';
import { acquireLease, removeAll } from '../../download/lease.ts';
import { DEFAULT_REF, type RepoType } from '../../repo.ts';
import { type Damage, reasonAgainst } from '../find.ts';
import { blobNameOf, type CommitFile, linkText, repoFolderName } from '../layout.ts';
import { addToTree, type CommitTree, markAbsent } from '../trees.ts';
import { type BlobSource, type CacheBlob, isSameFile, makeBlob, NO_LINKS } from './blob-file.ts';
import { cacheError, create, makeFolder, readIfThere } from './files.ts';

/** A commit to be written into the cache. */
interface NewSnapshot extends CommitTree {
  /** The commit. */
  readonly rev: string;
  /** Files whose blobs are in the cache; safe paths. */
  readonly files: readonly CommitFile[];
}

/** Writes one repository into the Hugging Face cache, see `createRepoWriter`. */
export type RepoWriter = ReturnType<typeof createRepoWriter>;

/** How a repository is written. */
export interface WriteOptions {
  /**
   * Whether snapshots get files rather than links to blobs, as they also do where the file system has
   * no links.
   */
  readonly isPlain?: boolean | undefined;
  /** Whether copies replace blobs that are links out of the repository. */
  readonly replacesLinks?: boolean | undefined;
}

/** Name of the folders for temporary files, one for each process; no client looks there. */
const SCRATCH = '.nix-hug';

const CACHEDIR_TAG = `Signature: 8a477f597d28d172789f06886806bc55
# This file is a cache directory tag created by huggingface_hub.
# For information about cache directory tags, see:
#\thttps://bford.info/cachedir/
`;

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
 *
 * @param cache the cache folder, made when missing
 */
export function createRepoWriter(
  cache: string,
  type: RepoType,
  id: string,
  signal: AbortSignal,
  { isPlain = false, replacesLinks = false }: WriteOptions = {},
) {
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

  /** Makes the link to a blob; without links, the file, which is the blob under another name. */
  async function place(file: CommitFile, at: string): Promise<void> {
    if (!isPlain && (await succeedsUnless(NO_LINKS, () => symlink(linkText(file), at)))) return;
    isPlain = true;
    const blob = path.join(repo, 'blobs', blobNameOf(file).hex);
    if (await succeedsUnless(NO_HARD_LINKS, () => link(blob, at))) return;
    await copyFile(blob, at, constants.COPYFILE_EXCL);
  }

  const isToBeReplaced = async (blob: string) =>
    replacesLinks && (await lstat(blob)).isSymbolicLink();

  /** Makes a whole snapshot in one step; `false` when another process was faster. */
  async function makeSnapshot({ rev, files }: NewSnapshot, target: string): Promise<boolean> {
    const prepared = path.join(await scratch(), rev);
    await mkdir(prepared);
    for (const file of files) {
      const at = path.join(prepared, file.path);
      await mkdir(path.dirname(at), { recursive: true });
      await place(file, at);
    }
    const isFirst = await succeedsUnless(['ENOTEMPTY', 'EEXIST', 'ENOTDIR'], () =>
      rename(prepared, target),
    );
    if (!isFirst) await rm(prepared, { recursive: true });
    return isFirst;
  }

  /** Adds links to a snapshot, one by one. */
  async function addLinks({ rev, files }: NewSnapshot, onDamage: (damage: Damage) => void) {
    const parents = new Map<string, Promise<string>>();
    const parentOf = (file: string) => {
      const parent = path.posix.dirname(file);
      const segments = parent === '.' ? [] : parent.split('/');
      const known = parents.get(parent) ?? folder('snapshots', rev, ...segments);
      parents.set(parent, known);
      return known;
    };
    const blobs = await folder('blobs');
    for (const file of files) {
      const target = path.join(await parentOf(file.path), path.posix.basename(file.path));
      const text = linkText(file);
      if ((await readlink(target).catch(() => undefined)) === text) continue;
      const reason = await reasonToReplace(target, file, blobs);
      if (isPlain && reason === undefined && (await isFile(target))) continue;
      const temporary = path.join(await scratch(), 'link');
      await place(file, temporary);
      await rename(temporary, target);
      if (reason !== undefined) onDamage({ file: target, reason });
    }
  }

  /** @returns the commit that the ref still points to, when it is another one */
  async function pointRef(ref: string, rev: string, mayMove: boolean): Promise<string | undefined> {
    const parents = ref.split('/').slice(0, -1);
    const file = path.join(await folder('refs', ...parents), path.posix.basename(ref));
    const before = await readIfThere(file);
    if (before === rev) return undefined;
    if (!mayMove && before !== undefined && isGitId(before)) {
      const other = path.join(repo, 'snapshots', before);
      if (await succeedsUnless(['ENOENT'], () => stat(other))) return before;
    }
    const temporary = path.join(await scratch(), path.basename(file));
    await writeFile(temporary, rev, { flush: true });
    await rename(temporary, file);
    return undefined;
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
    /** Id of the repository. */
    id,

    /** Fails unless something can be written. */
    prepare: () => guarded(0, async () => void (await scratch())),

    /** Whether the blob exists with the right size, as it is to be; it is not read. */
    async holds({ name: { hex }, size }: CacheBlob): Promise<boolean> {
      const blob = path.join(repo, 'blobs', hex);
      const found = await stat(blob).catch(() => undefined);
      return found?.isFile() === true && found.size === size && !(await isToBeReplaced(blob));
    },

    /**
     * Writes a blob, replacing a file of that name.
     *
     * @param onBytes told how many bytes of the source have been read
     * @throws HugError `EHUG_INTEGRITY` when the source has another content
     */
    putBlob: (blob: CacheBlob, source: BlobSource, onBytes: (read: number) => void) =>
      guarded(blob.size, async () => {
        const { hex } = blob.name;
        const present = path.join(repo, 'blobs', hex);
        if ((await isSameFile(source.path, present)) && !(await isToBeReplaced(present))) return;
        const { blobs, locks } = await (forBlobs ??= makeBlobFolders());
        const temporary = path.join(await scratch(), hex);
        // The client locks it while it writes, and leaves the file behind.
        const lock = path.join(locks, `${hex}.lock`);
        if (source.isLasting !== true) await create(await scratch(), lock, '', 0o664);
        try {
          const target = path.join(blobs, hex);
          await makeBlob(source, blob, { temporary, target }, onBytes, signal);
        } finally {
          await rm(temporary, { force: true });
        }
      }),

    /**
     * Links the files of a commit to their blobs: in one step when the cache does not have the
     * commit, else one by one. Then it adds them to the file list of the commit.
     *
     * @param onDamage told of files that were no links, had another content, and were replaced
     * @returns the folder of the snapshot
     */
    putSnapshot: (snapshot: NewSnapshot, onDamage: (damage: Damage) => void) =>
      guarded(0, async () => {
        const { rev } = snapshot;
        const target = path.join(await folder('snapshots'), rev);
        const isThere = await succeedsUnless(['ENOENT'], () => lstat(target));
        const isMade = !isThere && (await makeSnapshot(snapshot, target));
        if (!isMade) await addLinks(snapshot, onDamage);
        await addToTree(path.join(await folder('trees'), `${rev}.json`), snapshot, scratch);
        if (snapshot.isWhole) await markAbsent(await folder('.no_exist', rev), snapshot.listed);
        return path.join(repo, 'snapshots', rev);
      }),

    /**
     * Points a ref to a commit whose snapshot is in the cache, and the ref that is named by the commit:
     * `hf cache prune` removes a revision without a ref, and some clients find a commit by its ref only.
     * Where the cache has no other revision of the repository and no `main`, that is this commit, too.
     *
     * @param mayMove whether the commit is known to be newer than the one of the ref
     * @returns the commit that the ref still points to, when it is another one
     */
    putRef: (ref: string, rev: string, mayMove: boolean): Promise<string | undefined> =>
      guarded(0, async () => {
        await pointRef(rev, rev, true);
        const other = ref === rev ? undefined : await pointRef(ref, rev, mayMove);
        const revs = (await readdir(path.join(repo, 'snapshots'))).filter(isGitId);
        const main = path.join(repo, 'refs', DEFAULT_REF);
        const isMain = revs.length === 1 && !(await succeedsUnless(['ENOENT'], () => lstat(main)));
        if (isMain) await pointRef(DEFAULT_REF, rev, false);
        return other;
      }),

    /** Removes temporary files, also those of a process that was killed. */
    async close(): Promise<void> {
      const names = await readdir(repo).catch(() => []);
      if (names.some((each) => each.startsWith(`${SCRATCH}.`))) made ??= makeScratch();
      const mine = await made?.catch(() => undefined);
      if (mine !== undefined) await guarded(0, () => removeAll(mine, SCRATCH));
    },
  };
}

/** Error codes of link(2) without hard links, or with as many as there may be. */
const NO_HARD_LINKS = [...NO_LINKS, 'EMLINK'];

const isFile = (at: string): Promise<boolean> =>
  lstat(at).then(
    (stats) => stats.isFile(),
    () => false,
  );

/**
 * Why a file in place of a link does not have the content of the blob, as in a cache without links;
 * `undefined` for a link, or when it has.
 */
async function reasonToReplace(
  at: string,
  file: CommitFile,
  blobs: string,
): Promise<string | undefined> {
  const digest = blobNameOf(file);
  const found = await lstat(at).catch(() => undefined);
  if (found?.isFile() !== true || (await isSameFile(at, path.join(blobs, digest.hex)))) {
    return undefined;
  }
  return reasonAgainst(at, { size: file.size, digest }, () => undefined);
}
