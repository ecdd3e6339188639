import { isMap, isScalar, type Node, type Pair } from 'yaml';
import { composeYaml, offsetsOf, positionsIn } from './source.ts';

/** A valid manifest by its lines, so that a change leaves every other byte as it is. */
export interface Layout {
  readonly text: string;
  /** Lines with their ends of line, counted from 0. */
  readonly lines: readonly string[];
  /** The first line after the document. */
  readonly end: number;
  /** Top of the syntax tree. */
  readonly root: Node | null;
  /** The line that a pair begins in. */
  readonly lineOf: (pair: Pair) => number;
}

/** Splits a valid manifest into lines, and parses it. */
export function layoutOf(text: string): Layout {
  const position = positionsIn(text);
  const lines = text.split(/(?<=\n)/u);
  const end = lines.findIndex((line) => /^\.\.\.(?:\s|$)/u.test(line));
  return {
    text,
    lines,
    end: end === -1 ? lines.length : end,
    root: composeYaml(text).contents,
    lineOf: ({ key }) => position(offsetsOf(key).start).line - 1,
  };
}

/** The pairs of a map; none when it is something else. */
export const pairsOf = (node: unknown): readonly Pair[] => (isMap(node) ? node.items : []);

/** Columns from names to those a level deeper, as the last block map among the pairs shows it. */
export function columnsBelow(layout: Layout, pairs: readonly Pair[]): number | undefined {
  const columns = pairs.flatMap((pair) => {
    const [first] = isMap(pair.value) && pair.value.flow !== true ? pair.value.items : [];
    return first === undefined ? [] : columnOf(layout, first) - columnOf(layout, pair);
  });
  return columns.findLast((count) => count > 0);
}

/**
 * Adds entries below the last one of a section and the comments that are indented like entries. If
 * blank lines separate all entries, they separate the new ones too.
 *
 * @param added lines of each entry, without indentation
 * @param step columns from the section's name to its entries, for a section without entries
 * @returns the new text; the same text when the section's value is no block map
 */
export function addToBlock(
  layout: Layout,
  section: Pair,
  added: readonly (readonly string[])[],
  step: number,
): string {
  if (!isMap(section.value) && !isUnwritten(section.value)) return layout.text;
  const entries = pairsOf(section.value);
  const [first] = entries;
  const column = first === undefined ? columnOf(layout, section) + step : columnOf(layout, first);
  // In a section without entries any comment below its name is about them.
  const least = first === undefined ? columnOf(layout, section) + 1 : column;
  const gap = isSpaced(layout, section) ? [''] : [];
  const lines = added.flatMap((entry) => [...gap, ...indentBy(entry, column)]);
  return withLines(layout, lastLine(layout, limitOf(layout, section), least), lines);
}

/** Adds a section at the end of the document; the text stays the same when its top is no block map. */
export function addSection(
  layout: Layout,
  name: string,
  added: readonly (readonly string[])[],
  step: number,
): string {
  const { root } = layout;
  if (!isUnwritten(root) && (!isMap(root) || root.flow === true)) return layout.text;
  const [top] = pairsOf(root);
  const column = top === undefined ? 0 : columnOf(layout, top);
  const last = lastWritten(layout, layout.end);
  const section = indentBy([`${name}:`, ...indentBy(added.flat(), step)], column);
  return withLines(layout, last, last === -1 ? section : ['', ...section]);
}

/**
 * Removes the lines of an entry, with comments that are indented deeper than its name. Comments above
 * it stay, since they may be about more than this entry. Of blank lines above and below, one goes.
 */
export function removeFromBlock(layout: Layout, section: Pair, index: number): string {
  const entries = pairsOf(section.value);
  const [entry, next] = entries.slice(index);
  if (entry === undefined) return layout.text;
  const first = layout.lineOf(entry);
  const last = lastLineOf(layout, section, index);
  const isBlank = (line: number) => indentOf(layout, line) === -1;
  if (entries.length === 1 && looksMade(layout, section, first, last)) {
    return withoutLines(layout, Math.max(layout.lineOf(section) - 1, 0), last);
  }
  const blankBelow = next === undefined || isBlank(last + 1);
  if (first > 0 && isBlank(first - 1) && blankBelow) return withoutLines(layout, first - 1, last);
  const isAbove = index === 0 && next !== undefined && blankBelow;
  return withoutLines(layout, first, isAbove ? last + 1 : last);
}

/** The last line of an entry, and of the comments inside of it. */
function lastLineOf(layout: Layout, section: Pair, index: number): number {
  const [entry, next] = pairsOf(section.value).slice(index);
  const until = next === undefined ? limitOf(layout, section) : layout.lineOf(next);
  return lastLine(layout, until, entry === undefined ? 0 : columnOf(layout, entry) + 1);
}

/**
 * The last line above `until` that is part of a map: one that is neither blank nor a comment, or one
 * of the comments directly below it that are indented by `column` columns or more.
 */
function lastLine(layout: Layout, until: number, column: number): number {
  let last = lastWritten(layout, until);
  while (/^\s*#/u.test(layout.lines[last] ?? '')) last = lastWritten(layout, last);
  for (let line = last + 1; line < until; line += 1) {
    const indent = indentOf(layout, line);
    if (indent >= column) last = line;
    else if (indent !== -1) break;
  }
  return last;
}

/** Whether a section has several entries, and blank lines between all of them. */
function isSpaced(layout: Layout, section: Pair): boolean {
  const entries = pairsOf(section.value);
  return (
    entries.length > 1 &&
    entries.slice(1).every((entry, index) => {
      const gap = layout.lines.slice(lastLineOf(layout, section, index), layout.lineOf(entry));
      return gap.some((line) => line.trim() === '');
    })
  );
}

/** Whether a section is like those of `addSection`, with nothing but the lines `first` to `last`. */
function looksMade(layout: Layout, section: Pair, first: number, last: number): boolean {
  const header = layout.lineOf(section);
  return (
    /^\s*[a-z]+:\s*$/u.test(layout.lines[header] ?? '') &&
    (header === 0 || indentOf(layout, header - 1) === -1) &&
    lastWritten(layout, first) === header &&
    lastWritten(layout, layout.end) === last
  );
}

/** The line of the next section or entry behind a pair, or the end of the document. */
function limitOf(layout: Layout, pair: Pair): number {
  const { end } = offsetsOf(pair.value ?? pair.key);
  const next = pairsOf(layout.root)
    .flatMap((section) => [section, ...pairsOf(section.value)])
    .find(({ key }) => offsetsOf(key).start >= end);
  return next === undefined ? layout.end : layout.lineOf(next);
}

/** The last line above another that is not blank; -1 if there is none. */
function lastWritten(layout: Layout, before: number): number {
  let line = before - 1;
  while (line >= 0 && indentOf(layout, line) === -1) line -= 1;
  return line;
}

/** Columns before the first character of a line; -1 when it is blank. */
const indentOf = ({ lines }: Layout, line: number): number => (lines[line] ?? '').search(/\S/u);

const columnOf = (layout: Layout, pair: Pair): number => indentOf(layout, layout.lineOf(pair));

const indentBy = (lines: readonly string[], columns: number): string[] =>
  lines.map((line) => ' '.repeat(columns) + line);

/** Whether there is no value, not even a written null. */
function isUnwritten(node: unknown): boolean {
  return node === null || (isScalar(node) && node.source === '');
}

/** The text with more lines after a line; -1 puts them first. */
function withLines({ text, lines }: Layout, after: number, added: readonly string[]): string {
  const before = lines.slice(0, after + 1).join('');
  const [end] = /\r?\n$/u.exec(before) ?? /\r?\n/u.exec(text) ?? ['\n'];
  const isOpen = before !== '' && !before.endsWith('\n');
  const more = added.map((line) => (isOpen ? end + line : line + end));
  return before + more.join('') + text.slice(before.length);
}

/** The text without the lines `from` to `to`. A text without a final newline stays one. */
function withoutLines({ text, lines }: Layout, from: number, to: number): string {
  const before = lines.slice(0, from).join('');
  const after = lines.slice(to + 1).join('');
  const isOpen = after === '' && !text.endsWith('\n');
  return (isOpen ? before.replace(/\r?\n$/u, '') : before) + after;
}
