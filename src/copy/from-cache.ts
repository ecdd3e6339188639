import { type Damage, digestsOf, isInside } from '../cache/find.ts';
import type { FoundSnapshot } from '../cache/find-snapshot.ts';
import type { CachedFile } from '../cache/scan-snapshot.ts';
import { readExpected } from '../cache/trees.ts';
import { type Digests, digestOfBlobName, digestOfSri, pointerIdOf } from '../digest.ts';
import { HugError, messageOf, systemCodeOf } from '../errors.ts';
import { quote } from '../quote.ts';
import { type RepoFile, type Snapshot, storeNameFor } from './blob.ts';
import { createHashLimit } from './sources.ts';

/** A snapshot of the Hugging Face cache, with the digests of its files. */
export interface CachedSnapshot extends Snapshot {
  /** Files that are left out of `files`, because their content is wrong. */
  readonly damaged: readonly (Damage & { readonly path: string })[];
}

/**
 * Makes what reads the digests of snapshots, of each file once. The SHA-256 of an LFS file is the name of its blob, and is compared
 * when the file is copied. A plain file is hashed, since no name tells its SHA-256, and compared with
 * its git blob id. A file for which neither a name nor `trees/<commit>.json` gives a digest is taken
 * as it is, at the store path of its own digest. But it must lie in the cache: everybody can read the
 * store, and a link may lead to any file.
 *
 * @param cache the cache folder
 * @param signal ends the reading; it throws then
 */
export function createDigestReader(cache: string, signal: AbortSignal) {
  const hashing = createHashLimit();
  const digests = new Map<string, Promise<Digests>>();
  const checked = new Map<string, string>();

  function digestOnce(file: string): Promise<Digests> {
    const known = digests.get(file) ?? hashing(() => digestsOf(file, signal));
    digests.set(file, known);
    return known;
  }

  async function readFile(cached: CachedFile, listed = ''): Promise<RepoFile | Damage> {
    const { file, size, path, etag = '' } = cached;
    const storeName = storeNameFor(path);
    const expected = digestOfBlobName(etag) ?? digestOfBlobName(listed);
    if (expected?.kind === 'sha256') {
      const oid = pointerIdOf(expected.hex, size);
      return { path, size, digest: expected, oid, isLfs: true, storeName };
    }
    try {
      if (expected === undefined && !(await isInside(cache, file))) {
        return { file, reason: 'is outside of the cache, and nothing gives its digest' };
      }
      const got = await digestOnce(file);
      if (expected !== undefined && got.oid !== expected.hex) {
        return { file, reason: `has the git blob id ${got.oid}, expected ${expected.hex}` };
      }
      const digest = digestOfSri(got.hash);
      checked.set(digest.hex, file);
      return { path, size: got.size, digest, oid: got.oid, isLfs: false, storeName };
    } catch (error) {
      signal.throwIfAborted();
      return { file, reason: `cannot be read: ${systemCodeOf(error) ?? messageOf(error)}` };
    }
  }

  return {
    /** Files that were hashed, by SHA-256 in hex. */
    checked,
    async read(found: FoundSnapshot): Promise<CachedSnapshot> {
      const { type, id, folder } = found.repo;
      const { rev, files } = found.revision;
      const expected = await readExpected(folder, rev);
      const read = await Promise.all(
        files.map(async (file) => {
          const { path } = file;
          return { path, ...(await readFile(file, expected.get(path))) };
        }),
      );
      return {
        title: `${type}s.${id}@${rev.slice(0, 12)}`,
        name: null,
        type,
        endpoint: undefined,
        repo: id,
        ids: [id],
        ref: rev,
        rev,
        files: read.filter((file) => 'digest' in file),
        damaged: read.filter((file) => 'reason' in file),
      };
    },
  };
}

/** The error for a file that the cache has only in a damaged state; warnings name the damage. */
export const damagedInCache = (path: string): HugError =>
  notCached(`the Hugging Face cache has no undamaged copy of ${quote(path)}`);

/** The error for files that the cache does not have. */
export const notCached = (message: string): HugError =>
  new HugError('EHUG_NOT_CACHED', message, {
    hint: 'Run nix-hug fetch instead: it takes what the cache has, and downloads the rest.',
  });
