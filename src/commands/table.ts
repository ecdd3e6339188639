import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';

const GAP = '  ';
/** Fewer columns of a cell say nothing. */
const LEAST_WIDTH = 8;

/**
 * Lines of columns that are as wide as their widest cell, two spaces apart. Where they are wider
 * than the terminal, the widest column is shortened.
 *
 * @param right numbers of the columns that are aligned to the right
 * @param columns width of the terminal; as wide as it has to be when there is none
 */
export function table(
  rows: readonly (readonly string[])[],
  right: readonly number[],
  columns = Infinity,
): string[] {
  const natural = rows.reduce<number[]>(
    (widest, row) => row.map((cell, at) => Math.max(stringWidth(cell), widest[at] ?? 0)),
    [],
  );
  const widths = fitted(natural, columns);
  return rows.map((row) =>
    row
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        const shown = cliTruncate(cell, width, { position: 'middle' });
        const padding = ' '.repeat(width - stringWidth(shown));
        return right.includes(at) ? padding + shown : shown + padding;
      })
      .join(GAP)
      .trimEnd(),
  );
}

function fitted(widths: readonly number[], columns: number): readonly number[] {
  const total = widths.reduce((sum, width) => sum + width, (widths.length - 1) * GAP.length);
  const widest = Math.max(...widths);
  const at = widths.indexOf(widest);
  return total <= columns
    ? widths
    : widths.with(at, Math.min(widest, Math.max(LEAST_WIDTH, widest - (total - columns))));
}
