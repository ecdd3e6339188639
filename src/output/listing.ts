import prettyBytes from 'pretty-bytes';
import type { NamedEntry } from '../lock/entries.ts';
import { escapeControls } from '../quote.ts';
import type { RepoType } from '../repo.ts';
import type { Output } from './json-schema.ts';
import { table } from './table.ts';
import { count } from './text.ts';

/** The files of a repository at a commit, wherever they are known from. */
export interface Listing {
  readonly repo: string;
  readonly type: RepoType;
  readonly rev: string;
  /** Sizes in bytes; any `lfs` but `undefined` marks an LFS file. */
  readonly files: readonly {
    readonly path: string;
    readonly size: number;
    readonly lfs?: unknown;
  }[];
}

/** What the lock says about an entry. */
export function listingOf({ type, entry }: NamedEntry): Listing {
  const files = [...entry.files].map(([path, { size, lfs }]) => ({ path, size, lfs }));
  return { repo: entry.repo, type, rev: entry.rev, files };
}

/** One line for each file, and one for the whole. */
export async function listingText(
  { repo, type, rev, files }: Listing,
  columns?: number,
): Promise<string> {
  const rows = files.map(({ path, size, lfs }) => [
    prettyBytes(size),
    lfs === undefined ? '' : ({ text: 'LFS', style: 'dim' } as const),
    escapeControls(path),
  ]);
  const lines = await table(rows, { right: [0], shrink: [2], columns });
  const total = `${count(files.length, 'file', 'files')}, ${prettyBytes(sizeOf(files))}`;
  return [`${type} ${repo} at ${rev}`, ...lines, total].join('\n');
}

/** The JSON of `ls` for one repository. */
export function listingJson({ repo, type, rev, files }: Listing): Output<'ls'> {
  return {
    repo,
    type,
    rev,
    size: sizeOf(files),
    files: files.map(({ path, size, lfs }) => ({ path, size, lfs: lfs !== undefined })),
  };
}

/** Bytes of all files. */
export const sizeOf = (files: Listing['files']): number =>
  files.reduce((sum, { size }) => sum + size, 0);
