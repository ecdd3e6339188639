import { createCacheIndex, mayBeInCache } from '../cache/find.ts';
import { blobNameOf, repoFolderName } from '../cache/layout.ts';
import type { CommitTree } from '../cache/trees.ts';
import { createRepoWriter, type RepoWriter } from '../cache/write/write.ts';
import { assertSpace } from '../download/disk-space.ts';
import type { Nix } from '../store/nix.ts';
import { type Blob, blobsOf, cachedNames, placesIn, type Snapshot } from './blob.ts';
import {
  type CopyContext,
  copyBlobs,
  type CopyResult,
  damageText,
  type CopyTarget,
} from './copy.ts';

/** A snapshot to be written into the Hugging Face cache, with the file list of its commit. */
export interface ListedSnapshot extends Snapshot, CommitTree {
  /** Whether the Hub said in this run that the ref points to the commit. */
  readonly isNewest: boolean;
}

/** What writing into the Hugging Face cache needs from outside. */
export interface ToCacheContext extends CopyContext {
  /** Whether the cache is to have files rather than links. */
  readonly isPlain: boolean;
  /** Opens the Nix whose store is a source; without Nix it is none. */
  readonly openNix: () => Promise<Nix>;
  /** Whether the Hub says that the ref of a snapshot points to its commit. */
  readonly isNewestAtHub: (snapshot: Snapshot) => Promise<boolean>;
}

/** What came of an export. */
export interface ToCacheResult extends CopyResult {
  /** Folders of the snapshots that are complete, under the id that was asked for. */
  readonly folders: ReadonlyMap<Snapshot, string>;
}

/**
 * Writes snapshots into the Hugging Face cache. When a blob cannot be copied, the snapshots that need
 * it are not written, and the others are.
 *
 * @throws HugError `EHUG_DISK_FULL` before anything is copied; those of `RepoWriter`
 */
export async function copyToCache(
  snapshots: readonly ListedSnapshot[],
  context: ToCacheContext,
): Promise<ToCacheResult> {
  const { cacheFolder, isPlain, openNix, signal } = context;
  const index = createCacheIndex(cacheFolder);
  const writers = new Map<string, RepoWriter>();
  /** One writer for each id of a repository, in their order. */
  const writersOf = ({ type, ids }: Snapshot) =>
    ids.map((id) => {
      const key = repoFolderName(type, id);
      const writer = writers.get(key) ?? createRepoWriter(cacheFolder, type, id, signal, isPlain);
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
        for (const writer of writersFor(blob)) {
          if (!(await writer.holds(inCache(blob)))) affected.add(writer);
        }
        // A blob that another repository has becomes a hard link.
        const names = cachedNames(blob.places);
        if (!(await mayBeInCache(index, names, blob.size))) needed += blob.size;
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
  try {
    const blobs = blobsOf(placesIn(snapshots), blobNameOf);
    const result = await copyBlobs(blobs, target, { index, openNix }, context);
    const folders = new Map<Snapshot, string>();
    const whole = snapshots.filter(({ files }) => files.every((file) => result.sources.has(file)));
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
    return { ...result, folders };
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
  if (other === undefined) return;
  if (await isNewestAtHub(snapshot)) {
    await writer.putRef(ref, rev, true);
    return;
  }
  warn(
    `${title}: ${ref} of ${writer.id} stays at ${other}, which the cache has and which may be newer; ` +
      `the exported commit loads by its id, ${rev}`,
  );
}
