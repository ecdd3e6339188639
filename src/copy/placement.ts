import { type NonEmpty, groupBy } from '../collections.ts';
import type { NamedEntry } from '../lock/entries.ts';
import type { LockedFile } from '../lock/schema.ts';
import type { Store } from '../project/store.ts';
import { storePathOf } from '../store/store-path.ts';

/** A locked file, and where it belongs in the store. */
export interface PlacedFile extends NamedEntry {
  /** Path in the repository. */
  readonly path: string;
  readonly file: LockedFile;
  /** Name in the store. */
  readonly storeName: string;
  readonly storePath: string;
}

/** A content that the store lacks under at least one name. */
export interface MissingBlob {
  /** SHA-256 in SRI form. */
  readonly hash: string;
  /** Length in bytes. */
  readonly size: number;
  /** The locked files with this content, in the order of the lock. */
  readonly places: NonEmpty<PlacedFile>;
  /** Names in the store by the store paths that are missing. */
  readonly names: ReadonlyMap<string, string>;
}

/** Every file of some entries, with its store path. */
export function placeFiles(entries: readonly NamedEntry[], storeFolder: string): PlacedFile[] {
  return entries.flatMap((named) =>
    [...named.entry.files].map(([path, file]) => {
      const storeName = file.storeName ?? path.slice(path.lastIndexOf('/') + 1);
      const storePath = storePathOf(storeFolder, { name: storeName, hash: file.hash });
      return { ...named, path, file, storeName, storePath };
    }),
  );
}

/**
 * What has to be brought: each content once, however many files have it.
 *
 * @param missing store paths that are not in the store
 */
export function missingBlobs(
  files: readonly PlacedFile[],
  missing: ReadonlySet<string>,
): MissingBlob[] {
  const lacking = files.filter(({ storePath }) => missing.has(storePath));
  return [...groupBy(lacking, ({ file }) => file.hash)].map(([hash, places]) => ({
    hash,
    size: places[0].file.size,
    places,
    names: new Map(places.map(({ storePath, storeName }) => [storePath, storeName])),
  }));
}

/** Entries, as a store has them and should have them. */
export interface Placement {
  /** Every file, with its store path. */
  readonly files: readonly PlacedFile[];
  /** What the store lacks. */
  readonly contents: readonly MissingBlob[];
}

/**
 * Asks a store which files of entries it lacks.
 *
 * @throws HugError those of `Nix`
 */
export async function placeEntries(
  entries: readonly NamedEntry[],
  { nix, storeFolder }: Store,
): Promise<Placement> {
  const files = placeFiles(entries, storeFolder);
  const missing = await nix.missing([...new Set(files.map(({ storePath }) => storePath))]);
  return { files, contents: missingBlobs(files, missing) };
}

/** What a placement has of some of its entries. */
export function partOf({ files, contents }: Placement, entries: readonly NamedEntry[]): Placement {
  const own = new Set(entries.map(({ entry }) => entry));
  const isOwn = ({ entry }: PlacedFile) => own.has(entry);
  return {
    files: files.filter(isOwn),
    contents: contents.filter(({ places }) => places.some(isOwn)),
  };
}
