import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import path from 'node:path';
import { byCodeUnit } from '../../collections.ts';
import { unsafeReason } from '../../safe-path.ts';
import { type Folder, followed, list, type Reading } from './folder.ts';
import { attempt, type Report } from './problem.ts';

/** A file of a snapshot that can be read. */
export interface CachedFile extends Content {
  /** Path in the repository; a safe one. */
  readonly path: string;
}

/** The content of files. */
export interface Content {
  /** Where it is, behind all links. */
  readonly file: string;
  /** Length in bytes. */
  readonly size: number;
  /** When it was last written, in ms since 1970. */
  readonly modified: number;
  /**
   * Name of its blob: SHA-256 in hex for an LFS file, git blob id for a plain one. `undefined`
   * where the snapshot has files instead of links to blobs.
   */
  readonly etag: string | undefined;
}

/** The files of a snapshot. */
export interface SnapshotFiles {
  /** In the order of code units of their paths. */
  readonly files: readonly CachedFile[];
  /** Whether these are all: nothing was there that could not be read. */
  readonly isWhole: boolean;
}

/** Reads the snapshots of one repository. */
export type ReadSnapshot = (folder: Folder) => SnapshotFiles;

/** Folders of a repository in a cache. */
export interface RepoFolders {
  readonly repo: Folder;
  readonly blobs: Folder | undefined;
  /** The cache. */
  readonly cache: Folder;
}

/** Makes the reader of a repository's snapshots. It looks at a blob once, however many link to it. */
export function createReadSnapshot(folders: RepoFolders, { report, seen }: Reading): ReadSnapshot {
  const known = new Map<string, Content>();
  const blobOf = (blobs: Folder, etag: string): Content | undefined => {
    const before = known.get(etag);
    if (before !== undefined) return before;
    const stats = lstatSync(`${blobs.at}/${etag}`, { throwIfNoEntry: false });
    if (stats?.isFile() !== true) return undefined;
    const blob = contentOf(`${blobs.real}/${etag}`, stats, etag);
    known.set(etag, blob);
    return blob;
  };

  return (snapshot) => {
    const { repo, blobs } = folders;
    const files: CachedFile[] = [];
    let isWhole = true;
    const note: Report = (kind, ...more) => {
      isWhole &&= kind === 'outside';
      report(kind, ...more);
    };
    const isInPlace = path.dirname(path.dirname(snapshot.real)) === repo.real;

    /** @param up what a link at this depth begins with */
    function contentBehind(at: string, real: string, up: string): Content | undefined {
      const link = readlinkSync(at);
      if (blobs !== undefined && isInPlace && link.startsWith(up)) {
        const etag = link.slice(up.length);
        const blob = etag.includes('/') ? undefined : blobOf(blobs, etag);
        if (blob !== undefined) return blob;
      }
      const { real: file, stats } = followed(at);
      if (stats.isDirectory()) note('linked-folder', at, link);
      else if (!stats.isFile()) note('not-a-file', at);
      else {
        if (isInPlace && !isInside(file, folders)) note('outside', at, file);
        return contentOf(file, stats, blobNameOf(path.dirname(real), link, folders));
      }
      return undefined;
    }

    function walk(folder: Folder, prefix: string, up: string): void {
      for (const entry of list(folder, { report: note, seen }) ?? []) {
        const name = prefix + entry.name;
        const at = `${folder.at}/${entry.name}`;
        const real = `${folder.real}/${entry.name}`;
        const unsafe = unsafeReason(name);
        if (unsafe !== undefined) note('unsafe-name', at, unsafe);
        else if (entry.isDirectory()) walk({ at, real }, `${name}/`, `../${up}`);
        else if (!entry.isFile() && !entry.isSymbolicLink()) note('not-a-file', at);
        else {
          const content = attempt(note, at, entry.isSymbolicLink(), () =>
            entry.isFile()
              ? contentOf(real, lstatSync(at), undefined)
              : contentBehind(at, real, up),
          );
          if (content !== undefined) files.push({ path: name, ...content });
        }
      }
    }

    walk(snapshot, '', '../../blobs/');
    return { files: files.toSorted((a, b) => byCodeUnit(a.path, b.path)), isWhole };
  };
}

/**
 * What a blob that is a link leads to: one that repositories share.
 *
 * @returns `undefined` when it is none
 * @throws the system's error
 */
export function sharedBlob(blobs: Folder, etag: string, folders: RepoFolders): Content | undefined {
  const { real, stats } = followed(`${blobs.at}/${etag}`);
  return stats.isFile() && isInside(real, folders) ? contentOf(real, stats, etag) : undefined;
}

const contentOf = (file: string, stats: Stats, etag: string | undefined): Content => ({
  file,
  size: stats.size,
  modified: stats.mtimeMs,
  etag,
});

/**
 * Name of the blob that a link leads to, whatever that is; `undefined` when it leads elsewhere, or
 * up again from a folder that it names: that may be a link, too.
 *
 * @param from folder of the link, without any link
 */
function blobNameOf(from: string, link: string, { repo, blobs }: RepoFolders): string | undefined {
  const steps = link.split('/');
  const down = steps.findIndex((step) => !['', '.', '..'].includes(step));
  if (steps.includes('..', down)) return undefined;
  const target = path.resolve(from, link);
  const folder = path.dirname(target);
  const isBlob = [blobs?.at, blobs?.real, `${repo.real}/blobs`].includes(folder);
  return isBlob ? path.basename(target) : undefined;
}

/** Folders of the cache may be links themselves; what they lead to is part of it. */
function isInside(file: string, { repo, blobs, cache }: RepoFolders): boolean {
  const folders = [cache, repo, ...(blobs === undefined ? [] : [blobs])];
  return folders.some(({ real }) => file.startsWith(`${real}/`));
}
