/** Compares by UTF-16 code unit, whatever the locale; for `toSorted`. */
export function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
