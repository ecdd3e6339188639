import { hash } from 'node:crypto';
import path from 'node:path';
import { blobNameOf, blobPath } from '../cache/layout.ts';
import { isViewComplete, openView, removeUnusedViews } from '../cache/view.ts';
import { type Place, placesIn } from '../copy/blob.ts';
import { throwFailed } from '../copy/copy.ts';
import { linksIntoStore } from '../copy/store-links.ts';
import { type CacheLinks, copyToCache, type ListedSnapshot } from '../copy/to-cache.ts';
import { viewedRepos } from '../copy/viewed.ts';
import { HugError } from '../errors.ts';
import type { Nix } from '../store/nix.ts';
import { chosenEntries, listedSnapshot } from './chosen.ts';
import type { CommandContext } from './context.ts';
import type { GroupOptions } from './groups.ts';
import { readCurrentLock } from './project.ts';

/** Counted up when a view is laid out in another way, so that older ones are not taken for it. */
const LAYOUT_VERSION = 1;

/** A view, ready for programs. */
interface View {
  readonly folder: string;
  /** A sentence on the entries that are left out; `undefined` when none is. */
  readonly note: string | undefined;
}

/**
 * Makes the view of the entries of the current lock: a cache whose blobs are links into the Nix store, or
 * without Nix to the user's cache. What is missing there is copied or downloaded first. A view that is
 * complete is taken as it is, without Nix and without a network.
 *
 * @throws HugError those of `readCurrentLock`, `chosenEntries`, `openView` and `copyToCache`
 */
export async function prepareView(context: CommandContext, groups: GroupOptions): Promise<View> {
  const { lock, lockText } = readCurrentLock(context);
  const { entries, note } = chosenEntries(lock, [], groups);
  const snapshots = entries.map((entry) => listedSnapshot(entry, lock));
  const titles = snapshots.map(({ title }) => title);
  const name = hash('sha256', JSON.stringify([LAYOUT_VERSION, lockText, titles]));
  const folder = path.join(context.viewsFolder, name);
  const wanted = viewedRepos(snapshots);
  await openView(folder);
  await removeUnusedViews(context.viewsFolder);
  if (isViewComplete(folder, wanted)) return { folder, note };
  const links = await linksTo(snapshots, context);
  // The view has this lock alone, so every ref points to its commit.
  const newest = snapshots.map((snapshot) => ({ ...snapshot, isNewest: true }));
  await copyToCache(newest, { ...context, cacheFolder: folder, isPlain: false }, links);
  return { folder, note };
}

/** Links to files that the store has, or without a store on this machine to those of the user's cache. */
async function linksTo(
  snapshots: readonly ListedSnapshot[],
  context: CommandContext,
): Promise<CacheLinks> {
  const nix = await nixOfThisMachine(context);
  return nix === undefined
    ? linksIntoCache(snapshots, context)
    : linksIntoStore(snapshots, nix, context);
}

/** Nix; `undefined` without a store on this machine, and with a warning when Nix fails. */
async function nixOfThisMachine(context: CommandContext): Promise<Nix | undefined> {
  try {
    const nix = await context.openNix();
    return nix.diskFolder === undefined ? undefined : nix;
  } catch (error) {
    if (!(error instanceof HugError)) throw error;
    if (error.code !== 'EHUG_NIX_MISSING') {
      context.warn(`the Nix store is not used: ${error.message}`);
    }
    return undefined;
  }
}

/** Exports snapshots into the user's cache, for a view that links to its blobs. */
async function linksIntoCache(
  snapshots: readonly ListedSnapshot[],
  context: CommandContext,
): Promise<CacheLinks> {
  const copied = await copyToCache(snapshots, context);
  throwFailed(copied);
  const targetOf = ({ snapshot: { type, ids, rev }, file }: Place) => {
    const etag = blobNameOf(file).hex;
    const blob = blobPath(context.cacheFolder, { type, id: ids[0], rev, path: file.path, etag });
    return { path: blob, isLinkable: true, isLasting: true, source: 'cache' as const };
  };
  return {
    targets: new Map(placesIn(snapshots).map((place) => [place.file, targetOf(place)])),
  };
}

/** The variables of programs that load from a view alone; `nix/cache-env.nix` sets the same. */
export const programEnv = (folder: string) => ({
  HF_HUB_CACHE: folder,
  // optimum reads this one.
  HUGGINGFACE_HUB_CACHE: folder,
  HF_HUB_OFFLINE: '1',
  NIX_HUG_ENV: folder,
});
