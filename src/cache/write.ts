import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { systemCodeOf } from '../errors.ts';
import { isGitId } from '../integrity.ts';
import type { RepoType } from '../repo.ts';
import { claim, removeAll } from '../transfer/claim.ts';
import { type Blob, type BlobSource, makeBlob } from './blob.ts';
import { cacheError, makeFolder } from './folders.ts';
import { repoFolderName } from './layout.ts';
import { type TreeItem, treesText } from './trees.ts';

/** A commit as it goes into the cache. */
interface Snapshot {
  /** The commit. */
  readonly rev: string;
  /** Files whose blobs are there; safe paths. */
  readonly files: readonly { readonly path: string; readonly etag: string }[];
  /** What is known of the files of the commit, there or not. */
  readonly tree: readonly TreeItem[];
}

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
   * @returns its folder
   */
  putSnapshot(snapshot: Snapshot): Promise<string>;
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
  let links = 0;

  /** A folder of this process, on the file system of the repository. */
  const scratch = () => (made ??= makeScratch());

  async function makeScratch(): Promise<string> {
    const repo = await folder();
    // The client warns of a repository without it.
    await folder('snapshots');
    await createNew(path.join(await makeFolder(cache, []), 'CACHEDIR.TAG'), (handle) =>
      handle.writeFile(CACHEDIR_TAG),
    );
    const { path: mine } = await claim(repo, SCRATCH);
    await rm(mine, { recursive: true, force: true });
    await mkdir(mine);
    return mine;
  }

  /** Writes a file in one step, unless it has the text already. */
  async function replace(file: string, text: string, mode?: number): Promise<void> {
    const temporary = path.join(await scratch(), path.basename(file));
    await writeFile(temporary, text, { mode, flush: true });
    await rename(temporary, file);
  }

  /** Adds links to a snapshot, one by one. */
  async function addLinks({ rev, files }: Snapshot): Promise<void> {
    const parents = new Map<string, Promise<string>>();
    const parentOf = (file: string) => {
      const parent = path.posix.dirname(file);
      const segments = parent === '.' ? [] : parent.split('/');
      const known = parents.get(parent) ?? folder('snapshots', rev, ...segments);
      parents.set(parent, known);
      return known;
    };
    for (const file of files) {
      const target = path.join(await parentOf(file.path), path.posix.basename(file.path));
      const text = linkText(file);
      if ((await readlink(target).catch(() => undefined)) === text) continue;
      const temporary = path.join(await scratch(), `link-${(links += 1)}`);
      await symlink(text, temporary);
      await rename(temporary, target);
    }
  }

  /** Makes a whole snapshot in one step; `false` when there is one meanwhile. */
  async function makeSnapshot({ rev, files }: Snapshot, target: string): Promise<boolean> {
    const prepared = path.join(await scratch(), rev);
    await mkdir(prepared);
    for (const file of files) {
      const link = path.join(prepared, file.path);
      await mkdir(path.dirname(link), { recursive: true });
      await symlink(linkText(file), link);
    }
    const isFirst = await succeedsUnless(['ENOTEMPTY', 'EEXIST', 'ENOTDIR'], () =>
      rename(prepared, target),
    );
    if (!isFirst) await rm(prepared, { recursive: true });
    return isFirst;
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
        const target = path.join(await folder('blobs'), blob.etag);
        if (await isSame(source.file, target)) return;
        const temporary = path.join(await scratch(), blob.etag);
        await leaveLock(cache, name, blob.etag);
        try {
          await makeBlob(source, blob, { temporary, target }, onBytes, signal);
        } finally {
          await rm(temporary, { force: true });
        }
      }),

    putSnapshot: (snapshot) =>
      guarded(0, async () => {
        const { rev, tree } = snapshot;
        const target = path.join(await folder('snapshots'), rev);
        const isThere = await succeedsUnless(['ENOENT'], () => lstat(target));
        if (isThere || !(await makeSnapshot(snapshot, target))) await addLinks(snapshot);
        const file = path.join(await folder('trees'), `${rev}.json`);
        const before = await readText(file);
        const after = treesText(before, tree);
        // The client makes it by `mkstemp`.
        if (after !== before) await replace(file, after, 0o600);
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
      const mine = await made?.catch(() => undefined);
      if (mine !== undefined) await guarded(0, () => removeAll(mine, SCRATCH));
    },
  };

  /** Whether a ref leads somewhere. */
  async function isCommit(rev: string): Promise<boolean> {
    if (!isGitId(rev)) return false;
    return succeedsUnless(['ENOENT'], () => stat(path.join(shown, 'snapshots', rev)));
  }
}

/** What a link of a snapshot says: the way up from its folder, and down to the blob. */
function linkText({ path: file, etag }: Snapshot['files'][number]): string {
  return `${'../'.repeat(file.split('/').length + 1)}blobs/${etag}`;
}

/** Leaves the lock file of a blob behind, where the client would have locked it. */
async function leaveLock(cache: string, repoFolder: string, etag: string): Promise<void> {
  const locks = await makeFolder(cache, ['.locks', repoFolder]);
  await createNew(path.join(locks, `${etag}.lock`), (handle) => handle.chmod(0o664));
}

/** Makes a file that is not there yet. */
async function createNew(file: string, fill: (handle: FileHandle) => Promise<void>): Promise<void> {
  await succeedsUnless(['EEXIST'], async () => {
    const handle = await open(file, 'wx');
    try {
      await fill(handle);
    } finally {
      await handle.close();
    }
  });
}

/** Whether two paths are one file, behind all links. */
async function isSame(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(one), stat(other).catch(() => undefined)]);
  return a.ino === b?.ino && a.dev === b.dev;
}

const readText = (file: string): Promise<string | undefined> =>
  readFile(file, 'utf8').catch(() => undefined);

/** `false` for one of the system's error codes; others are thrown. */
async function succeedsUnless(
  codes: readonly string[],
  work: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (codes.includes(systemCodeOf(error) ?? '')) return false;
    throw error;
  }
}
