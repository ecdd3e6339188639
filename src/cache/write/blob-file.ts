import { constants } from 'node:fs';
import {
  chmod,
  chown,
  copyFile,
  link,
  lstat,
  open,
  realpath,
  rename,
  stat,
  symlink,
} from 'node:fs/promises';
import path from 'node:path';
import {
  createDigester,
  differenceOf,
  type Digest,
  type Digester,
  hashStream,
  isSameDigest,
} from '../../digest.ts';
import { HugError } from '../../errors.ts';
import { succeedsUnless } from '../../failures.ts';
import { readContent } from '../find.ts';

/** A content in the cache. */
export interface CacheBlob {
  /** The digest that is its name there, in hex: SHA-256 of an LFS file, git blob id of a plain one. */
  readonly name: Digest;
  /** Length in bytes. */
  readonly size: number;
}

/** A file on disk that has the content of a blob. */
export interface BlobSource {
  readonly path: string;
  /**
   * Whether the blob may be a hard link to it: its digest was compared, and it is not in the Nix
   * store.
   */
  readonly isLinkable: boolean;
  /**
   * Whether the blob becomes a symbolic link to it where it can be no hard link: nobody changes or
   * removes the file while the link is in use. Its digest was compared.
   */
  readonly isLasting?: boolean;
}

/** Error codes of symlink(2) on a file system without symbolic links. */
export const NO_LINKS: readonly string[] = ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'];

/**
 * Makes a blob in one step, so that the file under its name is complete at any moment. Bytes that
 * were not compared with the name yet are compared on the way.
 *
 * @param temporary where it is prepared: on the same file system, in a folder of this process
 * @param onBytes told how many bytes have been read
 * @throws HugError `EHUG_INTEGRITY` for another content; the file under the name stays as it was
 */
export async function makeBlob(
  source: BlobSource,
  { name, size }: CacheBlob,
  { temporary, target }: { readonly temporary: string; readonly target: string },
  onBytes: (read: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { isLasting = false } = source;
  const isLink = (await lstat(source.path)).isSymbolicLink();
  // A link of a cache may be relative, and may lead into the store, which gets no hard links.
  const isLinkable = source.isLinkable && !isLink;
  const from = isLink ? await realpath(source.path) : source.path;
  const isLinked = isLinkable && (await isHardLinked(from, temporary));
  // A link costs nothing, a clone takes the time to hash it; but the owner of a cache may remove its files.
  const isThere = isLinked || ((isLinkable || !isLasting) && (await isCloned(from, temporary)));
  if (!isThere && isLasting && (await succeedsUnless(NO_LINKS, () => symlink(from, temporary)))) {
    await rename(temporary, target);
    return;
  }
  // A plain file may have been compared with its SHA-256, and not with its name.
  if (!isLinked || name.kind === 'git-blob') {
    const digester = createDigester(name.kind, size);
    const chunks = readContent(isThere ? temporary : from, signal);
    const got = isThere
      ? await hashStream(chunks, digester, onBytes)
      : await copy(chunks, temporary, digester, onBytes);
    if (!isSameDigest(got, name)) {
      throw new HugError('EHUG_INTEGRITY', `${from} ${differenceOf(got, name)}`, {
        hint: 'It was not copied. nix-hug verify names other damaged files.',
      });
    }
  }
  await sync(temporary);
  await rename(temporary, target);
}

/** Whether two paths lead to one file, behind all links; the second one may lead nowhere. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(one), stat(other).catch(() => undefined)]);
  return a.ino === b?.ino && a.dev === b.dev;
}

/** Set-group-id: new files in such a folder get its group. */
const SET_GROUP_ID = 0o2000;

/** Whether a hard link could be made that has the group of a new file in its folder. */
async function isHardLinked(file: string, target: string): Promise<boolean> {
  const { mode, gid } = await stat(path.dirname(target));
  const isOfTeam = (mode & SET_GROUP_ID) !== 0 && (await stat(file)).gid !== gid;
  // The user may not give the file away; then it is copied, so that the team can read it.
  if (isOfTeam && !(await succeeds(chown(file, -1, gid)))) return false;
  return succeeds(link(file, target));
}

/** Whether the file system could make a copy that shares its blocks; it gets the usual mode. */
async function isCloned(file: string, target: string): Promise<boolean> {
  const mode = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE;
  if (!(await succeeds(copyFile(file, target, mode)))) return false;
  // The folder has the mode that this process gives to folders; a file gets it without execution.
  const { mode: ofFolder } = await stat(path.dirname(target));
  await chmod(target, ofFolder & 0o666);
  return true;
}

/** Writes a file and computes its digest in one pass. */
async function copy(
  chunks: AsyncIterable<Uint8Array>,
  target: string,
  digester: Digester,
  onBytes: (written: number) => void,
): Promise<Digest> {
  const handle = await open(target, 'wx');
  async function* written() {
    for await (const chunk of chunks) {
      await handle.writeFile(chunk);
      yield chunk;
    }
  }
  try {
    return await hashStream(written(), digester, onBytes);
  } finally {
    await handle.close();
  }
}

const succeeds = (work: Promise<void>) => work.then(() => true).catch(() => false);

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
