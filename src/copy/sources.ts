import { type Damage, findInCache } from '../cache/find.ts';
import { HugError } from '../errors.ts';
import { cachedNames } from './cached-names.ts';
import type { ReportContent } from './circuit-breaker.ts';
import { type HubFile, type OpenDownloads, createHubSource } from './hub-source.ts';
import type { MissingBlob, PlacedFile } from './placement.ts';
import pLimit from 'p-limit';

/** Hashing keeps one core busy; two files at once keep the disk busy too. */
const MAX_READ_AT_ONCE = 2;

/** Makes what the files that are read to be hashed wait for. */
export const createHashLimit = () => pLimit(MAX_READ_AT_ONCE);

/** Where bytes may come from. */
export type Source = 'cache' | 'hub';

export interface SupplyOptions {
  /** The Hugging Face cache. */
  readonly cacheFolder: string;
  /** Files of the cache that were hashed already, by SHA-256 in SRI form; they are not read again. */
  readonly checked?: ReadonlyMap<string, string> | undefined;
  /** Address of the Hub that the lock names. */
  readonly endpoint?: string | undefined;
  /** `undefined` when there is no network. */
  readonly openDownloads: OpenDownloads | undefined;
  /** The error for a file that is in no cache when there is no network; default `EHUG_OFFLINE`. */
  readonly absent?: ((path: string) => HugError) | undefined;
  /** Told of files in the Hugging Face cache that are not what they should be. */
  readonly onDamage: (damage: Damage) => void;
  /** Ends the reading of the cache. */
  readonly signal?: AbortSignal | undefined;
}

/** A content on disk, checked, and where it came from. */
export interface Supplied {
  readonly file: string;
  readonly source: Source;
  /** To be called when the file is in the store, or could not be added. */
  discard(): Promise<void>;
}

/** Brings contents to disk. */
export interface Supply {
  /**
   * Takes a content from the Hugging Face cache, else from the Hub: from the first of its places that
   * is not refused.
   *
   * @throws HugError `EHUG_OFFLINE` or `absent`, and those of `Downloads`
   */
  bring(content: MissingBlob, report: ReportContent): Promise<Supplied>;
  /** Closes what was opened. */
  close(): Promise<void>;
}

/** Makes the supply of one run. */
export function createSources({
  cacheFolder,
  checked,
  endpoint,
  openDownloads,
  absent = unreachable,
  onDamage,
  signal,
}: SupplyOptions): Supply {
  const reading = createHashLimit();
  const hub = createHubSource(openDownloads, ({ path }) => absent(path));

  async function fromCache({ hash, size, places }: MissingBlob, report: ReportContent) {
    const known = checked?.get(hash);
    if (known !== undefined) return known;
    const names = places.flatMap(cachedNames);
    const { file, damaged } = await reading(() =>
      findInCache(cacheFolder, { names, size, hash }, (bytes) => report('checking', bytes), signal),
    );
    for (const damage of damaged) onDamage(damage);
    return file;
  }

  function fromHub({ hash, size, places }: MissingBlob, report: ReportContent) {
    const wanted = ({ type, entry, path, file }: PlacedFile): HubFile => {
      const { repo, ref, rev } = entry;
      return { endpoint, type, repo, ref, rev, path, url: file.url, size, hash };
    };
    const [first, ...others] = places;
    return hub.fetch([wanted(first), ...others.map(wanted)], report);
  }

  return {
    async bring(content, report) {
      const file = await fromCache(content, report);
      if (file !== undefined) return { file, source: 'cache', discard: async () => undefined };
      const download = await fromHub(content, report);
      return { file: download.path, source: 'hub', discard: () => download.discard() };
    },
    close: () => hub.close(),
  };
}

function unreachable(path: string): HugError {
  return new HugError('EHUG_OFFLINE', `${JSON.stringify(path)} is in no cache`, {
    hint: 'Run nix-hug fetch once without --offline and HF_HUB_OFFLINE.',
  });
}
