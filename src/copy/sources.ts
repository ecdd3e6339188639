import pLimit from 'p-limit';
import {
  type CacheIndex,
  createCacheIndex,
  type Damage,
  findInCache,
  isInside,
  mayBeInCache,
} from '../cache/find.ts';
import type { BlobSource } from '../cache/write/blob-file.ts';
import { groupBy } from '../collections.ts';
import type { Downloads } from '../download/downloads.ts';
import { type ErrorCode, HugError } from '../errors.ts';
import { resolveUrl } from '../hub/api.ts';
import { quote } from '../quote.ts';
import { encodePath } from '../address.ts';
import type { Nix } from '../store/nix.ts';
import { type Blob, cachedNames, type Place, type RepoFile, type Snapshot } from './blob.ts';
import { findInStore } from './in-store.ts';

/** Where the content of a blob came from. */
export type Source = 'cache' | 'store' | 'hub';

/** Tells how far a blob is: what is being done, and how many bytes that has reached. */
export type Report = (status: string, bytes: number) => void;

/** Hashing keeps one core busy; two files at once keep the disk busy too. */
const MAX_HASHED_AT_ONCE = 2;

/** Makes the limit that files wait for before their bytes are hashed. */
export const createHashLimit = () => pLimit(MAX_HASHED_AT_ONCE);

/** Downloads from one Hub. */
interface HubDownloads extends Downloads {
  /** Address of the Hub. */
  readonly endpoint: string;
  /**
   * Writes plain files of a commit to disk, where a pack of git is cheaper than single downloads.
   *
   * @param keepFree bytes of the disk that downloads may need
   * @returns what `fetch` returns, by git blob id; files that are missing are to be downloaded
   */
  unpack(
    commit: Pick<Snapshot, 'type' | 'ref' | 'rev'> & { readonly id: string },
    files: readonly RepoFile[],
    keepFree: number,
  ): Promise<ReadonlyMap<string, Awaited<ReturnType<Downloads['fetch']>>>>;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** Takes a file with a content, which may be removed afterwards. */
type Use = (file: BlobSource) => Promise<void>;

/** Opens connections to a Hub; the caller closes them. */
export type OpenDownloads = (endpoint: string | undefined) => Promise<HubDownloads>;

/** What sources need from outside. */
export interface SourceContext {
  /** The Hugging Face cache. */
  readonly cacheFolder: string;
  readonly offline: boolean;
  readonly openDownloads: OpenDownloads;
  readonly warn: (line: string) => void;
  /** Ends the reading of the cache. */
  readonly signal: AbortSignal;
}

/** What is special about the sources of one run. */
export interface SourceOptions {
  /** Files of the cache that this run hashed before, by SHA-256 in hex. */
  readonly checked?: ReadonlyMap<string, string>;
  /** The Hugging Face cache, where this run has listed it. */
  readonly index?: CacheIndex;
  /** Opens the Nix whose store is a source, too; default none. */
  readonly openNix?: () => Promise<Nix>;
  /** The error for a path that no source has offline; default `EHUG_OFFLINE`. */
  readonly missing?: (path: string) => HugError;
}

/**
 * Opens the sources of one run: the Hugging Face cache, the Nix store and the Hub, asked in this
 * order. Nix and the Hub are opened when the first blob needs them.
 *
 * @param blobs all blobs that may be asked for
 */
export function createSources(
  blobs: readonly Blob[],
  { checked, index, openNix, missing = unreachable }: SourceOptions,
  { cacheFolder, offline, openDownloads, warn, signal }: SourceContext,
) {
  const cache = index ?? createCacheIndex(cacheFolder);
  const hashing = createHashLimit();
  /** Connections to each Hub, by its address. */
  const hubs = new Map<string | undefined, ReturnType<OpenDownloads>>();
  /** Files of the packs of commits. */
  const packs = new Map<string, ReturnType<HubDownloads['unpack']>>();
  let plain: ReturnType<typeof missingPlain> | undefined;
  let stored: ReturnType<typeof findInStore> | undefined;

  async function fromCache(blob: Blob, report: Report, onDamage: (damage: Damage) => void) {
    const known = checked?.get(blob.digest.hex);
    if (known !== undefined) return known;
    const content = { ...blob, names: cachedNames(blob.places) };
    const { file, damaged } = await hashing(() =>
      findInCache(cache, content, (bytes) => report('checking', bytes), signal),
    );
    for (const damage of damaged) onDamage(damage);
    return file;
  }

  /** Whether the store had the content. */
  async function fromStore(blob: Blob, use: Use): Promise<boolean> {
    if (openNix === undefined) return false;
    const path = (await (stored ??= findInStore(blobs, openNix, warn))).get(blob);
    if (path === undefined) return false;
    try {
      await hashing(() => use({ path, isLinkable: false }));
      return true;
    } catch (error) {
      if (!(error instanceof HugError) || error.code !== 'EHUG_INTEGRITY') throw error;
      warn(`${error.message}; it was not used`);
      return false;
    }
  }

  /** Plain files that neither the cache nor the store seems to have, by their commit. */
  async function missingPlain(): Promise<ReadonlyMap<string, readonly Place[]>> {
    const places: Place[] = [];
    for (const blob of blobs) {
      const [place] = blob.places;
      if (place.file.isLfs || (await stored)?.has(blob) === true) continue;
      if (await mayBeInCache(cache, cachedNames(blob.places), blob.size)) continue;
      places.push(place);
    }
    return groupBy(places, commitOf);
  }

  /** The plain files of a commit that came by its pack, by git blob id. */
  function unpackedOf(place: Place, hub: HubDownloads): ReturnType<HubDownloads['unpack']> {
    const key = commitOf(place);
    const unpack = async () => {
      const { type, repo: id, ref, rev } = place.snapshot;
      const places = (await (plain ??= missingPlain())).get(key) ?? [];
      const files = places.map(({ file }) => file);
      const keepFree = blobs.reduce((sum, { size }) => sum + size, 0);
      return hub.unpack({ type, id, ref, rev }, files, keepFree);
    };
    const unpacked = packs.get(key) ?? unpack();
    packs.set(key, unpacked);
    return unpacked;
  }

  async function download(place: Place, { size, digest }: Blob, report: Report) {
    const { snapshot, file } = place;
    const { endpoint, type, repo, ref, rev } = snapshot;
    if (offline) throw missing(file.path);
    const opening = hubs.get(endpoint) ?? openDownloads(endpoint);
    hubs.set(endpoint, opening);
    const hub = await opening;
    const unpacked = file.isLfs ? undefined : (await unpackedOf(place, hub)).get(file.oid);
    if (unpacked !== undefined) return unpacked;
    const url = resolveUrl(hub.endpoint, type, repo, rev, encodePath(file.path));
    const subject = { type, id: repo, ref, path: file.path, isKnown: true };
    return hub.fetch({ url, subject, size, digest }, (bytes) => {
      // Until the first byte, the file may be waiting for a connection.
      if (bytes > 0) report('downloading', bytes);
    });
  }

  /** Asks each commit that has the content once; when all refuse, throws the first refusal. */
  async function fromHub(blob: Blob, report: Report) {
    let refusal: unknown;
    for (const [place] of groupBy(blob.places, commitOf).values()) {
      try {
        return await download(place, blob, report);
      } catch (error) {
        if (!(error instanceof HugError) || !REFUSED.has(error.code)) throw error;
        refusal ??= error;
      }
    }
    throw refusal;
  }

  return {
    /**
     * Passes a file with the content to `use`. Files of the cache and the Hub have the right digest;
     * `use` compares that of a store path, and when it throws `EHUG_INTEGRITY` the Hub is asked.
     *
     * @param onDamage told of files of the cache that should have the content and do not
     * @throws HugError `missing`; those of `use` and `Downloads`
     */
    async provide(
      blob: Blob,
      use: Use,
      report: Report,
      onDamage: (damage: Damage) => void,
    ): Promise<Source> {
      const cached = await fromCache(blob, report, onDamage);
      if (cached !== undefined) {
        await use({ path: cached, isLinkable: await isInside(cacheFolder, cached) });
        return 'cache';
      }
      if (await fromStore(blob, use)) return 'store';
      const { path, discard } = await fromHub(blob, report);
      try {
        await use({ path, isLinkable: true });
      } finally {
        await discard();
      }
      return 'hub';
    },

    /** Closes all connections. */
    async close(): Promise<void> {
      for (const opening of hubs.values()) {
        // Whoever needed it got the error.
        const hub = await opening.catch(() => undefined);
        await hub?.close();
      }
    },
  };
}

/** Errors of one repository or file; another repository with the content may give it. */
const REFUSED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'EHUG_REPO_NOT_FOUND',
  'EHUG_GATED',
  'EHUG_REVISION_NOT_FOUND',
  'EHUG_FILE_NOT_FOUND',
  'EHUG_DISABLED',
  'EHUG_FORBIDDEN',
  'EHUG_NOT_SERVED',
  'EHUG_INTEGRITY',
]);

const commitOf = ({ snapshot: { endpoint = '', type, repo, rev } }: Place): string =>
  `${endpoint} ${type} ${repo} ${rev}`;

const unreachable = (path: string): HugError =>
  new HugError(
    'EHUG_OFFLINE',
    `${quote(path)} is neither in the Nix store nor in the Hugging Face cache`,
    { hint: 'Run it again without --offline and HF_HUB_OFFLINE.' },
  );
