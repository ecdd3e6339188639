import { type Dirent, lstatSync } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { HugError, systemCodeOf } from '../errors.ts';
import { parseRepoFolderName } from './layout.ts';
import {
  attempt,
  type CacheProblem,
  type Folder,
  folderAt,
  followLinks,
  type ReportProblem,
  sortedEntries,
} from './problem.ts';
import { type CachedRepo, readRepo, sizeOf, SYSTEM_FILES } from './scan-repo.ts';

/** What is in a Hugging Face cache. */
export interface CacheScan {
  /** `false` when there is no cache. */
  readonly found: boolean;
  /** Sorted by the names of their folders. */
  readonly repos: readonly CachedRepo[];
  /** Bytes of all files; a content that several of them have counts once. */
  readonly size: number;
  readonly problems: readonly CacheProblem[];
}

/** The longest time without a turn for timers and signals, in ms; a repository may take longer. */
const TURN_MS = 10;

/** What the official client keeps beside the repositories. */
const CLIENT_FILES: ReadonlySet<string> = new Set(['.locks', 'CACHEDIR.TAG']);

/**
 * Lists a cache without trusting it: whatever is wrong becomes a problem of the result, and the rest
 * is read all the same. No content is opened.
 *
 * It calls the file system synchronously, which takes a third of the time: there are many calls, and
 * the system answers most of them from memory.
 *
 * @param folder the cache, which need not exist
 * @param signal ends the scan between two repositories
 * @throws HugError `EHUG_FILE_SYSTEM` when the folder itself cannot be read
 */
export async function scanCache(folder: string, signal?: AbortSignal): Promise<CacheScan> {
  const opened = openCache(folder);
  if (opened === undefined) return { found: false, repos: [], size: 0, problems: [] };
  const { cache, entries } = opened;
  const problems: CacheProblem[] = [];
  const report: ReportProblem = (kind, at, detail) => {
    const place = { kind, path: path.relative(folder, at) };
    problems.push(detail === undefined ? place : { ...place, detail });
  };
  const repos: CachedRepo[] = [];
  let turnEnds = 0;
  for (const entry of entries) {
    if (performance.now() > turnEnds) {
      await setImmediate();
      turnEnds = performance.now() + TURN_MS;
    }
    signal?.throwIfAborted();
    const repo = readEntry(cache, entry, report);
    if (repo !== undefined) repos.push(repo);
  }
  const files = repos.flatMap(({ revisions }) => revisions.flatMap((revision) => revision.files));
  return { found: true, repos, size: sizeOf(files), problems };
}

/** The repository that an entry of the cache is; `undefined` for anything else. */
function readEntry(cache: Folder, entry: Dirent, report: ReportProblem): CachedRepo | undefined {
  const { name } = entry;
  if (CLIENT_FILES.has(name) || SYSTEM_FILES.has(name)) return undefined;
  if (isSharedStore(cache, entry, report)) return undefined;
  const named = parseRepoFolderName(name);
  if (named === undefined) {
    report('foreign', `${cache.at}/${name}`);
    return undefined;
  }
  const repo = folderAt(cache, entry, 'foreign', report);
  return repo && readRepo(named, repo, cache, report);
}

/** Whether an entry is the folder of blobs that repositories share, since huggingface_hub 2. */
function isSharedStore(cache: Folder, entry: Dirent, report: ReportProblem): boolean {
  if (entry.name !== 'blobs' || !entry.isDirectory()) return false;
  const at = `${cache.at}/${entry.name}`;
  const mark = `${at}/.huggingface-shared-blobs`;
  const stats = attempt(report, at, false, () => lstatSync(mark, { throwIfNoEntry: false }));
  return stats?.isFile() === true;
}

/**
 * The folder of the cache and its entries; `undefined` when it does not exist.
 *
 * @throws HugError `EHUG_FILE_SYSTEM`
 */
function openCache(folder: string) {
  try {
    const cache: Folder = { at: folder, real: followLinks(folder).real };
    return { cache, entries: sortedEntries(folder) };
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT') return undefined;
    if (code === undefined) throw error;
    throw new HugError('EHUG_FILE_SYSTEM', `the cache ${folder} cannot be read: ${code}`, {
      hint: 'HF_HUB_CACHE or HF_HOME says where the Hugging Face cache is.',
      cause: error,
    });
  }
}
