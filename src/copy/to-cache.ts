import { findInCache } from '../cache/find.ts';
import { isInside } from '../cache/find.ts';
import type { BlobSource } from '../cache/write/blob.ts';
import type { RepoWriter } from '../cache/write/write.ts';
import { HugError } from '../errors.ts';
import { nameOf } from '../hub/errors.ts';
import { createCircuitBreaker, type ReportContent } from './circuit-breaker.ts';
import { damageText } from './to-store.ts';
import { createHubSource, type HubFile, type OpenDownloads } from './hub-source.ts';
import { createHashLimit } from './sources.ts';
import { cachedContent, type ExportedContent, type ExportedPlace } from './exported.ts';
import type { FindInStore } from './find-in-store.ts';

/** Where an exported content came from: `cache` when it was there. */
export type ExportSource = 'cache' | 'store' | 'hub';

export interface BringToCacheOptions {
  /** The Hugging Face cache. */
  readonly cacheFolder: string;
  /** Those who write the repositories that a content belongs to. */
  readonly writersOf: (content: ExportedContent) => readonly RepoWriter[];
  readonly findInStore: FindInStore;
  /** `undefined` when there is no network. */
  readonly openDownloads: OpenDownloads | undefined;
  readonly warn: (line: string) => void;
  /** Ends the reading of the cache. */
  readonly signal: AbortSignal;
}

/** Brings contents into the Hugging Face cache. */
export interface BringToCache {
  /**
   * Brings a content from the cache itself, else from the store, else from the Hub.
   *
   * @throws HugError `EHUG_OFFLINE`, and those of `Downloads` and `RepoWriter`; `SkippedError`
   */
  bring(content: ExportedContent, report: ReportContent): Promise<ExportSource>;
  /** Closes what was opened. */
  close(): Promise<void>;
}

/** Makes what brings the contents of one export. */
export function createBringToCache(options: BringToCacheOptions): BringToCache {
  const { cacheFolder, writersOf, findInStore, openDownloads, warn, signal } = options;
  const pipeline = createCircuitBreaker();
  const reading = createHashLimit();
  const hub = createHubSource(openDownloads, unreachable);

  async function put(content: ExportedContent, source: BlobSource, report: ReportContent) {
    for (const writer of writersOf(content)) {
      await writer.putBlob(content, source, (bytes) => report('copying', bytes));
    }
  }

  /** The file that has the content, if any, and what should have it and does not. */
  const searchCache = (content: ExportedContent, report: ReportContent) =>
    reading(() =>
      findInCache(
        cacheFolder,
        cachedContent(content),
        (bytes) => report('checking', bytes),
        signal,
      ),
    );

  /** Whether the store had the content. */
  async function fromStore(content: ExportedContent, report: ReportContent): Promise<boolean> {
    const file = await findInStore(content);
    if (file === undefined) return false;
    try {
      await reading(() => put(content, { file, isOurs: false }, report));
      return true;
    } catch (error) {
      if (!(error instanceof HugError) || error.code !== 'EHUG_INTEGRITY') throw error;
      warn(`${error.message}; it was not used`);
      return false;
    }
  }

  async function fromHub(content: ExportedContent, report: ReportContent): Promise<void> {
    const [first, ...others] = content.places;
    const download = await hub.fetch([wanted(first), ...others.map(wanted)], report);
    try {
      await put(content, { file: download.path, isOurs: true }, report);
    } finally {
      await download.discard();
    }
  }

  async function bring(content: ExportedContent, report: ReportContent): Promise<ExportSource> {
    const { file, damaged } = await searchCache(content, report);
    const tell = (outcome: string) => {
      for (const damage of damaged) warn(damageText(damage, outcome));
    };
    try {
      const source = await replaceOrKeep(content, file, report);
      tell('it was replaced');
      return source;
    } catch (error) {
      tell('it was left as it is');
      throw error;
    }
  }

  async function replaceOrKeep(
    content: ExportedContent,
    found: string | undefined,
    report: ReportContent,
  ): Promise<ExportSource> {
    if (found !== undefined) {
      const isOurs = await isInside(cacheFolder, found);
      await put(content, { file: found, isOurs }, report);
      return 'cache';
    }
    if (await fromStore(content, report)) return 'store';
    await fromHub(content, report);
    return 'hub';
  }

  return {
    bring: (content, report) => pipeline(() => bring(content, report)),
    close: () => hub.close(),
  };
}

function wanted({ exported, file }: ExportedPlace): HubFile {
  const { endpoint, type, repo, rev } = exported;
  const { path, url, size, digest } = file;
  return { endpoint, type, repo, ref: rev, rev, path, url, size, hash: digest };
}

function unreachable({ path, type, repo }: HubFile): HugError {
  const place = nameOf({ type, id: repo, path });
  return new HugError('EHUG_OFFLINE', `${place} is in no cache and not in the store`, {
    hint: 'Run it once without --offline and HF_HUB_OFFLINE.',
  });
}
