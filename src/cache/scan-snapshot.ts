import { lstatSync, readlinkSync, realpathSync, type Stats } from 'node:fs';
import path from 'node:path';
import { byCodeUnit } from '../collections.ts';
import { unsafeReason } from '../safe-path.ts';
import { attempt, type Folder, followLinks, listFolder, type ReportProblem } from './problem.ts';

/** A readable file of a snapshot. */
export interface CachedFile {
  /** Path in the repository; a safe one. */
  readonly path: string;
  /** Where the bytes are: the path with every link resolved. */
  readonly file: string;
  /** Length in bytes. */
  readonly size: number;
  /** When it was last written, in ms since 1970. */
  readonly modified: number;
  /**
   * Name of its blob: SHA-256 in hex for an LFS file, git blob id for a plain one. `undefined`
   * where the snapshot has a file instead of a link to a blob.
   */
  readonly etag: string | undefined;
}

type Content = Omit<CachedFile, 'path'>;

/** The files of a snapshot. */
export interface SnapshotFiles {
  /** Sorted by path, by code unit. */
  readonly files: readonly CachedFile[];
  /** `false` when `files` leaves something out, which a problem names. */
  readonly isWhole: boolean;
}

/**
 * Makes the reader of a repository's snapshots. It reads the size of each blob once, however many
 * snapshots link to it.
 *
 * @param blobs folder of its blobs; `undefined` when it has none
 */
export function createSnapshotReader(
  cache: Folder,
  repo: Folder,
  blobs: Folder | undefined,
  report: ReportProblem,
): (snapshot: Folder) => SnapshotFiles {
  /** Folders of the cache may be links; their targets are part of it. */
  const inCache = [cache, repo, ...(blobs === undefined ? [] : [blobs])];
  const known = new Map<string, Content>();

  /** A blob of this repository; `undefined` when it is missing or a link. */
  function blobNamed(etag: string, { at, real }: Folder): Content | undefined {
    const before = known.get(etag);
    if (before !== undefined) return before;
    const stats = lstatSync(`${at}/${etag}`, { throwIfNoEntry: false });
    if (stats?.isFile() !== true) return undefined;
    const blob = contentOf(`${real}/${etag}`, stats, etag);
    known.set(etag, blob);
    return blob;
  }

  return (snapshot) => {
    const files: CachedFile[] = [];
    let isWhole = true;
    const isInPlace = path.dirname(path.dirname(snapshot.real)) === repo.real;

    const note: ReportProblem = (kind, ...more) => {
      // The target of a link out of the cache is among the files.
      isWhole &&= kind === 'outside';
      report(kind, ...more);
    };

    /** @param toBlobs how a link from this folder to a blob begins: `../../blobs/`, or deeper */
    function readLink(at: string, folder: Folder, toBlobs: string): Content | undefined {
      const link = readlinkSync(at);
      const name = isInPlace && link.startsWith(toBlobs) ? link.slice(toBlobs.length) : undefined;
      const etag = name?.includes('/') === true ? undefined : name;
      // Nearly every link is one of these; to resolve it takes a call for each folder of its path.
      const blob = etag === undefined ? undefined : blobs && blobNamed(etag, blobs);
      if (blob !== undefined) return blob;
      const { real, stats } = followLinks(at);
      if (stats.isDirectory()) note('linked-folder', at, link);
      else if (!stats.isFile()) note('not-a-file', at);
      else {
        const isInside = inCache.some((each) => real.startsWith(`${each.real}/`));
        if (isInPlace && !isInside) note('outside', at, real);
        return contentOf(real, stats, etag ?? blobNameOf(link, folder, blobs));
      }
      return undefined;
    }

    function walk(folder: Folder, prefix: string, toBlobs: string): void {
      for (const entry of listFolder(folder.at, note) ?? []) {
        const name = prefix + entry.name;
        const at = `${folder.at}/${entry.name}`;
        const real = `${folder.real}/${entry.name}`;
        const isLink = entry.isSymbolicLink();
        const unsafe = unsafeReason(name);
        if (unsafe !== undefined) note('unsafe-name', at, unsafe);
        else if (entry.isDirectory()) walk({ at, real }, `${name}/`, `../${toBlobs}`);
        else if (!entry.isFile() && !isLink) note('not-a-file', at);
        else {
          const content = attempt(note, at, isLink, () =>
            isLink ? readLink(at, folder, toBlobs) : contentOf(real, lstatSync(at), undefined),
          );
          if (content !== undefined) files.push({ path: name, ...content });
        }
      }
    }

    walk(snapshot, '', '../../blobs/');
    return { files: files.toSorted((a, b) => byCodeUnit(a.path, b.path)), isWhole };
  };
}

const contentOf = (file: string, stats: Stats, etag: string | undefined): Content => ({
  file,
  size: stats.size,
  modified: stats.mtimeMs,
  etag,
});

/**
 * Name of the blob that a link leads to; `undefined` when it leads elsewhere.
 *
 * @param folder the folder of the link
 * @throws the system's error
 */
function blobNameOf(link: string, folder: Folder, blobs: Folder | undefined): string | undefined {
  const target = path.isAbsolute(link) ? link : `${folder.real}/${link}`;
  // The system resolves `x/..`, since `x` may be a link to a folder elsewhere.
  const parent = realpathSync.native(path.dirname(target));
  return parent === blobs?.real ? path.basename(target) : undefined;
}
