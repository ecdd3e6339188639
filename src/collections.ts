/** A list with at least one item. */
export type NonEmpty<T> = readonly [T, ...T[]];

/** Items by their key; keys and items keep their order. */
export function groupBy<Key, T>(
  items: Iterable<T>,
  keyOf: (item: T) => Key,
): ReadonlyMap<Key, NonEmpty<T>> {
  const groups = new Map<Key, [T, ...T[]]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** Compares by UTF-16 code unit, independent of the locale; for `toSorted`. */
export function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
