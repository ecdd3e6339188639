import { lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { chmod, lstat, readdir, rename, rm, utimes } from 'node:fs/promises';
import path from 'node:path';
import { HugError, messageOf } from '../errors.ts';
import { makeFolders } from '../make-folders.ts';
import { blobNameOf, type CommitFile, linkText } from './layout.ts';

// A view is a cache of links, made by nix-hug for programs.

/** What a view has of a repository. */
export interface ViewedRepo {
  /** Name of its folder. */
  readonly folder: string;
  /** Commits by ref. */
  readonly refs: ReadonlyMap<string, string>;
  readonly snapshots: readonly { readonly rev: string; readonly files: readonly CommitFile[] }[];
}

/** A view that nobody used for this long is removed; in ms. */
const MAX_UNUSED_MS = 30 * 24 * 60 * 60 * 1_000;

/** Nobody else looks into a view, and none of its programs into that of another user. */
const PRIVATE = 0o700;

const VIEW_NAME = /^[0-9a-f]{64}$/u;

/**
 * Makes the folder of a view, or takes the one that is there, as used now.
 *
 * @throws HugError `EHUG_FILE_SYSTEM`, also for a folder of another user
 */
export async function openView(view: string): Promise<void> {
  try {
    await makeFolders(view, PRIVATE);
    const stats = await lstat(view);
    if (!stats.isDirectory() || stats.uid !== process.getuid?.()) {
      throw new HugError('EHUG_FILE_SYSTEM', `${view} belongs to another user, or is no folder`, {
        hint: 'Set XDG_CACHE_HOME to a folder of your own.',
      });
    }
    if ((stats.mode & 0o777) !== PRIVATE) await chmod(view, PRIVATE);
    await touchView(view);
  } catch (error) {
    if (error instanceof HugError) throw error;
    throw new HugError('EHUG_FILE_SYSTEM', `cannot use ${view}: ${messageOf(error)}`, {
      hint: 'Set XDG_CACHE_HOME to a folder of your own.',
      cause: error,
    });
  }
}

/** Marks a view as used now; one that is gone stays so. */
export const touchView = (view: string): Promise<void> =>
  utimes(view, new Date(), new Date()).catch(() => undefined);

/**
 * Whether a view has every file and ref: each link leads where it should, to a file of the right size.
 * No content is read. Synchronous, which takes a third of the time for many files.
 */
export const isViewComplete = (view: string, repos: readonly ViewedRepo[]): boolean =>
  repos.every(({ folder, refs, snapshots }) => {
    const repo = path.join(view, folder);
    return (
      snapshots.every(({ rev, files }) => files.every((file) => hasFile(repo, rev, file))) &&
      [...refs].every(([ref, rev]) => hasRef(path.join(repo, 'refs', ref), rev))
    );
  });

function hasFile(repo: string, rev: string, file: CommitFile): boolean {
  try {
    if (readlinkSync(path.join(repo, 'snapshots', rev, file.path)) !== linkText(file)) return false;
    const blob = statSync(path.join(repo, 'blobs', blobNameOf(file).hex));
    return blob.isFile() && blob.size === file.size;
  } catch {
    return false;
  }
}

function hasRef(file: string, rev: string): boolean {
  try {
    return lstatSync(file).isFile() && readFileSync(file, 'utf8') === rev;
  } catch {
    return false;
  }
}

/** Removes views of this user that nobody used for 30 days, as far as they can be removed. */
export async function removeUnusedViews(views: string): Promise<void> {
  for (const name of await readdir(views).catch(() => [])) {
    const view = path.join(views, name);
    // What a killed process left of a view that it was removing.
    const isLeft = name.endsWith('.old') && VIEW_NAME.test(name.slice(0, -'.old'.length));
    if (!isLeft && !(VIEW_NAME.test(name) && (await isUnused(view)))) continue;
    const old = isLeft ? view : `${view}.old`;
    // In one step, so that a process that wants it again makes a new one.
    if (!isLeft) await rename(view, old).catch(() => undefined);
    await rm(old, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function isUnused(view: string): Promise<boolean> {
  const stats = await lstat(view).catch(() => undefined);
  return stats !== undefined && Date.now() - stats.mtimeMs > MAX_UNUSED_MS;
}
