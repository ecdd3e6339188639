/**
 * Lines of columns that are as wide as their widest cell, two spaces apart.
 *
 * @param right numbers of the columns that are aligned to the right
 */
export function table(rows: readonly (readonly string[])[], right: readonly number[]): string[] {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, column) => Math.max(cell.length, widest[column] ?? 0)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
