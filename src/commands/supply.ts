import pLimit from 'p-limit';
import { type Damage, findInCache } from '../cache/find.ts';
import { HugError } from '../errors.ts';
import { resolveUrl } from '../hub/resolve-url.ts';
import { encodePath } from '../repo.ts';
import type { LackingContent } from '../store/plan.ts';
import type { ReportContent, Supplied } from '../store/realise.ts';
import type { Downloads } from '../transfer/downloads.ts';
import { cachedNames } from './cached-names.ts';

/** Where bytes may come from. */
export type Source = 'cache' | 'hub';

/** Downloads from one Hub. */
export interface HubDownloads extends Downloads {
  /** Address of the Hub. */
  readonly endpoint: string;
  /** Closes all connections. */
  close(): Promise<void>;
}

export interface SupplyOptions {
  /** The Hugging Face cache. */
  readonly cacheFolder: string;
  /** Files of the cache that were hashed already, by SHA-256 in SRI form; they are not read again. */
  readonly checked?: ReadonlyMap<string, string> | undefined;
  /** Opens connections when the first content is in no cache; `undefined` when there is no network. */
  readonly openDownloads: (() => Promise<HubDownloads>) | undefined;
  /** The error for a file that is in no cache when there is no network; default `EHUG_OFFLINE`. */
  readonly absent?: ((path: string) => HugError) | undefined;
  /** Told of files in the Hugging Face cache that are not what they should be. */
  readonly onDamage: (damage: Damage) => void;
  /** Ends the reading of the cache. */
  readonly signal?: AbortSignal | undefined;
}

/** Brings contents to disk. */
export interface Supply {
  /**
   * Takes a content from the Hugging Face cache, else from the Hub.
   *
   * @throws HugError `EHUG_OFFLINE` or `absent`, and those of `Downloads`
   */
  bring(content: LackingContent, report: ReportContent): Promise<Supplied<Source>>;
  /** Closes what was opened. */
  close(): Promise<void>;
}

/** Hashing keeps one core busy; two files at once keep the disk busy too. */
const MOST_READ_AT_ONCE = 2;

/** Makes the supply of one run. */
export function createSupply({
  cacheFolder,
  checked,
  openDownloads,
  absent = unreachable,
  onDamage,
  signal,
}: SupplyOptions): Supply {
  const reading = pLimit(MOST_READ_AT_ONCE);
  let opened: Promise<HubDownloads> | undefined;

  async function fromCache({ hash, size, places }: LackingContent, report: ReportContent) {
    const known = checked?.get(hash);
    if (known !== undefined) return known;
    const names = places.flatMap(cachedNames);
    const { file, damaged } = await reading(() =>
      findInCache(cacheFolder, { names, size, hash }, (bytes) => report('checking', bytes), signal),
    );
    for (const damage of damaged) onDamage(damage);
    return file;
  }

  async function fromHub({ hash, size, places }: LackingContent, report: ReportContent) {
    const [{ type, entry, path, file }] = places;
    if (openDownloads === undefined) throw absent(path);
    opened ??= openDownloads();
    const downloads = await opened;
    const name = file.url ?? encodePath(path);
    const url = resolveUrl(downloads.endpoint, type, entry.repo, entry.rev, name);
    const subject = { type, id: entry.repo, ref: entry.rev, path };
    return await downloads.fetch({ url, subject, size, hash }, (bytes) =>
      report('downloading', bytes),
    );
  }

  return {
    async bring(content, report) {
      const file = await fromCache(content, report);
      if (file !== undefined) return { file, source: 'cache', discard: async () => undefined };
      const download = await fromHub(content, report);
      return { file: download.path, source: 'hub', discard: () => download.discard() };
    },
    async close() {
      await (await opened)?.close();
    },
  };
}

function unreachable(path: string): HugError {
  return new HugError('EHUG_OFFLINE', `${JSON.stringify(path)} is in no cache`, {
    hint: 'Run nix-hug fetch once without --offline and HF_HUB_OFFLINE.',
  });
}
