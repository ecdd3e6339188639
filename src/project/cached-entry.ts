import { digestsOf } from '../cache/find.ts';
import type { Damage } from '../cache/find.ts';
import { isInside } from '../cache/find.ts';
import { readExpected } from '../cache/trees.ts';
import type { CachedRepo, CachedRevision } from '../cache/scan-repo.ts';
import type { CachedFile } from '../cache/scan-snapshot.ts';
import { messageOf, systemCodeOf } from '../errors.ts';
import { type Digests, isGitId, isSha256Hex, pointerIdOf, sriOfHex } from '../digest.ts';
import type { NamedEntry } from '../lock/entries.ts';
import { pathNames } from '../lock/names.ts';
import type { LockedFile } from '../lock/schema.ts';
import type { RepoType } from '../repo.ts';
import { createHashLimit } from '../copy/sources.ts';
import { shortRev } from '../output/text.ts';

/** A repository of the cache that can be in a lock. */
export interface ImportableRepo extends CachedRepo {
  readonly type: RepoType;
}

/** Whether a repository can be in a lock; the official client caches spaces and kernels, too. */
export const isImportable = (repo: CachedRepo): repo is ImportableRepo =>
  repo.type === 'model' || repo.type === 'dataset';

/** A snapshot of the cache as a lock would have it. */
export interface CachedEntry {
  /** Called after repository and commit. */
  readonly named: NamedEntry;
  /** Files that are not what they should be; the entry is without them. */
  readonly damaged: readonly DamagedFile[];
}

interface DamagedFile extends Damage {
  /** Path in the repository. */
  readonly path: string;
}

/** Reads snapshots, each file that has to be read once. */
export interface EntryReader {
  read(repo: ImportableRepo, revision: CachedRevision): Promise<CachedEntry>;
  /** Files that were read, by SHA-256 in SRI form. */
  readonly checked: ReadonlyMap<string, string>;
}

/**
 * Makes a reader of snapshots. The SHA-256 of an LFS file is its blob's name, and whoever uses the
 * file compares it. A plain file is read, since no name tells its SHA-256, and compared with its git
 * blob id. A file for which neither a name nor `trees/<commit>.json` says what it should be is taken
 * as it is: in the store it gets a path that its own digest decides. But it must lie in the cache:
 * the store is for all to read, and a link may lead to anything.
 *
 * @param cache the cache folder
 * @param signal ends the reading; it throws then
 */
export function createEntryReader(cache: string, signal: AbortSignal): EntryReader {
  const reading = createHashLimit();
  const digests = new Map<string, Promise<Digests>>();
  const checked = new Map<string, string>();

  function digest(file: string): Promise<Digests> {
    const known = digests.get(file) ?? reading(() => digestsOf(file, signal));
    digests.set(file, known);
    return known;
  }

  async function readFile(
    cached: CachedFile,
    expected: string | undefined,
  ): Promise<LockedFile | Damage> {
    const { file, size } = cached;
    const etag = [cached.etag, expected].find(isDigest);
    const names = pathNames(cached.path);
    if (etag !== undefined && isSha256Hex(etag)) {
      const oid = pointerIdOf(etag, size);
      return { size, hash: sriOfHex(etag), oid, lfs: true, ...names };
    }
    try {
      if (etag === undefined && !(await isInside(cache, file))) {
        return { file, reason: 'is outside of the cache, and nothing says what it should be' };
      }
      const got = await digest(file);
      if (etag !== undefined && got.oid !== etag) {
        return { file, reason: `has the git blob id ${got.oid}, expected ${etag}` };
      }
      checked.set(got.hash, file);
      return { size: got.size, hash: got.hash, oid: got.oid, ...names };
    } catch (error) {
      signal.throwIfAborted();
      return { file, reason: `cannot be read: ${systemCodeOf(error) ?? messageOf(error)}` };
    }
  }

  return {
    checked,
    async read({ type, id, folder }, { rev, files }) {
      const expected = await readExpected(folder, rev);
      const read = await Promise.all(
        files.map(
          async (file) => [file.path, await readFile(file, expected.get(file.path))] as const,
        ),
      );
      const sound = read.flatMap(([name, file]) => ('hash' in file ? [[name, file] as const] : []));
      const entry = { repo: id, ref: rev, rev, files: new Map(sound) };
      return {
        named: { type, name: `${id}@${shortRev(rev)}`, entry },
        damaged: read.flatMap(([name, file]) =>
          'reason' in file ? [{ ...file, path: name }] : [],
        ),
      };
    },
  };
}

const isDigest = (etag: string | undefined): etag is string =>
  etag !== undefined && (isSha256Hex(etag) || isGitId(etag));
