import prettyBytes from 'pretty-bytes';
import type { EntryChange } from '../../lock/diff.ts';
import { placeOf } from '../../lock/entries.ts';
import type { LockedEntry } from '../../lock/schema.ts';
import type { ManifestEntry } from '../../manifest/schema.ts';
import { visible } from '../../quote.ts';

/** As many files as fit a screen; the JSON has them all. */
const MOST_FILES = 20;

/**
 * What changed in an entry that moved: one line for each file, with its size.
 *
 * @param before the entry in the old lock; a new entry has no lines
 */
export function moveLines(
  change: EntryChange,
  before: LockedEntry | undefined,
  after: LockedEntry | undefined,
): string[] {
  if (before === undefined || after === undefined) return [];
  if (change.onlyReadme) return ['      only README.md changed'];
  const size = (entry: LockedEntry, path: string) => prettyBytes(entry.files.get(path)?.size ?? 0);
  const lines = [
    ...change.added.map((path) => `      + ${visible(path)}  ${size(after, path)}`),
    ...change.modified.map(
      (path) => `      ~ ${visible(path)}  ${size(before, path)} → ${size(after, path)}`,
    ),
    ...change.removed.map((path) => `      - ${visible(path)}  ${size(before, path)}`),
  ];
  if (lines.length === 0) return ['      no selected file changed'];
  const rest = lines.length - MOST_FILES;
  return rest <= 0 ? lines : [...lines.slice(0, MOST_FILES), `      … and ${rest} more`];
}

/** Names the entries that nothing can move. */
export function pinnedLines(pinned: readonly ManifestEntry[]): string[] {
  if (pinned.length === 0) return [];
  return [`  pinned to a commit, never moved: ${pinned.map(placeOf).join(', ')}`];
}
