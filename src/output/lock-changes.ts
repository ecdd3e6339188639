import prettyBytes from 'pretty-bytes';
import type { EntryChange, Pin } from '../lock/diff.ts';
import { escapeControls } from '../quote.ts';
import type { Reason } from '../resolve/drift.ts';
import { count, shortRev, type Style, styled } from './text.ts';

/** What an entry is pinned to, and perhaps when that was made, ISO 8601. */
interface DatedPin extends Pin {
  readonly date?: string | null;
}

/** What `lock` and `update` have to tell. */
export interface LockReport {
  /** Name of the lock as the user knows it. */
  readonly file: string;
  readonly entries: readonly EntryChange<DatedPin>[];
  /** Number of entries in the manifest. */
  readonly total: number;
  /** `planned` is the outcome of a dry run. */
  readonly outcome: 'current' | 'written' | 'planned';
  /** Further lines for an entry that changes. */
  readonly details?: (change: EntryChange<DatedPin>) => readonly string[];
}

/** The text of `lock` and `update`: one line for the file, one for each entry that changes. */
export function lockText({ file, entries, total, outcome, details }: LockReport): string {
  const state = { current: 'is up to date', written: 'written', planned: 'would change' }[outcome];
  const headline = `${file} ${state}, ${count(total, 'entry', 'entries')}`;
  const lines = entries.flatMap((change) => [changeLine(change), ...(details?.(change) ?? [])]);
  return [headline, ...lines].join('\n');
}

/** The text of `lock --check`. */
export function checkText(file: string, reasons: readonly Reason[]): string {
  if (reasons.length === 0) return `${file} is up to date`;
  const lines = reasons.map(({ entry, type, reason }) => {
    const place = entry === null ? '' : `${type}s.${entry}: `;
    return `  ${place}${escapeControls(reason)}`;
  });
  return [`${file} is out of date; run nix-hug lock`, ...lines].join('\n');
}

function changeLine(change: EntryChange<DatedPin>): string {
  const { type, name, repo, from, to } = change;
  const place = `${type}s.${name}`;
  if (to === null) return `  ${styled('red', `- ${place}`)}`;
  const files = [
    ...amount('+', 'green', change.added),
    ...amount('~', 'yellow', change.modified),
    ...amount('-', 'red', change.removed),
  ].join(' ');
  const growth = prettyBytes(change.sizeChange, { signed: true });
  const grown = change.sizeChange === 0 ? '' : `, ${growth} in all`;
  const bytes = prettyBytes(change.downloadBytes);
  const counts = files === '' ? '' : `, files ${files}`;
  return from === null
    ? `  ${styled('green', `+ ${place}`)}  ${repo} ${pinText(to)}${counts}, ${bytes} to fetch`
    : `  ${styled('yellow', `~ ${place}`)}  ${pinText(from)} → ${pinText(to)}${counts}${grown}, ${bytes} to fetch`;
}

/** A commit as people read it: `main (c170c708c41d, 2026-03-01)`. */
function pinText({ ref, rev, date }: DatedPin): string {
  const commit = shortRev(rev);
  const day = date === undefined || date === null ? [] : [date.slice(0, 10)];
  const facts = ref === rev ? day : [commit, ...day];
  const name = ref === rev ? commit : escapeControls(ref);
  return facts.length === 0 ? name : `${name} (${facts.join(', ')})`;
}

function amount(sign: string, style: Style, paths: readonly string[]): string[] {
  return paths.length === 0 ? [] : [styled(style, `${sign}${paths.length}`)];
}
