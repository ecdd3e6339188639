import prettyBytes from 'pretty-bytes';
import type { EntryChange } from '../lock/diff.ts';
import type { LockedEntry } from '../lock/schema.ts';
import { code, type Style, styled } from './text.ts';

/** Lines for files that fit a screen; the JSON has all files. */
const MAX_FILES = 20;

/**
 * The changed files of an entry that moved, one line each, with sizes.
 *
 * @param before the entry in the old lock; a new entry has no lines
 */
export function changeDetails(
  change: Pick<EntryChange, 'added' | 'removed' | 'modified' | 'onlyReadme'>,
  before: LockedEntry | undefined,
  after: LockedEntry | undefined,
): string[] {
  if (before === undefined || after === undefined) return [];
  if (change.onlyReadme) return ['  - only `README.md` changed'];
  const size = (entry: LockedEntry, path: string) => prettyBytes(entry.files.get(path)?.size ?? 0);
  const line = (style: Style, path: string, what: string) =>
    `  - ${styled(style, code(path))} ${what}`;
  const lines = [
    ...change.added.map((path) => line('green', path, `added, ${size(after, path)}`)),
    ...change.modified.map((path) =>
      line('yellow', path, `changed, ${size(before, path)} → ${size(after, path)}`),
    ),
    ...change.removed.map((path) => line('red', path, `removed, ${size(before, path)}`)),
  ];
  if (lines.length === 0) return ['  - no selected file changed'];
  const rest = lines.length - MAX_FILES;
  return rest <= 0 ? lines : [...lines.slice(0, MAX_FILES), `  - and ${rest} more`];
}
