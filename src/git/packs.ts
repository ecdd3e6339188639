import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pLimit from 'p-limit';
import { type Digest, digestsOfBytes, sriOfHex } from '../digest.ts';
import { assertSpace } from '../download/disk-space.ts';
import { acquireLease, removeAll } from '../download/lease.ts';
import { messageOf } from '../errors.ts';
import { makeFolders } from '../make-folders.ts';
import type { HttpOptions } from '../hub/http.ts';
import { readCertificates } from '../hub/pool.ts';
import { type RepoType } from '../repo.ts';
import { repoPage } from '../address.ts';
import {
  fetchCommit,
  type Git,
  initRepository,
  type ObjectRequest,
  readObjects,
} from './repository.ts';
import { type GitAccess, gitEnv, runGit } from './run-git.ts';

/** A commit of a repository. */
export interface PackedCommit {
  readonly type: RepoType;
  /** Id that the Hub answers with. */
  readonly id: string;
  readonly rev: string;
  /** A ref that pointed to the commit, or the commit itself. */
  readonly ref: string;
}

/** A plain file; or, with `lfs`, one whose pointer is in the pack. */
export interface PackedFile {
  /** Git blob id. */
  readonly oid: string;
  /** Length of the content in bytes. */
  readonly size: number;
  readonly lfs?: { readonly sha256: string } | 'masked';
}

/** Takes a content that has the git blob id of its file; `hash` is its SHA-256 in SRI form. */
type Use<File> = (file: File, content: Buffer, hash: string) => void | Promise<void>;

/** A file on disk, and what removes it. */
interface UnpackedFile {
  readonly path: string;
  discard(): Promise<void>;
}

/** Plain files from git's packs, see `createPacks`. */
export type Packs = ReturnType<typeof createPacks>;

/** What `createPacks` takes. */
interface PacksOptions
  extends GitAccess, Pick<HttpOptions, 'apiConcurrency' | 'readTimeoutMs' | 'signal'> {
  /** Folder of temporary repositories; made when missing. */
  readonly folder: string;
  /** Told what came by a pack, and why something did not. */
  readonly debug: (line: string) => void;
}

/** Fewer files come as fast one by one, by two requests each. */
const MIN_FILES = 8;
/** Bytes of other files that may come along for each file that is wanted. */
const SPARE_BYTES = 64 * 1024;
/** Room for a commit, in bytes. */
const BASE_BYTES = 1024 * 1024;
/** What a file takes beside its content, and with its pointer if it is an LFS file; in bytes. */
const FILE_BYTES = 512;
/** Longest pointer of git-lfs, in bytes. */
const MAX_POINTER_BYTES = 1024;
/** A pack that is cut starts from its first byte again, unlike a download. */
const MAX_PACK_BYTES = 1024 ** 3;
/** Larger contents do not pass through memory; the Hub takes plain files of up to 10 MB. */
const MAX_CONTENT_BYTES = 64 * 1024 * 1024;
/** After so many failures in a row, the Hub has no git, or there is none here. */
const MAX_FAILURES_IN_A_ROW = 3;
/** Name of the file of certificates, in the folder of this process. */
const CERTIFICATES = 'certificates.pem';
/** A pack has to come at this rate, in bytes a second. */
const MIN_RATE = 64 * 1024;

/**
 * The largest pack that is worth fetching for some files, in bytes.
 *
 * @param listed all files of the commit, where they are known
 * @returns `undefined` when the files should come one by one
 */
export function packLimit(
  wanted: readonly PackedFile[],
  listed?: readonly PackedFile[],
): number | undefined {
  if (wanted.length < MIN_FILES) return undefined;
  if (listed?.some(({ lfs }) => lfs === 'masked') === true) return undefined;
  const worth = Math.min(bytesOf(wanted) + wanted.length * SPARE_BYTES, MAX_PACK_BYTES);
  const all = bytesOf(listed ?? wanted);
  if (all > worth) return undefined;
  return BASE_BYTES + (listed === undefined ? worth : all);
}

const bytesOf = (files: readonly PackedFile[]): number =>
  files.reduce((sum, { size, lfs }) => sum + FILE_BYTES + (lfs === undefined ? size : 0), 0);

/**
 * Opens a source of plain files: `git fetch` of a commit takes two or three requests, however many
 * files it has. It never fails: the files that it does not give come one by one.
 */
export function createPacks({ folder, debug, ...access }: PacksOptions) {
  const { endpoint, readTimeoutMs = 30_000, apiConcurrency = 16 } = access;
  const closed = new AbortController();
  const signal = AbortSignal.any([closed.signal, ...(access.signal ? [access.signal] : [])]);
  const limit = pLimit(apiConcurrency);
  const running = new Set<Promise<void>>();
  let home: Promise<string> | undefined;
  let failuresInARow = 0;

  /** A folder of this process. */
  async function makeHome(): Promise<string> {
    const { path: mine } = await acquireLease(folder, 'git');
    await rm(mine, { recursive: true, force: true });
    try {
      await mkdir(mine, { mode: 0o700 });
      // Whoever warns of a file that cannot be read has done so.
      const certificates = await readCertificates(access.env, () => undefined);
      await writeFile(path.join(mine, CERTIFICATES), certificates.join('\n'));
      return mine;
    } catch (error) {
      await removeAll(mine, 'git');
      throw error;
    }
  }

  async function makeFolder(): Promise<string> {
    home ??= makeHome();
    return mkdtemp(path.join(await home, 'commit-'));
  }

  async function readPack(
    commit: PackedCommit,
    objects: readonly ObjectRequest[],
    maxBytes: number,
    keepFree: number,
  ): Promise<void> {
    const { type, id, rev, ref } = commit;
    await makeFolders(folder, 0o700);
    await assertSpace(folder, 2 * maxBytes + keepFree, '');
    const repository = await makeFolder();
    const certificates = path.join(path.dirname(repository), CERTIFICATES);
    const env = gitEnv(access, repository, certificates);
    const maxMs = Math.ceil(4 * readTimeoutMs + (maxBytes / MIN_RATE) * 1_000);
    const limits = { maxBytes, maxMs, signal };
    const git: Git = (args, consume) =>
      runGit(['--git-dir', repository, ...args], env, limits, consume);
    const address = repoPage(endpoint, type, id);
    try {
      await initRepository(repository, 2 * readTimeoutMs);
      // A server may refuse a commit that no ref points to, and those that it does not advertise.
      await fetchCommit(git, address, rev).catch(async (error: unknown) => {
        if (ref === rev) throw error;
        await fetchCommit(git, address, ref);
      });
      await readObjects(git, objects);
    } finally {
      await rm(repository, { recursive: true, force: true });
    }
  }

  async function tryPack(...pack: Parameters<typeof readPack>): Promise<void> {
    const [commit, objects] = pack;
    if (signal.aborted || failuresInARow >= MAX_FAILURES_IN_A_ROW) return;
    const started = performance.now();
    const what = `pack of ${commit.type} ${commit.id}`;
    try {
      await readPack(...pack);
      failuresInARow = 0;
      const ms = Math.round(performance.now() - started);
      debug(`${what}: ${objects.length} objects ${ms} ms`);
    } catch (error) {
      if (signal.aborted) return;
      failuresInARow += 1;
      debug(`${what} is not used, its files come one by one: ${messageOf(error)}`);
    }
  }

  const packs = {
    /**
     * Passes contents of plain files to `use`, in any number; none when a pack is not worth it.
     *
     * @param listed all files of the commit, where they are known; the pack is not used when one of
     *   its pointers disagrees with them
     * @param keepFree bytes of the disk that others need
     */
    async read<File extends PackedFile>(
      commit: PackedCommit,
      wanted: readonly File[],
      listed: readonly PackedFile[] | undefined,
      use: Use<File>,
      keepFree = 0,
    ): Promise<void> {
      const maxBytes = packLimit(wanted, listed);
      if (maxBytes === undefined) return;
      const objects = [
        { name: `${commit.rev}^{commit}`, maxBytes: BASE_BYTES, use: () => undefined },
        ...(listed ?? []).flatMap(pointerOf),
        ...wanted.filter(({ size }) => size <= MAX_CONTENT_BYTES).map((file) => blobOf(file, use)),
      ];
      const run = limit(() => tryPack(commit, objects, maxBytes, keepFree));
      running.add(run);
      await run.finally(() => running.delete(run));
    },

    /**
     * Writes plain files to disk.
     *
     * @param keepFree bytes of the disk that others need
     * @returns their paths by git blob id, each with what removes it; files that are missing are to
     *   come one by one
     */
    async unpack(
      commit: PackedCommit,
      wanted: readonly (PackedFile & { readonly digest: Digest })[],
      keepFree: number,
    ): Promise<ReadonlyMap<string, UnpackedFile>> {
      const files = new Map<string, UnpackedFile>();
      let into: string | undefined;
      const write: Use<(typeof wanted)[number]> = async ({ oid, digest }, content, hash) => {
        if (digest.kind === 'sha256' && sriOfHex(digest.hex) !== hash) return;
        into ??= await makeFolder();
        const file = path.join(into, oid);
        await writeFile(file, content);
        files.set(oid, { path: file, discard: () => rm(file, { force: true }) });
      };
      await packs.read(commit, wanted, undefined, write, keepFree);
      return files;
    },

    /** Ends everything, and removes what is on disk. */
    async close(): Promise<void> {
      closed.abort();
      await Promise.allSettled(running);
      const mine = await home?.catch(() => undefined);
      if (mine !== undefined) await removeAll(mine, 'git').catch(() => undefined);
    },
  };
  return packs;
}

/** The check of a pointer: its text is that of git-lfs, `docs/spec.md`. */
function pointerOf({ oid, size, lfs }: PackedFile): ObjectRequest[] {
  if (lfs === undefined || lfs === 'masked') return [];
  const use = (content: Buffer) => {
    const lines = content.toString().split('\n');
    if (lines.includes(`oid sha256:${lfs.sha256}`) && lines.includes(`size ${size}`)) return;
    throw new Error(`the pointer ${oid} does not have the digest ${lfs.sha256}`);
  };
  return [{ name: oid, maxBytes: MAX_POINTER_BYTES, use }];
}

const blobOf = <File extends PackedFile>(file: File, use: Use<File>): ObjectRequest => ({
  name: file.oid,
  maxBytes: file.size,
  use: (content) => {
    const { oid, size, hash } = digestsOfBytes(content);
    if (oid === file.oid && size === file.size) return use(file, content, hash);
    throw new Error(`the pack has ${size} bytes with the blob id ${oid} for ${file.oid}`);
  },
});
