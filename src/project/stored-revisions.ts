import path from 'node:path';
import { digestsOf } from '../cache/find.ts';
import { readExpected } from '../cache/trees.ts';
import { type CachedRepo, type CachedRevision, sizeOf } from '../cache/scan/repo-folder.ts';
import type { CachedFile } from '../cache/scan/snapshot.ts';
import { systemCodeOf } from '../errors.ts';
import { hexOfSri, isSha256Hex } from '../digest.ts';
import { storeNameOf } from '../lock/names.ts';
import { isOnDisk } from '../store/store-path.ts';
import { storePathOf } from '../store/store-path.ts';
import type { Nix } from '../store/nix.ts';

/** Digits of base 32, and a name (Nix manual, "Store Path"); Nix refuses to be asked about others. */
const STORE_OBJECT = /^[0-9a-df-np-sv-z]{32}-[A-Za-z0-9+_?=-][A-Za-z0-9+._?=-]{0,210}$/u;

/** A second of hashing, for one revision; in bytes. Plain files of a model are a tenth of it. */
const MAX_HASHED = 256 * 1024 * 1024;

/** Where the store would have the files of a revision. */
interface Placed {
  readonly storePaths: readonly string[];
  /** Files whose SHA-256 nobody gives. */
  readonly plain: readonly CachedFile[];
}

/** A revision; without places when one of its files cannot be in the store. */
type PlacedRevision = readonly [CachedRevision, Placed | undefined];

/**
 * Tells which revisions the store has whole: each file at the path that its derivation has, or else
 * the cache itself is a link into the store.
 *
 * The path needs the SHA-256 of a file, and weights are not hashed for it. The name of an LFS file's
 * blob is its SHA-256, and it is believed; `verify` does not. Where a snapshot has files instead of
 * links, `trees/<commit>.json` tells it. Plain files are hashed, but only those of revisions all of
 * whose LFS files are in the store. Nix is asked once, and once more when something was hashed.
 *
 * @param signal ends the hashing
 * @returns `undefined` for a revision of which too much would have to be hashed
 */
export async function storedRevisions(
  repos: readonly CachedRepo[],
  store: Nix,
  signal: AbortSignal,
): Promise<ReadonlyMap<CachedRevision, boolean | undefined>> {
  const placesOf = createPlaces(store);
  const placed: PlacedRevision[] = [];
  for (const { folder, revisions } of repos) {
    for (const revision of revisions) {
      const { rev, files, isWhole } = revision;
      const isNameless = files.some(({ etag }) => etag === undefined);
      const expected = isNameless ? await readExpected(folder, rev) : undefined;
      const sha256Of = ({ etag, path: name }: CachedFile): string | undefined => {
        const digest = etag ?? expected?.get(name) ?? '';
        return isSha256Hex(digest) ? digest : undefined;
      };
      const isAny = isWhole && files.length > 0;
      placed.push([revision, isAny ? placesOf(files, sha256Of) : undefined]);
    }
  }
  const verdicts = await verdictsOn(placed, store);

  const toHash = placed.flatMap(([revision, place]) =>
    place !== undefined && verdicts.get(revision) === undefined && sizeOf(place.plain) <= MAX_HASHED
      ? [{ revision, place }]
      : [],
  );
  const hashes = new Map<string, string | undefined>();
  for (const { file } of toHash.flatMap(({ place }) => place.plain)) {
    if (!hashes.has(file)) hashes.set(file, await hashOf(file, signal));
  }
  const hashed = toHash.map(({ revision, place }): PlacedRevision => {
    const plain = placesOf(place.plain, ({ file }) => hashes.get(file));
    return [
      revision,
      plain && { ...plain, storePaths: [...place.storePaths, ...plain.storePaths] },
    ];
  });
  return new Map([...verdicts, ...(await verdictsOn(hashed, store))]);
}

/**
 * Finds where the store would have files.
 *
 * @param sha256Of SHA-256 of a file in hex, if anybody gives it
 * @returns `undefined` when nothing is where one of them would be
 */
type FindPlaces = (
  files: readonly CachedFile[],
  sha256Of: (file: CachedFile) => string | undefined,
) => Placed | undefined;

/** Most files are the same in many revisions, and looked for once. */
function createPlaces({ storeFolder, diskFolder }: Nix): FindPlaces {
  const known = new Map<string, string>();
  const there = new Map<string, boolean>();

  function storePathFor(file: CachedFile, sha256: string | undefined): string | undefined {
    const own = ownStorePath(file, storeFolder);
    if (own !== undefined || sha256 === undefined) return own;
    const name = storeNameOf(file.path) ?? path.posix.basename(file.path);
    const key = `${sha256} ${name}`;
    const storePath = known.get(key) ?? storePathOf(storeFolder, { name, sha256 });
    known.set(key, storePath);
    return storePath;
  }

  /** Where the store lies at no path of its own, only Nix can tell. */
  function mayBeThere(storePath: string): boolean {
    const may = there.get(storePath) ?? (diskFolder === undefined || isOnDisk(storePath));
    there.set(storePath, may);
    return may;
  }

  return (files, sha256Of) => {
    const storePaths: string[] = [];
    const plain: CachedFile[] = [];
    for (const file of files) {
      const storePath = storePathFor(file, sha256Of(file));
      if (storePath === undefined) plain.push(file);
      else if (mayBeThere(storePath)) storePaths.push(storePath);
      else return undefined;
    }
    return { storePaths, plain };
  };
}

/** Whether the store has all files; `undefined` where it has those whose place is known. */
async function verdictsOn(
  placed: readonly PlacedRevision[],
  nix: Nix,
): Promise<Map<CachedRevision, boolean | undefined>> {
  const wanted = new Set(placed.flatMap(([, place]) => place?.storePaths ?? []));
  const missing = await nix.missing([...wanted]);
  return new Map(
    placed.map(([revision, place]) => {
      if (place?.storePaths.every((storePath) => !missing.has(storePath)) !== true) {
        return [revision, false];
      }
      return [revision, place.plain.length > 0 ? undefined : true];
    }),
  );
}

/** The store path that a file of the cache lies in, where the cache is made of links to the store. */
function ownStorePath({ file }: CachedFile, storeFolder: string): string | undefined {
  if (!file.startsWith(`${storeFolder}/`)) return undefined;
  const [name = ''] = file.slice(storeFolder.length + 1).split('/');
  return STORE_OBJECT.test(name) ? `${storeFolder}/${name}` : undefined;
}

/** SHA-256 of a file in hex; `undefined` when it cannot be read. */
async function hashOf(file: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return hexOfSri((await digestsOf(file, signal)).hash);
  } catch (error) {
    signal.throwIfAborted();
    if (systemCodeOf(error) === undefined) throw error;
    return undefined;
  }
}
