import prettyBytes from 'pretty-bytes';
import type { EntryChange, Pin } from '../lock/diff.ts';
import type { Reason } from '../resolve/drift.ts';
import { count } from './count.ts';

/** What `lock` has to tell. */
export interface LockReport {
  /** Name of the lock as the user knows it. */
  readonly file: string;
  readonly entries: readonly EntryChange[];
  /** Number of entries in the manifest. */
  readonly total: number;
  /** `planned` is the outcome of a dry run. */
  readonly outcome: 'current' | 'written' | 'planned';
}

/** The text of `lock`: one line for the file, one for each entry that changes. */
export function lockText({ file, entries, total, outcome }: LockReport): string {
  const headline = {
    current: `${file} is up to date, ${count(total, 'entry', 'entries')}`,
    written: `${file} written, ${count(total, 'entry', 'entries')}`,
    planned: `${file} would change, ${count(total, 'entry', 'entries')}`,
  }[outcome];
  return [headline, ...entries.map(changeLine)].join('\n');
}

/** The text of `lock --check`. */
export function checkText(file: string, reasons: readonly Reason[]): string {
  if (reasons.length === 0) return `${file} is up to date`;
  const lines = reasons.map(({ entry, type, reason }) =>
    entry === null ? `  ${reason}` : `  ${type}s.${entry}: ${reason}`,
  );
  return [`${file} is out of date; run nix-hug lock`, ...lines].join('\n');
}

function changeLine(change: EntryChange): string {
  const { type, name, repo, from, to } = change;
  const place = `${type}s.${name}`;
  if (to === null) return `  - ${place}`;
  const files = [
    ...amount('+', change.added),
    ...amount('~', change.modified),
    ...amount('-', change.removed),
  ].join(' ');
  const bytes = prettyBytes(change.downloadBytes);
  const counts = files === '' ? '' : `, files ${files}`;
  return from === null
    ? `  + ${place}  ${repo} ${pinText(to)}${counts}, ${bytes} to fetch`
    : `  ~ ${place}  ${pinText(from)} → ${pinText(to)}${counts}, ${bytes} to fetch`;
}

function pinText({ ref, rev }: Pin): string {
  return ref === rev ? rev.slice(0, 12) : `${ref} (${rev.slice(0, 12)})`;
}

function amount(sign: string, paths: readonly string[]): string[] {
  return paths.length === 0 ? [] : [`${sign}${paths.length}`];
}
