import pLimit from 'p-limit';
import { type Damage, findInCache, isInside } from '../cache/find.ts';
import type { BlobSource } from '../cache/write/blob-file.ts';
import { groupBy } from '../collections.ts';
import type { Download, Downloads } from '../download/downloads.ts';
import { type ErrorCode, HugError } from '../errors.ts';
import { resolveUrl } from '../hub/api.ts';
import { quote } from '../quote.ts';
import { encodePath } from '../repo.ts';
import type { Nix } from '../store/nix.ts';
import { storePathOf } from '../store/store-path.ts';
import { type Blob, cachedNames, type Place } from './blob.ts';

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
  /** Closes all connections. */
  close(): Promise<void>;
}

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
  /** Opens the Nix whose store is a source, too; default none. */
  readonly openNix?: () => Promise<Nix>;
  /** The error for a path that no source has offline; default `EHUG_OFFLINE`. */
  readonly missing?: (path: string) => HugError;
}

/** What is done with one blob. */
interface Handlers {
  /** Takes a file with the content, which may be removed afterwards. */
  readonly use: (file: BlobSource) => Promise<void>;
  readonly report: Report;
  /** Told of files of the cache that should have the content and do not. */
  readonly onDamage: (damage: Damage) => void;
}

/**
 * Opens the sources of one run: the Hugging Face cache, the Nix store and the Hub, asked in this
 * order. Nix and the Hub are opened when the first blob needs them.
 *
 * @param blobs all blobs that may be asked for
 */
export function createSources(
  blobs: readonly Blob[],
  { checked, openNix, missing }: SourceOptions,
  { cacheFolder, offline, openDownloads, warn, signal }: SourceContext,
) {
  const hashing = createHashLimit();
  const hub = createHubSource(offline ? undefined : openDownloads, missing);
  let stored: ReturnType<typeof findInStore> | undefined;

  async function fromCache(blob: Blob, { report, onDamage }: Handlers) {
    const known = checked?.get(blob.digest.hex);
    if (known !== undefined) return known;
    const content = { ...blob, names: cachedNames(blob.places) };
    const { file, damaged } = await hashing(() =>
      findInCache(cacheFolder, content, (bytes) => report('checking', bytes), signal),
    );
    for (const damage of damaged) onDamage(damage);
    return file;
  }

  /** Whether the store had the content. */
  async function fromStore(blob: Blob, { use }: Handlers): Promise<boolean> {
    if (openNix === undefined) return false;
    const storePath = (await (stored ??= findInStore(blobs, openNix, warn))).get(blob);
    if (storePath === undefined) return false;
    try {
      await hashing(() => use({ path: storePath, isLinkable: false }));
      return true;
    } catch (error) {
      if (!(error instanceof HugError) || error.code !== 'EHUG_INTEGRITY') throw error;
      warn(`${error.message}; it was not used`);
      return false;
    }
  }

  return {
    /**
     * Passes a file with the content to `use`. Files of the cache and the Hub have the right digest;
     * `use` compares that of a store path, and when it throws `EHUG_INTEGRITY` the Hub is asked.
     *
     * @throws HugError `missing`; those of `use` and `Downloads`
     */
    async provide(blob: Blob, handlers: Handlers): Promise<Source> {
      const { use, report } = handlers;
      const cached = await fromCache(blob, handlers);
      if (cached !== undefined) {
        await use({ path: cached, isLinkable: await isInside(cacheFolder, cached) });
        return 'cache';
      }
      if (await fromStore(blob, handlers)) return 'store';
      const download = await hub.download(blob, report);
      try {
        await use({ path: download.path, isLinkable: true });
      } finally {
        await download.discard();
      }
      return 'hub';
    },
    /** Closes all connections. */
    close: () => hub.close(),
  };
}

/**
 * Asks Nix which blobs are in its store, and under which store path. Without Nix, or when Nix fails,
 * none is.
 */
async function findInStore(
  blobs: readonly Blob[],
  openNix: () => Promise<Nix>,
  warn: (line: string) => void,
): Promise<ReadonlyMap<Blob, string>> {
  try {
    const nix = await openNix();
    const candidates = blobs.flatMap((blob) =>
      storePathsOf(blob, nix.storeFolder).map((storePath) => [blob, storePath] as const),
    );
    const missing = await nix.missing(new Set(candidates.map(([, storePath]) => storePath)));
    return new Map(candidates.filter(([, storePath]) => !missing.has(storePath)));
  } catch (error) {
    if (!(error instanceof HugError)) throw error;
    if (error.code !== 'EHUG_NIX_MISSING') warn(`the Nix store is not used: ${error.message}`);
    return new Map();
  }
}

/** Where a store may have a content; it can tell that only of a SHA-256. */
function storePathsOf({ digest, places }: Blob, storeFolder: string): string[] {
  if (digest.kind !== 'sha256') return [];
  const names = new Set(places.map(({ file }) => file.storeName));
  return [...names].map((name) => storePathOf(storeFolder, { name, sha256: digest.hex }));
}

/** Errors of one repository or file; another repository with the content may give it. */
const REFUSED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'EHUG_REPO_NOT_FOUND',
  'EHUG_GATED',
  'EHUG_REVISION_NOT_FOUND',
  'EHUG_FILE_NOT_FOUND',
  'EHUG_DISABLED',
  'EHUG_FORBIDDEN',
  'EHUG_INTEGRITY',
]);

/** The Hub as a source: one connection pool for each endpoint. */
function createHubSource(open: OpenDownloads | undefined, missing = unreachable) {
  const opened = new Map<string | undefined, Promise<HubDownloads>>();

  async function fetchFile(place: Place, { size, digest }: Blob, report: Report) {
    const { snapshot, file } = place;
    const { endpoint, type, repo, ref, rev } = snapshot;
    if (open === undefined) throw missing(file.path);
    const opening = opened.get(endpoint) ?? open(endpoint);
    opened.set(endpoint, opening);
    const downloads = await opening;
    const url = resolveUrl(downloads.endpoint, type, repo, rev, encodePath(file.path));
    const subject = { type, id: repo, ref, path: file.path };
    return downloads.fetch({ url, subject, size, digest }, (bytes) => {
      // Until the first byte, the file may be waiting for a connection.
      if (bytes > 0) report('downloading', bytes);
    });
  }

  return {
    /** Asks each commit that has the content once; when all refuse, throws the first refusal. */
    async download(blob: Blob, report: Report): Promise<Download> {
      let refusal: unknown;
      for (const [place] of groupBy(blob.places, commitOf).values()) {
        try {
          return await fetchFile(place, blob, report);
        } catch (error) {
          if (!(error instanceof HugError) || !REFUSED.has(error.code)) throw error;
          refusal ??= error;
        }
      }
      throw refusal;
    },
    async close(): Promise<void> {
      for (const opening of opened.values()) {
        // Whoever needed it got the error.
        const downloads = await opening.catch(() => undefined);
        await downloads?.close();
      }
    },
  };
}

const commitOf = ({ snapshot: { endpoint = '', type, repo, rev } }: Place): string =>
  `${endpoint} ${type} ${repo} ${rev}`;

const unreachable = (path: string): HugError =>
  new HugError(
    'EHUG_OFFLINE',
    `${quote(path)} is neither in the Nix store nor in the Hugging Face cache`,
    { hint: 'Run it again without --offline and HF_HUB_OFFLINE.' },
  );
