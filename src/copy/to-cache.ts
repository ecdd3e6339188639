import pLimit from 'p-limit';
import { createCacheIndex, mayBeInCache } from '../cache/find.ts';
import { blobNameOf, repoFolderName } from '../cache/layout.ts';
import type { CommitTree } from '../cache/trees.ts';
import type { BlobSource } from '../cache/write/blob-file.ts';
import { dropUnusedRoots, prepareRoots } from '../cache/write/roots.ts';
import { createRepoWriter, type RepoWriter, type WriteOptions } from '../cache/write/write.ts';
import { assertSpace } from '../download/disk-space.ts';
import type { Nix } from '../store/nix.ts';
import { type Blob, blobsOf, cachedNames, placesIn, type RepoFile, type Snapshot } from './blob.ts';
import {
  type CopyContext,
  copyBlobs,
  type CopyResult,
  damageText,
  type CopyTarget,
} from './copy.ts';
import type { Source } from './sources.ts';

/** A snapshot to be written into the Hugging Face cache, with the file list of its commit. */
export interface ListedSnapshot extends Snapshot, CommitTree {
  /** Whether the Hub said in this run that the ref points to the commit. */
  readonly isNewest: boolean;
}

/** What writing into the Hugging Face cache needs from outside. */
export interface ToCacheContext extends CopyContext, WriteOptions {
  /** Opens the Nix whose store is a source; without Nix it is none. */
  readonly openNix: () => Promise<Nix>;
  /**
   * Whether the Hub says that the ref of a snapshot points to its commit. Without it, a ref that points
   * to another commit of the cache stays, without a warning.
   */
  readonly isNewestAtHub?: (snapshot: Snapshot) => Promise<boolean>;
}

/** Files that are complete elsewhere, and become links instead of copies. */
export interface CacheLinks {
  /** Where each of them is, and where it came from. */
  readonly targets: ReadonlyMap<RepoFile, BlobSource & { readonly source: Source }>;
  /**
   * Keeps the targets of snapshots where they are, called before the links are made; default nothing
   * does.
   *
   * @param roots folders for what keeps them, relative to the cache; a name there begins with the
   *   commit and a dot
   */
  readonly keep?: (
    cacheFolder: string,
    roots: readonly { readonly folder: string; readonly snapshot: Snapshot }[],
  ) => Promise<void>;
}

/** What came of an export. */
export interface ToCacheResult extends CopyResult {
  /** Folders of the snapshots that are complete, under the id that was asked for. */
  readonly folders: ReadonlyMap<Snapshot, string>;
}

/** Links are made at once, as many. */
const MAX_LINKS_AT_ONCE = 16;

/**
 * Writes snapshots into a Hugging Face cache. When a blob cannot be copied, the snapshots that need
 * it are not written, and the others are.
 *
 * @param links files that are not copied; default none
 * @throws HugError `EHUG_DISK_FULL` before anything is copied; those of `RepoWriter`
 */
export async function copyToCache(
  snapshots: readonly ListedSnapshot[],
  context: ToCacheContext,
  links?: CacheLinks,
): Promise<ToCacheResult> {
  const { cacheFolder, openNix, replacesLinks, signal } = context;
  const index = createCacheIndex(cacheFolder);
  const writers = new Map<string, RepoWriter>();
  /** One writer for each id of a repository, in their order. */
  const writersOf = ({ type, ids }: Snapshot) =>
    ids.map((id) => {
      const key = repoFolderName(type, id);
      const writer = writers.get(key) ?? createRepoWriter(cacheFolder, type, id, signal, context);
      writers.set(key, writer);
      return writer;
    });
  const writersFor = ({ places }: Blob) =>
    new Set(places.flatMap(({ snapshot }) => writersOf(snapshot)));
  const inCache = ({ places, size }: Blob) => ({ name: blobNameOf(places[0].file), size });
  const target: CopyTarget = {
    async prepare(blobs) {
      const affected = new Set<RepoWriter>();
      let needed = 0;
      for (const blob of blobs) {
        let isHeld = true;
        for (const writer of writersFor(blob)) {
          if (await writer.holds(inCache(blob))) continue;
          affected.add(writer);
          isHeld = false;
        }
        if (isHeld) continue;
        // A blob that another repository has becomes a hard link; a link becomes a copy.
        const names = cachedNames(blob.places);
        const isFree = replacesLinks !== true && (await mayBeInCache(index, names, blob.size));
        if (!isFree) needed += blob.size;
      }
      for (const writer of affected) await writer.prepare();
      if (affected.size === 0) return;
      await assertSpace(cacheFolder, needed, 'Make room, or set HF_HUB_CACHE to a larger disk.');
    },
    async put(blob, file, report) {
      for (const writer of writersFor(blob)) {
        await writer.putBlob(inCache(blob), file, (bytes) => report('copying', bytes));
      }
    },
    damageOutcome: (isCopied) => (isCopied ? 'it was replaced' : 'it was left as it is'),
  };

  /** Makes the links; returns where the content of each linked file came from. */
  async function putLinks(blobs: readonly Blob[]): Promise<ReadonlyMap<RepoFile, Source>> {
    if (links === undefined) return new Map();
    const { targets, keep } = links;
    const roots: { folder: string; snapshot: Snapshot }[] = [];
    for (const snapshot of keep === undefined ? [] : snapshots) {
      const { type, ids, files } = snapshot;
      if (!files.some((file) => targets.has(file))) continue;
      for (const id of ids) {
        roots.push({ folder: await prepareRoots(cacheFolder, type, id), snapshot });
      }
    }
    await keep?.(cacheFolder, roots);
    const limit = pLimit(MAX_LINKS_AT_ONCE);
    const linked = new Map<RepoFile, Source>();
    const put = async (blob: Blob) => {
      const [found] = blob.places.flatMap(({ file }) => targets.get(file) ?? []);
      if (found === undefined) return;
      signal.throwIfAborted();
      for (const writer of writersFor(blob)) {
        await writer.putBlob(inCache(blob), found, () => undefined);
      }
      for (const { file } of blob.places) linked.set(file, found.source);
    };
    // All of them end before the writers are closed.
    const results = await Promise.allSettled(blobs.map((blob) => limit(() => put(blob))));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return linked;
  }

  try {
    const blobs = blobsOf(placesIn(snapshots), blobNameOf);
    const linked = await putLinks(blobs);
    const others = blobs.filter(({ places: [{ file }] }) => !linked.has(file));
    const result = await copyBlobs(others, target, { index, openNix }, context);
    const sources = new Map([...linked, ...result.sources]);
    const folders = new Map<Snapshot, string>();
    const whole = snapshots.filter(({ files }) => files.every((file) => sources.has(file)));
    for (const snapshot of whole) {
      for (const writer of writersOf(snapshot)) {
        const folder = await writer.putSnapshot(snapshot, (damage) =>
          context.warn(damageText(damage, 'it was replaced')),
        );
        if (!folders.has(snapshot)) folders.set(snapshot, folder);
      }
    }
    // Which ref is `main` depends on how many revisions the cache has.
    for (const snapshot of whole) {
      for (const writer of writersOf(snapshot)) await putRef(snapshot, writer, context);
    }
    for (const { type, ids } of replacesLinks === true ? whole : []) {
      for (const id of ids) await dropUnusedRoots(cacheFolder, type, id);
    }
    return { ...result, sources, folders };
  } finally {
    for (const writer of writers.values()) await writer.close();
  }
}

/**
 * Points the ref that was asked for to the commit. A lock may be older than the user's cache: a ref
 * that points to another commit of the cache moves only when the Hub says that this one is newer.
 */
async function putRef(
  snapshot: ListedSnapshot,
  writer: RepoWriter,
  { isNewestAtHub, warn }: ToCacheContext,
): Promise<void> {
  const { title, ref, rev, isNewest } = snapshot;
  const other = await writer.putRef(ref, rev, isNewest);
  if (other === undefined || isNewestAtHub === undefined) return;
  if (await isNewestAtHub(snapshot)) {
    await writer.putRef(ref, rev, true);
    return;
  }
  warn(
    `${title}: ${ref} of ${writer.id} stays at ${other}, which the cache has and which may be newer; ` +
      `the exported commit loads by its id, ${rev}`,
  );
}
