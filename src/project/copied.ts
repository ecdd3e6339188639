import prettyBytes from 'pretty-bytes';
import type { Blob, RepoFile } from '../copy/blob.ts';
import type { Source } from '../copy/sources.ts';
import { count } from '../output/text.ts';
import type { ChosenSnapshot } from './chosen.ts';

// What commands say of what they copied.

/** `2 entries and 1 needed repository` */
export function entriesText(snapshots: readonly ChosenSnapshot[]): string {
  const needed = snapshots.filter(({ isOnlyNeeded }) => isOnlyNeeded).length;
  const entries = count(snapshots.length - needed, 'entry', 'entries');
  if (needed === 0) return entries;
  return `${entries} and ${count(needed, 'needed repository', 'needed repositories')}`;
}

/** `3 files (9 MB)` */
export function amount(blobs: readonly Blob[]): string {
  const bytes = blobs.reduce((sum, { size }) => sum + size, 0);
  return `${count(blobs.length, 'file', 'files')} (${prettyBytes(bytes)})`;
}

const SOURCES = {
  hub: 'the Hub',
  cache: 'the Hugging Face cache',
  store: 'the Nix store',
} as const satisfies Record<Source, string>;

/** `3 files (9 MB) from the Hub, 1 file (2 kB) from the Hugging Face cache` */
export function amountBySource(
  blobs: readonly Blob[],
  sources: ReadonlyMap<RepoFile, Source>,
): string {
  const sourceOf = ({ places: [{ file }] }: Blob) => sources.get(file);
  return (['hub', 'cache', 'store'] as const)
    .flatMap((source) => {
      const some = blobs.filter((blob) => sourceOf(blob) === source);
      return some.length === 0 ? [] : [`${amount(some)} from ${SOURCES[source]}`];
    })
    .join(', ');
}
