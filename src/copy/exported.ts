import type { CachedContent } from '../cache/find.ts';
import type { CommitTree, TreeItem } from '../cache/trees.ts';
import { groupBy, type NonEmpty } from '../collections.ts';
import type { TreeFile } from '../hub/tree.ts';
import { digestOfEtag, etagOf, hexOfSri, sriOfHex } from '../digest.ts';
import { type NamedEntry, placeOf } from '../lock/entries.ts';
import { pathNames } from '../lock/names.ts';
import type { LockedEntry } from '../lock/schema.ts';
import type { RepoType } from '../repo.ts';
import { etagOfLocked, idsOf, namesUnder } from './cached-names.ts';

/** A commit of a repository, and those of its files that are to be exported. */
export interface Exported {
  /** What messages call it. */
  readonly title: string;
  /** Name of the entry in the lock; `null` without a lock. */
  readonly name: string | null;
  readonly type: RepoType;
  /** Address of its Hub that the lock names, or the manifest for what is not in the lock. */
  readonly endpoint: string | undefined;
  /** Id the Hub answers with. */
  readonly repo: string;
  /** Ids under which the client may look for it, the one that was asked for first. */
  readonly ids: NonEmpty<string>;
  readonly ref: string;
  readonly rev: string;
  /** Whether the Hub said just now that the ref names the commit. */
  readonly isNewest: boolean;
  readonly files: readonly ExportedFile[];
  /** The files of the commit, exported or not. */
  readonly tree: CommitTree;
}

/** A file that is to be exported. */
export interface ExportedFile {
  readonly path: string;
  /** See the same fields of `LockedFile`. */
  readonly storeName?: string | undefined;
  readonly url?: string | undefined;
  /** Length of the content in bytes. */
  readonly size: number;
  /** SHA-256 of the content in SRI form, or its git blob id where nothing else is known. */
  readonly digest: string;
  /** Name of the content in the cache. */
  readonly etag: string;
}

/** A content that is to be in the cache, however many files have it. */
export interface ExportedContent {
  readonly etag: string;
  readonly size: number;
  /** The files with this content. */
  readonly places: NonEmpty<ExportedPlace>;
}

/** A file of an export. */
export interface ExportedPlace {
  readonly exported: Exported;
  readonly file: ExportedFile;
}

/**
 * What the lock says of an entry. A lock knows only files that its selection chose.
 *
 * @param selected those of its files that are to be exported
 * @param endpoint that of the lock
 */
export function exportedEntry(
  named: NamedEntry,
  selected: LockedEntry['files'],
  endpoint: string | undefined,
): Exported {
  const { type, name, entry } = named;
  const all = [...entry.files];
  return {
    title: placeOf(named),
    name,
    type,
    endpoint,
    repo: entry.repo,
    ids: idsOf(entry),
    ref: entry.ref,
    rev: entry.rev,
    isNewest: false,
    files: all
      .filter(([path]) => selected.has(path))
      .map(([path, file]) => ({
        path,
        size: file.size,
        digest: file.hash,
        etag: etagOfLocked(file),
        storeName: file.storeName,
        url: file.url,
      })),
    tree: {
      items: all.map(([path, { size, oid, hash, lfs }]) => ({
        path,
        size,
        oid,
        ...(lfs === undefined ? {} : { sha256: hexOfSri(hash) }),
      })),
      isWhole: entry.select === undefined,
    },
  };
}

/** A file of a tree; `undefined` when its digest is masked. */
export function exportedFile({ path, size, oid, lfs }: TreeFile): ExportedFile | undefined {
  if (lfs === 'masked') return undefined;
  const digest = lfs === undefined ? oid : sriOfHex(lfs.sha256);
  return { path, size, digest, etag: etagOf(digest), ...pathNames(path) };
}

/** What the client would note of a file; `undefined` when its digest is masked. */
export function treeItem({ path, size, oid, lfs, xetHash }: TreeFile): TreeItem | undefined {
  if (lfs === 'masked') return undefined;
  return { path, size, oid, xetHash, ...(lfs === undefined ? {} : { sha256: lfs.sha256 }) };
}

/** A content as it may be in the cache already: of a file of one of the commits, under any id. */
export function cachedContent({ etag, size, places }: ExportedContent): CachedContent {
  const names = places.flatMap(({ exported: { type, ids, rev }, file: { path } }) =>
    namesUnder(ids, { type, rev, path, etag }),
  );
  return { names, size, hash: digestOfEtag(etag) };
}

/** Tells contents apart. */
export const contentKey = ({ etag, size }: Pick<ExportedContent, 'etag' | 'size'>): string =>
  `${etag} ${size}`;

/** Each content once. */
export function contentsOf(exports: readonly Exported[]): ExportedContent[] {
  const places = exports.flatMap((exported) => exported.files.map((file) => ({ exported, file })));
  return [...groupBy(places, ({ file }) => contentKey(file)).values()].map((group) => {
    const { etag, size } = group[0].file;
    return { etag, size, places: group };
  });
}
