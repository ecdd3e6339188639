import { digestsOf } from '../cache/find.ts';
import { type CachedRepo, type CachedRevision, sizeOf } from '../cache/scan-repo.ts';
import type { CachedFile } from '../cache/scan-snapshot.ts';
import { readExpected } from '../cache/trees.ts';
import { hexOfSri, isSha256Hex } from '../digest.ts';
import { systemCodeOf } from '../errors.ts';
import { storeNameOf } from '../lock/names.ts';
import type { Nix } from '../store/nix.ts';
import { isOnDisk, storePathOf } from '../store/store-path.ts';
import path from 'node:path';

/** Digits of base 32, and a name (Nix manual, "Store Path"); Nix fails when asked about others. */
const STORE_OBJECT = /^[0-9a-df-np-sv-z]{32}-[A-Za-z0-9+_?=-][A-Za-z0-9+._?=-]{0,210}$/u;

/** Plain files of a revision are hashed up to this sum, which takes about a second; in bytes. */
const MAX_HASHED = 256 * 1024 * 1024;

/** A revision, and where the store would have its files. */
interface Candidate {
  readonly revision: CachedRevision;
  readonly storePaths: readonly string[];
  /** Files whose SHA-256, and so whose store path, only their content tells. */
  readonly plain: readonly CachedFile[];
}

/**
 * Finds the revisions that the Nix store has whole: every file at the store path of its derivation,
 * or in the cache by a link into the store.
 *
 * A store path follows from the SHA-256 of a file. An LFS file's blob is named by it, or
 * `trees/<rev>.json` has it; `scan` trusts both, `verify` does not. Plain files are hashed, but only
 * when the store has all other files of the revision. Nix is asked twice at most.
 *
 * @param signal ends the hashing; it throws then
 * @returns for each revision, `true` or `false`; `undefined` when over 256 MiB would have to be
 *   hashed, or a file cannot be read
 * @throws HugError those of `Nix`
 */
export async function findStoredRevisions(
  repos: readonly CachedRepo[],
  nix: Nix,
  signal: AbortSignal,
): Promise<ReadonlyMap<CachedRevision, boolean | undefined>> {
  const stored = new Map<CachedRevision, boolean | undefined>();
  const storePathFor = ({ path: file }: CachedFile, sha256: string | undefined) => {
    const name = storeNameOf(file) ?? path.posix.basename(file);
    return sha256 === undefined ? undefined : storePathOf(nix.storeFolder, { name, sha256 });
  };
  const candidates: Candidate[] = [];
  for (const { folder, revisions } of repos) {
    for (const revision of revisions) {
      stored.set(revision, false);
      if (!revision.isWhole || revision.files.length === 0) continue;
      const hashOf = await knownHashes(revision, folder);
      const located = revision.files.map((file) => ({
        file,
        storePath: linkedStorePath(file, nix) ?? storePathFor(file, hashOf(file)),
      }));
      candidates.push({
        revision,
        storePaths: located.flatMap(({ storePath }) => storePath ?? []),
        plain: located.flatMap(({ file, storePath }) => (storePath === undefined ? file : [])),
      });
    }
  }

  const hashes = new Map<string, string | undefined>();
  const hashed: Candidate[] = [];
  for (const { revision, plain } of await presentIn(nix, candidates)) {
    stored.set(revision, plain.length === 0 ? true : undefined);
    if (plain.length === 0 || sizeOf(plain) > MAX_HASHED) continue;
    for (const { file } of plain) {
      if (!hashes.has(file)) hashes.set(file, await contentHash(file, signal));
    }
    const storePaths = plain.flatMap((file) => storePathFor(file, hashes.get(file.file)) ?? []);
    hashed.push({ revision, storePaths, plain });
  }
  for (const { revision } of hashed) stored.set(revision, false);
  for (const { revision, storePaths, plain } of await presentIn(nix, hashed)) {
    stored.set(revision, storePaths.length === plain.length ? true : undefined);
  }
  return stored;
}

/** Those of the candidates whose store paths are all valid. */
async function presentIn(
  nix: Nix,
  candidates: readonly Candidate[],
): Promise<readonly Candidate[]> {
  const onDisk = new Map<string, boolean>();
  const mayBeValid = (storePath: string): boolean => {
    // A store on another machine: only Nix can tell.
    const may =
      onDisk.get(storePath) ?? (nix.diskFolder === undefined || isOnDisk(nix.fileOf(storePath)));
    onDisk.set(storePath, may);
    return may;
  };
  const likely = candidates.filter(({ storePaths }) => storePaths.every(mayBeValid));
  const missing = await nix.missing(new Set(likely.flatMap(({ storePaths }) => storePaths)));
  return likely.filter(({ storePaths }) => !storePaths.some((each) => missing.has(each)));
}

/** The store path that a file lies in, when the cache has links into the store. */
function linkedStorePath({ file }: CachedFile, { storeFolder }: Nix): string | undefined {
  if (!file.startsWith(`${storeFolder}/`)) return undefined;
  const [name = ''] = file.slice(storeFolder.length + 1).split('/');
  return STORE_OBJECT.test(name) ? `${storeFolder}/${name}` : undefined;
}

/** Looks up the SHA-256 of LFS files in hex: the names of their blobs, or `trees/<rev>.json`. */
async function knownHashes(
  { rev, files }: CachedRevision,
  repoFolder: string,
): Promise<(file: CachedFile) => string | undefined> {
  const isListNeeded = files.some(({ etag }) => etag === undefined);
  const expected = isListNeeded ? await readExpected(repoFolder, rev) : undefined;
  return ({ etag, path: name }) => {
    const digest = etag ?? expected?.get(name) ?? '';
    return isSha256Hex(digest) ? digest : undefined;
  };
}

/** SHA-256 of a file in hex; `undefined` when it cannot be read. */
async function contentHash(file: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return hexOfSri((await digestsOf(file, signal)).hash);
  } catch (error) {
    signal.throwIfAborted();
    if (systemCodeOf(error) === undefined) throw error;
    return undefined;
  }
}
