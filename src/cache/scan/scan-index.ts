import { statfsSync, statSync } from 'node:fs';
import type { Folder } from './folder.ts';
import { type IndexPlace, readIndex, writeIndex } from './index-file.ts';
import { keptOf, type KeptRepo, revisionsOf } from './kept-repo.ts';
import type { CachedRevision } from './repo-folder.ts';

/**
 * What earlier scans read of repositories in which nothing was odd, as git has it in its index for a
 * working tree: what has not changed since need not be read again. Folders and refs are compared by
 * what the system says of them. Blobs are not looked at, as git does not look at its objects: one
 * whose content changes in place is damaged, which `verify` finds. Those that repositories share are,
 * since nothing in this repository tells when they are removed.
 */
export interface ScanIndex {
  /** The revisions of a repository; `undefined` when it has to be read. */
  readonly recall: (repo: Folder, cache: Folder) => readonly CachedRevision[] | undefined;
  /**
   * Takes in what was read of a repository, unless a link has led to one of its folders: what comes
   * before the folder may change then, and nothing in the repository tells.
   *
   * @param seen all folders and refs that were read
   */
  readonly keep: (
    repo: Folder,
    revisions: readonly CachedRevision[],
    seen: readonly Folder[],
  ) => void;
  /** Writes down all that was recalled and kept, for the next scan. */
  readonly save: () => void;
}

/**
 * File systems of Linux that give a folder a new time whenever an entry of it changes, by their
 * magic numbers (`statfs(2)`): ext, XFS, Btrfs, ZFS, F2FS, bcachefs, tmpfs. Not all do: some that
 * keep objects on servers have no times of folders, network file systems tell of a change after a
 * while, and overlayfs tells the time of the upper folder of two, when the lower one has changed.
 */
const KEEPS_TIMES: ReadonlySet<number> = new Set([
  0xef53, 0x5846_5342, 0x9123_683e, 0x2fc1_2fc1, 0xf2f5_2010, 0xca45_1a4e, 0x0102_1994,
]);

/**
 * Two changes within one tick of a file system's clock look like one, so what changed a moment ago
 * is not kept. They tick every 10 ms, or faster; in ms.
 */
const YOUNG_MS = 2_000;

/** An index that knows nothing and takes nothing in. */
export const NO_INDEX: ScanIndex = {
  recall: () => undefined,
  keep: () => undefined,
  save: () => undefined,
};

/**
 * Opens the index of a cache.
 *
 * @param now when the scan begins, in ms since 1970
 */
export function openScanIndex(place: IndexPlace, now = Date.now()): ScanIndex {
  const device = deviceOf(place.cache);
  if (device === undefined) return NO_INDEX;
  const before = readIndex(place);
  const after = new Map<string, KeptRepo>();
  let isNew = false;
  return {
    recall(repo, cache) {
      const kept = before.get(repo.at);
      if (kept === undefined) return undefined;
      const revisions = attempt(() =>
        stateOf(repo, kept.seen, device)?.text === kept.state
          ? revisionsOf(kept, repo, cache)
          : undefined,
      );
      if (revisions !== undefined) after.set(repo.at, kept);
      return revisions;
    },
    keep(repo, revisions, folders) {
      const seen = folders.map(({ at }) => at.slice(repo.at.length));
      if (folders.some(({ real }, index) => real !== `${repo.real}${seen[index]}`)) return;
      const state = attempt(() => stateOf(repo, seen, device));
      const kept = keptOf(repo, revisions);
      if (state === undefined || kept === undefined) return;
      if ([state.changed, ...kept.modified].some((time) => time > now - YOUNG_MS)) return;
      after.set(repo.at, { seen, state: state.text, ...kept });
      isNew = true;
    },
    save() {
      if (isNew || after.size < before.size) writeIndex(place, after);
    },
  };
}

/** Number of the device that a cache is on; `undefined` where times of folders say little. */
function deviceOf(cache: string): number | undefined {
  return attempt(() => (KEEPS_TIMES.has(statfsSync(cache).type) ? statSync(cache).dev : undefined));
}

/**
 * Where a repository is, what the system says of its folders and files, and when the last of them
 * changed, in ms since 1970.
 *
 * @param seen relative to the repository
 * @returns `undefined` when one of them is on another device
 * @throws the system's error
 */
function stateOf(
  repo: Folder,
  seen: readonly string[],
  device: number,
): { readonly text: string; readonly changed: number } | undefined {
  let text = `${repo.real}\n`;
  let changed = 0;
  for (const below of seen) {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(repo.real + below);
    if (dev !== device) return undefined;
    text += `${ino} ${size} ${mtimeMs} ${ctimeMs}\n`;
    changed = Math.max(changed, mtimeMs, ctimeMs);
  }
  return { text, changed };
}

/** Whatever goes wrong, in the system or in an index that somebody else wrote, is no answer. */
function attempt<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}
