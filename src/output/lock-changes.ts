import prettyBytes from 'pretty-bytes';
import type { EntryChange, Pin } from '../lock/diff.ts';
import { isNeededKey, placeOf } from '../lock/entries.ts';
import { escapeControls } from '../quote.ts';
import type { Reason } from '../resolve/drift.ts';
import { code, count, shortRev, styled } from './text.ts';

/** What an entry is pinned to, and perhaps when that was made, ISO 8601. */
interface DatedPin extends Pin {
  readonly date?: string | null;
}

/** What `lock` and `update` have to tell. */
export interface LockReport {
  /** Name of the lock as the user knows it. */
  readonly file: string;
  readonly entries: readonly EntryChange<DatedPin>[];
  /** Version of the lock before, where it was an older one. */
  readonly upgradedFrom?: number;
  /** Number of entries in the manifest. */
  readonly total: number;
  /** `planned` is the outcome of a dry run. */
  readonly outcome: 'current' | 'written' | 'planned';
  /** Further lines for an entry that changes. */
  readonly details?: (change: EntryChange<DatedPin>) => readonly string[];
}

/** What the user can do after `lock`, `add` and `update`. */
export const nextAfter = (outcome: LockReport['outcome']): string | undefined =>
  outcome === 'written'
    ? 'nix-hug fetch (into the Nix store), or nix-hug export (into the Hugging Face cache)'
    : undefined;

/**
 * The text of `lock`, `add` and `update`: one line for the file, one for each entry that changes. It is
 * a list of Markdown too.
 */
export function lockText(report: LockReport): string {
  const { file, entries, upgradedFrom, total, outcome, details } = report;
  const state = { current: 'is up to date', written: 'written', planned: 'would change' }[outcome];
  const upgrade = upgradedFrom === undefined ? '' : `, upgraded from version ${upgradedFrom}`;
  const headline = `${file} ${state}${upgrade}, ${amountText(entries, total)}`;
  const lines = entries.flatMap((change) => [changeLine(change), ...(details?.(change) ?? [])]);
  return [headline, ...lines].join('\n');
}

/**
 * How many entries change: `1 entry added, 2 changed (5 in all); needed by them: 1 changed`.
 *
 * @param total number of entries in the manifest
 */
export function amountText(entries: readonly EntryChange<DatedPin>[], total: number): string {
  const isNeeded = ({ name }: EntryChange) => isNeededKey(name);
  const changes = amounts('entry', 'entries', kindsOf(entries.filter((one) => !isNeeded(one))));
  const needed = amounts('', '', kindsOf(entries.filter(isNeeded)));
  const amount = changes === '' ? count(total, 'entry', 'entries') : `${changes} (${total} in all)`;
  return needed === '' ? amount : `${amount}; needed by them: ${needed}`;
}

const kindsOf = (entries: readonly EntryChange<DatedPin>[]) => ({
  added: entries.filter(({ from }) => from === null).length,
  changed: entries.filter(({ from, to }) => from !== null && to !== null).length,
  removed: entries.filter(({ to }) => to === null).length,
});

/** The text of `lock --check`. */
export function checkText(file: string, reasons: readonly Reason[]): string {
  if (reasons.length === 0) return `${file} is up to date`;
  const lines = reasons.map(({ entry, type, reason }) => {
    const place = entry === null ? '' : `${type}s.${entry}: `;
    return `  ${place}${escapeControls(reason)}`;
  });
  return [`${file} is out of date; run nix-hug lock`, ...lines].join('\n');
}

/** One line for an entry, as a list item of Markdown. */
export function changeLine(change: EntryChange<DatedPin>): string {
  const { from, to } = change;
  const place = code(placeOf(change));
  if (to === null) return `- ${styled('red', place)} removed`;
  const bytes = `${prettyBytes(change.downloadBytes)} to fetch`;
  if (from === null) {
    const files = count(change.added.length, 'file', 'files');
    const what = `${code(change.repo)} at ${pinText(to)}`;
    return `- ${styled('green', place)} added: ${what}, ${files}, ${bytes}`;
  }
  const files = fileAmounts(change);
  const growth = prettyBytes(change.sizeChange, { signed: true });
  const facts = [
    from.rev === to.rev && from.ref === to.ref ? pinText(to) : `${pinText(from)} → ${pinText(to)}`,
    ...(files === '' ? [] : [`${files} (${change.classes.join(', ')})`]),
    ...(change.sizeChange === 0 ? [] : [`${growth} in all`]),
    bytes,
  ];
  return `- ${styled('yellow', place)}: ${facts.join(', ')}`;
}

/** A commit as people read it: `main` (c170c708c41d, 2026-03-01). */
export function pinText({ ref, rev, date }: DatedPin): string {
  const commit = shortRev(rev);
  const day = date === undefined || date === null ? [] : [date.slice(0, 10)];
  const facts = ref === rev ? day : [commit, ...day];
  const name = code(ref === rev ? commit : ref);
  return facts.length === 0 ? name : `${name} (${facts.join(', ')})`;
}

/** How many files change: `1 file added, 2 changed`; empty when none does. */
export const fileAmounts = (change: EntryChange<DatedPin>): string =>
  amounts('file', 'files', {
    added: change.added.length,
    changed: change.modified.length,
    removed: change.removed.length,
  });

/** `1 file added, 2 changed`, without a noun `1 added, 2 changed`; empty when nothing is. */
const amounts = (one: string, many: string, kinds: Readonly<Record<string, number>>): string =>
  Object.entries(kinds)
    .filter(([, number]) => number > 0)
    .map(
      ([kind, number], index) =>
        `${index === 0 && one !== '' ? count(number, one, many) : number} ${kind}`,
    )
    .join(', ');
