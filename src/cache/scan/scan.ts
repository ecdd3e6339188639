import { type Dirent, lstatSync } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { HugError, systemCodeOf } from '../../errors.ts';
import { type Folder, folderAt, followed, list } from './folder.ts';
import { attempt, type CacheProblem, type Report } from './problem.ts';
import { SYSTEM_FILES } from './refs.ts';
import { type CachedRepo, parseRepoFolderName, readRepo, sizeOf } from './repo-folder.ts';
import { NO_INDEX, type ScanIndex } from './scan-index.ts';

/** What is in a Hugging Face cache. */
export interface CacheScan {
  /** Whether there is a cache at all. */
  readonly found: boolean;
  /** In the order of the names of their folders. */
  readonly repos: readonly CachedRepo[];
  /** Bytes of all contents, each counted once. */
  readonly size: number;
  readonly problems: readonly CacheProblem[];
}

/** How long everything else waits for its turn at least, in ms. */
const TURN_MS = 10;

/** What the official client keeps at the root, beside repositories. */
const OWN_FILES: ReadonlySet<string> = new Set(['.locks', 'CACHEDIR.TAG', ...SYSTEM_FILES]);

/**
 * Reads a cache without believing it: whatever is odd is a problem in the result, and the rest is
 * read all the same. Nothing is hashed and no content is opened.
 *
 * The file system is read synchronously, which takes a third of the time here: there are many small
 * answers that it has in memory. Between repositories everything else gets its turn.
 *
 * @param folder the cache, which need not exist
 * @param signal ends the scan between two repositories
 * @param index what is known of the cache, so that less has to be read
 * @throws HugError `EHUG_FILE_SYSTEM` when the folder itself cannot be read
 */
export async function scanCache(
  folder: string,
  signal?: AbortSignal,
  index: ScanIndex = NO_INDEX,
): Promise<CacheScan> {
  const cache = openCache(folder);
  if (cache === undefined) return { found: false, repos: [], size: 0, problems: [] };
  const problems: CacheProblem[] = [];
  const report: Report = (kind, at, detail) => {
    const place = { kind, path: path.relative(folder, at) };
    problems.push(detail === undefined ? place : { ...place, detail });
  };
  const repos: CachedRepo[] = [];
  let turnEnds = 0;
  for (const entry of list(cache, { report: refuse, seen: [] }) ?? []) {
    if (performance.now() > turnEnds) {
      await setImmediate();
      turnEnds = performance.now() + TURN_MS;
    }
    signal?.throwIfAborted();
    const repo = readEntry(cache, entry, report, index);
    if (repo !== undefined) repos.push(repo);
  }
  index.save();
  const files = repos.flatMap(({ revisions }) => revisions.flatMap((revision) => revision.files));
  return { found: true, repos, size: sizeOf(files), problems };
}

function readEntry(
  cache: Folder,
  entry: Dirent,
  report: Report,
  index: ScanIndex,
): CachedRepo | undefined {
  const at = `${cache.at}/${entry.name}`;
  if (OWN_FILES.has(entry.name) || isSharedStore(at, entry, report)) return undefined;
  const named = parseRepoFolderName(entry.name);
  const repo = named === undefined ? 'other' : folderAt(cache, entry, report);
  if (named === undefined || typeof repo === 'string') report('foreign', at);
  else if (repo !== undefined) {
    const revisions = index.recall(repo, cache);
    if (revisions !== undefined) return { ...named, folder: repo.at, revisions };
    return readAnew(named, repo, cache, report, index);
  }
  return undefined;
}

function readAnew(
  named: Pick<CachedRepo, 'type' | 'id'>,
  repo: Folder,
  cache: Folder,
  report: Report,
  index: ScanIndex,
): CachedRepo {
  const seen: Folder[] = [];
  let isOdd = false;
  const note: Report = (...problem) => {
    isOdd = true;
    report(...problem);
  };
  const read = readRepo(named, repo, cache, { report: note, seen });
  if (!isOdd) index.keep(repo, read.revisions, seen);
  return read;
}

/** Contents that repositories share, since huggingface_hub 2. */
function isSharedStore(at: string, entry: Dirent, report: Report): boolean {
  if (entry.name !== 'blobs' || !entry.isDirectory()) return false;
  const mark = `${at}/.huggingface-shared-blobs`;
  const stats = attempt(report, at, false, () => lstatSync(mark, { throwIfNoEntry: false }));
  return stats?.isFile() === true;
}

function openCache(folder: string): Folder | undefined {
  try {
    return { at: folder, real: followed(folder).real };
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT') return undefined;
    if (code === undefined) throw error;
    throw unreadable(folder, code);
  }
}

/** For the folder that everything else is in. */
const refuse: Report = (_kind, at, detail) => {
  throw unreadable(at, detail);
};

const unreadable = (folder: string, reason = 'ELOOP'): HugError =>
  new HugError('EHUG_FILE_SYSTEM', `the cache ${folder} cannot be read: ${reason}`, {
    hint: 'HF_HUB_CACHE or HF_HOME says where the Hugging Face cache is.',
  });
