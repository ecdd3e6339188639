import { constants } from 'node:fs';
import { chmod, copyFile, link, open, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { HugError } from '../../errors.ts';
import { createHasher, digestOfEtag, type Hasher, hashStream, isGitId } from '../../digest.ts';
import { readContent } from '../find.ts';

/** A content and its name in the cache. */
export interface Blob {
  /** SHA-256 of the content in hex for an LFS file, git blob id for a plain one. */
  readonly etag: string;
  /** Length in bytes. */
  readonly size: number;
}

/** A file that has the content. */
export interface BlobSource {
  readonly file: string;
  /**
   * Whether it may become the blob by a hard link. Then it is no part of the Nix store, and the
   * SHA-256 of an LFS file was compared already.
   */
  readonly isOurs: boolean;
}

/**
 * Makes a blob in one step: what is there under its name is complete at any moment. Bytes that were
 * not compared with the name yet are compared on the way.
 *
 * @param temporary where it is prepared: on the same file system, in a folder of this process
 * @param onBytes told how many bytes have been read
 * @throws HugError `EHUG_INTEGRITY`; nothing is there under the name then, or what was before
 */
export async function makeBlob(
  { file, isOurs }: BlobSource,
  { etag, size }: Blob,
  { temporary, target }: { readonly temporary: string; readonly target: string },
  onBytes: (read: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const expected = digestOfEtag(etag);
  const hasher = createHasher(expected, size);
  const isLinked = isOurs && (await succeeds(link(file, temporary)));
  // Of a plain file another digest than its name may have been compared.
  if (!isLinked || isGitId(etag)) {
    const isThere = isLinked || (await isCloned(file, temporary));
    const chunks = readContent(isThere ? temporary : file, signal);
    const got = isThere
      ? await hashStream(chunks, onBytes, hasher)
      : await copy(chunks, temporary, onBytes, hasher);
    if (got.hash !== expected) throw changed(file, expected, got.hash);
  }
  await sync(temporary);
  await rename(temporary, target);
}

/** Whether two paths lead to one file, behind all links; the second one need not lead anywhere. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(one), stat(other).catch(() => undefined)]);
  return a.ino === b?.ino && a.dev === b.dev;
}

/** Whether the file system could make a copy that shares its blocks; it has the usual mode then. */
async function isCloned(file: string, target: string): Promise<boolean> {
  const mode = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE;
  if (!(await succeeds(copyFile(file, target, mode)))) return false;
  // The folder has what the process gives to folders; a file has the same but for execution.
  const { mode: ofFolder } = await stat(path.dirname(target));
  await chmod(target, ofFolder & 0o666);
  return true;
}

/** Writes a file and computes its digest in one pass. */
async function copy(
  chunks: AsyncIterable<Uint8Array>,
  target: string,
  onBytes: (written: number) => void,
  hasher: Hasher,
): Promise<{ readonly hash: string }> {
  const handle = await open(target, 'wx');
  async function* written() {
    for await (const chunk of chunks) {
      await handle.writeFile(chunk);
      yield chunk;
    }
  }
  try {
    return await hashStream(written(), onBytes, hasher);
  } finally {
    await handle.close();
  }
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const succeeds = (work: Promise<void>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

function changed(file: string, expected: string, got: string): HugError {
  return new HugError('EHUG_INTEGRITY', `${file} has the digest ${got}, expected ${expected}`, {
    hint: 'It was not put into the cache. nix-hug verify tells what else is damaged.',
  });
}
