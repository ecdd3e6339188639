import { blobNameOf, type CachedName, type CommitFile } from '../cache/layout.ts';
import { groupBy, type NonEmpty } from '../collections.ts';
import { type Digest, digestOfSri } from '../digest.ts';
import type { TreeFile } from '../hub/tree.ts';
import { type NamedEntry, placeOf } from '../lock/entries.ts';
import { storeNameOf } from '../lock/names.ts';
import { escapeControls } from '../quote.ts';
import type { RepoType } from '../repo.ts';

/** A content to be copied, however many files have it. */
export interface Blob {
  readonly digest: Digest;
  /** Length in bytes. */
  readonly size: number;
  /** The files with this content. */
  readonly places: NonEmpty<Place>;
}

/** A file of a snapshot. */
export interface Place {
  readonly snapshot: Snapshot;
  readonly file: RepoFile;
}

/** A commit of a repository, and those of its files that are to be copied. */
export interface Snapshot {
  /** How messages name it: `models.mistral` for an entry of a lock, else `model org/name`. */
  readonly title: string;
  /** Name of the entry in the lock; `null` without a lock. */
  readonly name: string | null;
  readonly type: RepoType;
  /** Address of the Hub that the lock or the manifest names. */
  readonly endpoint: string | undefined;
  /** Id that the Hub answers with. */
  readonly repo: string;
  /** Ids that the Hugging Face cache may have it under, the requested one first. */
  readonly ids: NonEmpty<string>;
  /** Branch, tag, `refs/pr/N` or commit that was asked for. */
  readonly ref: string;
  readonly rev: string;
  readonly files: readonly RepoFile[];
}

/** A file of a commit that may be copied. */
export interface RepoFile extends CommitFile {
  /** Name in the Nix store. */
  readonly storeName: string;
}

/** The files of a tree at the Hub, without those whose digest is masked. */
export const filesOfTree = (tree: readonly TreeFile[]): RepoFile[] =>
  tree.flatMap(({ path, size, oid, lfs, xetHash }) => {
    if (lfs === 'masked') return [];
    const isLfs = lfs !== undefined;
    const digest: Digest = isLfs
      ? { kind: 'sha256', hex: lfs.sha256 }
      : { kind: 'git-blob', hex: oid };
    return [{ path, size, digest, oid, isLfs, storeName: storeNameFor(path), xetHash }];
  });

/** A snapshot that an entry of a lock names. */
export interface LockedSnapshot extends Snapshot {
  readonly name: string;
}

/**
 * An entry of a lock as a snapshot.
 *
 * @param endpoint that of the lock
 */
export function snapshotOfEntry(named: NamedEntry, endpoint: string | undefined): LockedSnapshot {
  const { type, name, entry } = named;
  const { repo, requested, ref, rev } = entry;
  const files = [...entry.files].map(([path, { size, hash, oid, lfs, storeName }]) => ({
    path,
    size,
    digest: digestOfSri(hash),
    oid,
    isLfs: lfs !== undefined,
    storeName: storeName ?? storeNameFor(path),
  }));
  const ids = idsOf(repo, requested);
  // The place of what is needed has a ref in it, which may have formatting characters.
  const title = escapeControls(placeOf(named));
  return { title, name, type, endpoint, repo, ids, ref, rev, files };
}

/** The ids that a cache may have a repository under. */
export const idsOf = (repo: string, requested = repo): NonEmpty<string> =>
  requested === repo ? [repo] : [requested, repo];

/**
 * Groups files by content.
 *
 * @param keyOf name of the content at the target
 */
export function blobsOf(
  places: Iterable<Place>,
  keyOf: (file: RepoFile) => Digest = ({ digest }) => digest,
): Blob[] {
  const groups = groupBy(places, ({ file }) => `${keyOf(file).hex} ${file.size}`);
  return [...groups.values()].map((group) => {
    const { digest, size } = group[0].file;
    return { digest, size, places: group };
  });
}

/** Every file of some snapshots. */
export const placesIn = (snapshots: readonly Snapshot[]): Place[] =>
  snapshots.flatMap((snapshot) => snapshot.files.map((file) => ({ snapshot, file })));

/** The names that a blob has in the Nix store, each once. */
export const storeNamesOf = ({ places }: Blob): string[] => [
  ...new Set(places.map(({ file }) => file.storeName)),
];

/** Where the Hugging Face cache may have the content of some files. */
export const cachedNames = (places: readonly Place[]): CachedName[] =>
  places.flatMap(({ snapshot: { type, ids, rev }, file }) => {
    const etag = blobNameOf(file).hex;
    return ids.map((id) => ({ type, id, rev, path: file.path, etag }));
  });

/** The name that a path gets in the Nix store. */
export const storeNameFor = (path: string): string =>
  storeNameOf(path) ?? path.slice(path.lastIndexOf('/') + 1);
