import { escapeControls } from '../quote.ts';
import { type Style, styled } from './text.ts';

/** Text, perhaps in a colour. */
export type Cell = string | { readonly text: string; readonly style: Style };

/** How a table is laid out. Columns are named by their number. */
export interface TableLayout {
  /** Columns that are aligned to the right. */
  readonly right?: readonly number[];
  /** Columns whose text may lose its middle in a narrow terminal. Names and repository ids may not. */
  readonly shrink?: readonly number[];
  /** Width of the terminal in characters; `undefined` where there is none. */
  readonly columns?: number | undefined;
}

const GAP = '  ';
/** Before the columns that a narrow terminal has on a second line. */
const INDENT = '    ';
/** Fewer characters of a text say nothing. */
const MIN_WIDTH = 8;
/** Text whose width is its length: printable ASCII. */
const PLAIN = /^[ -~]*$/u;

/**
 * Lines of columns that are as wide as their widest cell, two spaces apart. Where they are wider than
 * the terminal, the columns that may shrink do; where that is not enough, each row continues on a second
 * line. Control and formatting characters are escaped.
 */
export async function table(
  rows: readonly (readonly Cell[])[],
  { right = [], shrink = [], columns = Infinity }: TableLayout,
): Promise<string[]> {
  const texts = rows.map((row) =>
    row.map((cell) => escapeControls(typeof cell === 'string' ? cell : cell.text)),
  );
  const widthOf = await widthOfAny(texts);
  const natural = texts.reduce<number[]>(
    (widest, row) => row.map((text, at) => Math.max(widthOf(text), widest[at] ?? 0)),
    [],
  );
  const widths = fitted(natural, shrink, columns);
  const { default: truncate } =
    widths === natural ? { default: (text: string) => text } : await import('cli-truncate');
  const breakAt = firstTooFar(widths, columns);

  return rows.flatMap((row, index) => {
    const cells = row.map((cell, at) => {
      const width = widths[at] ?? 0;
      const text = truncate(texts[index]?.[at] ?? '', width, { position: 'middle' });
      const padding = ' '.repeat(Math.max(0, width - widthOf(text)));
      const shown = typeof cell === 'string' ? text : styled(cell.style, text);
      return right.includes(at) ? padding + shown : shown + padding;
    });
    const first = cells.slice(0, breakAt).join(GAP).trimEnd();
    const second = cells.slice(breakAt).join(GAP).trimEnd();
    if (second === '') return [first];
    return first === '' ? [INDENT + second] : [first, INDENT + second];
  });
}

/**
 * The function that measures these texts. The library that knows all scripts takes longer to load than
 * a lock to read, so it is loaded for text that needs it.
 */
async function widthOfAny(texts: readonly string[][]): Promise<(text: string) => number> {
  return PLAIN.test(texts.flat().join(''))
    ? (text) => text.length
    : (await import('string-width')).default;
}

const totalOf = (widths: readonly number[]): number =>
  widths.reduce((sum, width) => sum + width, (widths.length - 1) * GAP.length);

/** @returns the same widths when nothing has to shrink, or nothing can */
function fitted(
  natural: readonly number[],
  shrink: readonly number[],
  columns: number,
): readonly number[] {
  const widestFirst = shrink.toSorted((a, b) => (natural[b] ?? 0) - (natural[a] ?? 0));
  return widestFirst.reduce((widths, at) => {
    const width = widths[at] ?? 0;
    const excess = totalOf(widths) - columns;
    const least = Math.min(width, Math.max(MIN_WIDTH, width - excess));
    return excess > 0 && least < width ? widths.with(at, least) : widths;
  }, natural);
}

/** The first column that the terminal has no room for; never the first of all. */
function firstTooFar(widths: readonly number[], columns: number): number {
  const at = widths.findIndex((_, index) => totalOf(widths.slice(0, index + 1)) > columns);
  return at === -1 ? widths.length : Math.max(1, at);
}
