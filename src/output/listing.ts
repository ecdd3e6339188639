import prettyBytes from 'pretty-bytes';
import { type NamedEntry, placeOf } from '../lock/entries.ts';
import { escapeControls } from '../quote.ts';
import type { RepoType } from '../repo.ts';
import type { Output } from './json-schema.ts';
import { table } from './table.ts';
import { count, shortRev } from './text.ts';

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

/** One line for each entry of a lock. */
export async function entriesText(
  entries: readonly NamedEntry[],
  columns?: number,
): Promise<string> {
  const rows = entries.map((named) => {
    const { repo, ref, rev } = named.entry;
    const { files } = listingOf(named);
    return [
      placeOf(named),
      repo,
      ref === rev ? '' : ref,
      { text: shortRev(rev), style: 'dim' } as const,
      count(files.length, 'file', 'files'),
      prettyBytes(sizeOf(files)),
    ];
  });
  if (rows.length === 0) return 'the lock has no entries';
  return (await table(rows, { right: [4, 5], shrink: [2], columns })).join('\n');
}

/** The JSON of `ls` without a name. */
export function entriesJson(entries: readonly NamedEntry[]): Output<'ls-entries'> {
  return {
    entries: entries.map((named) => {
      const { repo, type, rev, files } = listingOf(named);
      const { name, entry } = named;
      return { name, type, repo, ref: entry.ref, rev, size: sizeOf(files), files: files.length };
    }),
  };
}

const sizeOf = (files: Listing['files']): number => files.reduce((sum, { size }) => sum + size, 0);
