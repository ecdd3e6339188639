import prettyBytes from 'pretty-bytes';
import { type ComparedEntry, differs } from '../lock/compare.ts';
import { lockedIn, placeOf, namedEntries } from '../lock/entries.ts';
import type { Lock } from '../lock/schema.ts';
import { changeDetails } from './change-details.ts';
import { amountText, changeLine, fileAmounts, pinText } from './lock-changes.ts';
import { code, count } from './text.ts';

/** Two locks and what differs between them. */
export interface LockDiff {
  readonly from: { readonly name: string; readonly lock: Lock };
  readonly to: { readonly name: string; readonly lock: Lock };
  readonly entries: readonly ComparedEntry[];
}

/** The text of `diff`: one line for all, one for each entry that differs, and its files. */
export function diffText(diff: LockDiff): string {
  const { from, to, entries } = diff;
  return [
    headline(diff),
    ...entries.flatMap((entry) => [
      changeLine(entry),
      ...identityLines(entry),
      ...changeDetails(entry, lockedIn(from.lock, entry), lockedIn(to.lock, entry)),
    ]),
  ].join('\n');
}

/** Rows that fit the text of a pull request, which GitHub limits to 65,536 characters. */
const MAX_ROWS = 150;

const HEAD = ['Entry', 'Commit', 'Files', 'Classes', 'Licence', 'To fetch'];

/** The same as a table of Markdown. All that strangers have named stands in it as code. */
export function diffMarkdown(diff: LockDiff): string {
  const { entries } = diff;
  if (entries.length === 0) return headline(diff);
  const row = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  const rest = entries.length - MAX_ROWS;
  return [
    headline(diff),
    '',
    row(HEAD),
    row(HEAD.map(() => '---')),
    ...entries.slice(0, MAX_ROWS).map((entry) => row(cellsOf(entry))),
    ...(rest > 0 ? ['', `and ${count(rest, 'more entry', 'more entries')}`] : []),
  ].join('\n');
}

function headline({ from, to, entries }: LockDiff): string {
  const names = `${code(from.name)} → ${code(to.name)}`;
  const endpoints = [from, to].map(({ lock: { endpoint } }) => endpoint);
  const hub =
    endpoints[0] === endpoints[1]
      ? ''
      : `; endpoint ${endpoints.map((one) => (one === undefined ? 'the Hub' : code(one))).join(' → ')}`;
  if (entries.length === 0) return `${names}: no entry differs${hub}`;
  return `${names}: ${amountText(entries, namedEntries(to.lock).length)}${hub}`;
}

/** Lines for what matters beside the files: whose they are, and under which licence. */
function identityLines(entry: ComparedEntry): string[] {
  if (entry.from === null || entry.to === null) return [];
  const lines = [
    repositoryText(entry),
    differs(entry.license) ? `licence ${licenceText(entry)}` : '',
  ]
    .filter((line) => line !== '')
    .map((line) => `  - ${line}`);
  const fields = entry.fields.map((field) => `\`${field}\``).join(', ');
  return fields === '' ? lines : [...lines, `  - changed in the lock: ${fields}`];
}

/** The repository, where it is another one; else empty. */
function repositoryText({ repo, repoBefore, repoId }: ComparedEntry): string {
  const ids = differs(repoId) ? `id ${repoId.from} → ${repoId.to}` : '';
  if (repoBefore !== null) {
    const names = `repository ${code(repoBefore)} → ${code(repo)}`;
    return ids === '' ? names : `${names}, ${ids}`;
  }
  return ids === '' ? '' : `another repository has the name ${code(repo)}, ${ids}`;
}

function licenceText({ license }: ComparedEntry): string {
  const [from, to] = [license.from, license.to].map((ids) =>
    ids === null ? '' : ids.length === 0 ? 'none' : ids.map(code).join(', '),
  );
  if (!differs(license)) return to === '' ? (from ?? '') : (to ?? '');
  return `${from} → ${to}`;
}

function cellsOf(entry: ComparedEntry): string[] {
  const { from, to, repo } = entry;
  const isSame = from?.rev === to?.rev && from?.ref === to?.ref;
  const pins = [from, isSame ? null : to].flatMap((pin) => (pin === null ? [] : [pinText(pin)]));
  const kind = from === null ? 'added: ' : to === null ? 'removed: ' : '';
  const whose = from === null ? `repository ${code(repo)}` : repositoryText(entry);
  return [
    code(placeOf(entry)),
    [kind + pins.join(' → '), whose].filter((text) => text !== '').join(', '),
    fileAmounts(entry) || 'none',
    // New code is what a reviewer must not miss.
    entry.classes.map((one) => (one === 'code' ? '**code**' : one)).join(', '),
    licenceText(entry),
    to === null ? '' : prettyBytes(entry.downloadBytes),
  ];
}
