const GAP = '  ';
/** Fewer columns of a cell say nothing. */
const MIN_WIDTH = 8;
/** Text whose width is its length: printable ASCII. */
const PLAIN = /^[ -~]*$/u;

/**
 * Lines of columns that are as wide as their widest cell, two spaces apart. Where they are wider
 * than the terminal, the widest column is shortened. The libraries that know how wide a character
 * is, and where one ends, are loaded for text that needs them: they prepare for every script there
 * is, which takes longer than to read a lock.
 *
 * @param right numbers of the columns that are aligned to the right
 * @param columns width of the terminal; as wide as it has to be when there is none
 */
export async function table(
  rows: readonly (readonly string[])[],
  right: readonly number[],
  columns = Infinity,
): Promise<string[]> {
  const isPlain = PLAIN.test(rows.flat().join(''));
  const widthOf = isPlain ? (text: string) => text.length : (await import('string-width')).default;
  const natural = rows.reduce<number[]>(
    (widest, row) => row.map((cell, at) => Math.max(widthOf(cell), widest[at] ?? 0)),
    [],
  );
  const widths = fitted(natural, columns);
  const shortened = widths === natural ? String : await shortener();
  return rows.map((row) =>
    row
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        const shown = shortened(cell, width);
        const padding = ' '.repeat(width - widthOf(shown));
        return right.includes(at) ? padding + shown : shown + padding;
      })
      .join(GAP)
      .trimEnd(),
  );
}

/** Makes what leaves out the middle of a text. */
async function shortener(): Promise<(text: string, width: number) => string> {
  const { default: truncate } = await import('cli-truncate');
  return (text, width) => truncate(text, width, { position: 'middle' });
}

function fitted(widths: readonly number[], columns: number): readonly number[] {
  const total = widths.reduce((sum, width) => sum + width, (widths.length - 1) * GAP.length);
  const widest = Math.max(...widths);
  const at = widths.indexOf(widest);
  return total <= columns
    ? widths
    : widths.with(at, Math.min(widest, Math.max(MIN_WIDTH, widest - (total - columns))));
}
