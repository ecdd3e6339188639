import pLimit from 'p-limit';
import { findInCache } from '../cache/find.ts';
import { isInside } from '../cache/inside.ts';
import type { BlobSource } from '../cache/blob.ts';
import type { RepoWriter } from '../cache/write.ts';
import { HugError } from '../errors.ts';
import { resolveUrl } from '../hub/resolve-url.ts';
import { encodePath } from '../repo.ts';
import { HOPELESS, NotTried, type ReportContent } from '../store/realise.ts';
import { cachedContent, type ExportedContent, type ExportedPlace } from './export-plan.ts';
import type { FindInStore } from './export-store.ts';
import type { HubDownloads } from './supply.ts';

/** Where an exported content came from: `cache` when it was there. */
export type ExportSource = 'cache' | 'store' | 'hub';

export interface BringToCacheOptions {
  /** The Hugging Face cache. */
  readonly cacheFolder: string;
  /** Those who write the repositories that a content belongs to. */
  readonly writersOf: (content: ExportedContent) => readonly RepoWriter[];
  readonly findInStore: FindInStore;
  /** Opens connections when the first content is needed; `undefined` when there is no network. */
  readonly openDownloads: (() => Promise<HubDownloads>) | undefined;
  readonly warn: (line: string) => void;
}

/** Brings contents into the Hugging Face cache. */
export interface BringToCache {
  /**
   * Brings a content from the cache itself, else from the store, else from the Hub.
   *
   * @throws HugError `EHUG_OFFLINE`, and those of `Downloads` and `RepoWriter`; `NotTried`
   */
  bring(content: ExportedContent, report: ReportContent): Promise<ExportSource>;
  /** Closes what was opened. */
  close(): Promise<void>;
}

/** Contents that are under way at once; the others wait. */
const MOST_UNDER_WAY = 64;
/** Hashing keeps one core busy; two files at once keep the disk busy too. */
const MOST_READ_AT_ONCE = 2;

/** Makes what brings the contents of one export. */
export function createBringToCache(options: BringToCacheOptions): BringToCache {
  const { cacheFolder, writersOf, findInStore, openDownloads, warn } = options;
  const underWay = pLimit(MOST_UNDER_WAY);
  const reading = pLimit(MOST_READ_AT_ONCE);
  let opened: Promise<HubDownloads> | undefined;
  let isHopeless = false;

  async function put(content: ExportedContent, source: BlobSource, report: ReportContent) {
    for (const writer of writersOf(content)) {
      await writer.putBlob(content, source, (bytes) => report('copying', bytes));
    }
  }

  /** The file that has the content, if any, and what should have it and does not. */
  const searchCache = (content: ExportedContent, report: ReportContent) =>
    reading(() =>
      findInCache(cacheFolder, cachedContent(content), (bytes) => report('checking', bytes)),
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
    const [{ exported, file }] = content.places;
    const { type, repo, rev } = exported;
    if (openDownloads === undefined) throw unreachable(content.places[0]);
    opened ??= openDownloads();
    const downloads = await opened;
    const name = file.url ?? encodePath(file.path);
    const url = resolveUrl(downloads.endpoint, type, repo, rev, name);
    const subject = { type, id: repo, ref: rev, path: file.path };
    const remote = { url, subject, size: file.size, hash: file.digest };
    const download = await downloads.fetch(remote, (bytes) => report('downloading', bytes));
    try {
      await put(content, { file: download.path, isOurs: true }, report);
    } finally {
      await download.discard();
    }
  }

  async function bring(content: ExportedContent, report: ReportContent): Promise<ExportSource> {
    if (isHopeless) throw new NotTried();
    const { file, damaged } = await searchCache(content, report);
    const tell = (what: string) => {
      for (const damage of damaged) warn(`${damage.file} ${damage.reason}; ${what}`);
    };
    try {
      const source = await replaceOrKeep(content, file, report);
      tell('it was replaced');
      return source;
    } catch (error) {
      tell('it was left as it is');
      isHopeless ||= error instanceof HugError && HOPELESS.has(error.code);
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
    bring: (content, report) => underWay(() => bring(content, report)),
    async close() {
      await (await opened)?.close();
    },
  };
}

function unreachable({ exported, file }: ExportedPlace): HugError {
  const place = `${JSON.stringify(file.path)} of ${exported.type} ${exported.repo}`;
  return new HugError('EHUG_OFFLINE', `${place} is in no cache and not in the store`, {
    hint: 'Run it once without --offline and HF_HUB_OFFLINE.',
  });
}
