import { groupBy, type NonEmpty } from '../group.ts';
import type { NamedEntry } from '../lock/entries.ts';
import type { LockedFile } from '../lock/schema.ts';
import { storePathOf } from './store-path.ts';

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
export interface LackingContent {
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
export function lackingContents(
  files: readonly PlacedFile[],
  missing: ReadonlySet<string>,
): LackingContent[] {
  const lacking = files.filter(({ storePath }) => missing.has(storePath));
  return [...groupBy(lacking, ({ file }) => file.hash)].map(([hash, places]) => ({
    hash,
    size: places[0].file.size,
    places,
    names: new Map(places.map(({ storePath, storeName }) => [storePath, storeName])),
  }));
}
