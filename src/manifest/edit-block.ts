import type { Pair } from 'yaml';
import type { Lines } from './edit-lines.ts';
import { endOf, startOf } from './edit-span.ts';

/** The entries of a section in block style, and the lines that belong to it. */
export interface Block {
  readonly entries: readonly Pair[];
  /** Line of the section's name. */
  readonly header: number;
  /** First line after the section: that of the next key, or the end of the document. */
  readonly limit: number;
}

/**
 * Adds an entry behind the last one and the comments below it that are indented like entries. If
 * all entries have blank lines between them, so has the new one.
 *
 * @param lines the text
 * @param added lines of the entry, from the first column on
 * @param column of a section's entries where there is none yet
 * @returns the new text
 */
export function addToBlock(
  lines: Lines,
  block: Block,
  added: readonly string[],
  column: number,
): string {
  const { entries, header, limit } = block;
  const first = entries[0];
  const own = first === undefined ? column : lines.column(startOf(first));
  const last = entries.length === 0 ? header : lastLine(lines, entries.length - 1, block);
  // In a section without entries any comment below its name is about them.
  const least = first === undefined ? lines.column(lines.start(header)) + 1 : own;
  const after = lastComment(lines, last, limit, least);
  const indented = added.map((line) => ' '.repeat(own) + line);
  return lines.withAfter(after, isSpaced(lines, block) ? ['', ...indented] : indented);
}

/**
 * Takes an entry out with the comments inside of it, which are on its lines or indented deeper than
 * its name. Comments above it stay, since they may be about more than this entry. Of blank lines on
 * both sides one goes.
 *
 * @param lines the text
 * @returns the new text
 */
export function removeFromBlock(lines: Lines, block: Block, index: number): string {
  const { entries, limit } = block;
  const first = lines.at(startOf(entries[index]));
  const last = lastLine(lines, index, block);
  const isLast = index === entries.length - 1;
  const blankBelow = isLast || (last + 1 < limit && lines.isBlank(last + 1));
  if (lines.isBlank(first - 1) && blankBelow) return lines.without(first - 1, last);
  return lines.without(first, index === 0 && !isLast && blankBelow ? last + 1 : last);
}

/** The last line of an entry, and of the comments inside of it. */
function lastLine(lines: Lines, index: number, { entries, limit }: Block): number {
  const [entry, next] = entries.slice(index);
  const end = lines.at(endOf(entry, lines.text) - 1);
  const until = next === undefined ? limit : lines.at(startOf(next));
  return lastComment(lines, end, until, lines.column(startOf(entry)) + 1);
}

/** The last line of a comment that begins in a column or right of it; `line` if there is none. */
function lastComment(lines: Lines, line: number, limit: number, column: number): number {
  let last = line;
  for (let at = line + 1; at < limit; at += 1) if (lines.commentColumn(at) >= column) last = at;
  return last;
}

/** Whether there are blank lines between all entries, of which there are several. */
function isSpaced(lines: Lines, block: Block): boolean {
  const { entries } = block;
  return (
    entries.length > 1 &&
    entries.slice(1).every((entry, index) => {
      const above = lastLine(lines, index, block);
      const gap = lines.at(startOf(entry)) - above - 1;
      return Array.from({ length: gap }, (_, offset) => above + 1 + offset).some((line) =>
        lines.isBlank(line),
      );
    })
  );
}
