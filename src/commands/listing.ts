import prettyBytes from 'pretty-bytes';
import { visible } from '../quote.ts';
import type { RepoType } from '../repo.ts';

/** Files of a repository at a commit, as `ls` shows them. */
export interface Listing {
  /** Repository id. */
  readonly repo: string;
  readonly type: RepoType;
  /** Commit, 40 hex digits. */
  readonly rev: string;
  readonly files: readonly ListedFile[];
}

/** One row of a listing. */
interface ListedFile {
  readonly path: string;
  /** Length of the content in bytes. */
  readonly size: number;
  /** Anything but `undefined` marks an LFS file. */
  readonly lfs?: unknown;
}

/** The listing as `--json` prints it. */
export function listingJson({ repo, type, rev, files }: Listing) {
  return {
    repo,
    type,
    rev,
    size: totalSize(files),
    files: files.map(({ path, size, lfs }) => ({ path, size, lfs: lfs !== undefined })),
  };
}

/** The listing as text: path, size and mark of each file, and the total. */
export function listingText({ files }: Listing): string {
  const rows = files.map(({ path, size, lfs }) => ({
    path: visible(path),
    size: prettyBytes(size),
    mark: lfs === undefined ? '' : '  LFS',
  }));
  const pathWidth = Math.max(...rows.map(({ path }) => path.length));
  const sizeWidth = Math.max(...rows.map(({ size }) => size.length));
  const total = `${files.length} ${files.length === 1 ? 'file' : 'files'}, ${prettyBytes(totalSize(files))}`;
  return [
    ...rows.map(
      ({ path, size, mark }) => `${path.padEnd(pathWidth)}  ${size.padStart(sizeWidth)}${mark}`,
    ),
    total,
  ].join('\n');
}

const totalSize = (files: readonly ListedFile[]): number =>
  files.reduce((sum, { size }) => sum + size, 0);
