import { placeOf } from '../lock/entries.ts';
import { changedPaths, type Kept } from '../resolve/significance.ts';
import type { Output } from './json-schema.ts';
import { pinText } from './lock-changes.ts';
import { code, count } from './text.ts';

/** Names in one line. */
const MAX_NAMED = 5;

/** Why an entry stays at its commit, as a list item of Markdown. */
export function keptLine(kept: Kept): string {
  const files = changedPaths(kept);
  const names = files.slice(0, MAX_NAMED).map(code);
  const rest = files.length - names.length;
  const list = [...names, ...(rest > 0 ? [count(rest, 'more', 'more')] : [])].join(', ');
  const reason = files.length === 0 ? 'no selected file changed' : `only docs changed (${list})`;
  return `- ${code(placeOf(kept))} stays at ${pinText(kept.locked)}: ${reason}`;
}

/** The same for `--json`. */
export function keptRow(kept: Kept): Output<'update'>['kept'][number] {
  const { name, type, locked, newest } = kept;
  const pin = ({ ref, rev }: Kept['locked']) => ({ ref, rev });
  return { name, type, locked: pin(locked), newest: pin(newest), files: changedPaths(kept) };
}
