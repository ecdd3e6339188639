import { HugError } from './errors.ts';

/**
 * Throws the first failure, with the others as its details, each once; nothing when there are none.
 *
 * @param failures what was thrown; anything but a `HugError` is a defect and thrown as it is
 * @param notes further details, only with a failure
 */
export function throwFailures(failures: readonly unknown[], notes: readonly string[] = []): void {
  const errors = new Map<string, HugError>();
  for (const failure of failures) {
    if (!(failure instanceof HugError)) throw failure;
    if (!errors.has(failure.message)) errors.set(failure.message, failure);
  }
  const [first, ...others] = errors.values();
  if (first === undefined) return;
  throw first.with(others, notes);
}

/**
 * The results of those that succeeded, by item.
 *
 * @param results in the order of the items
 */
export function succeeded<Item, T>(
  items: readonly Item[],
  results: readonly PromiseSettledResult<T>[],
): Map<Item, T> {
  return new Map(
    items.flatMap((item, index) => {
      const result = results[index];
      return result?.status === 'fulfilled' ? [[item, result.value] as const] : [];
    }),
  );
}

/**
 * Throws the failures of all items in one error, each with the title of its item.
 *
 * @param results in the order of the items
 * @param titleOf what messages call an item
 */
export function throwRejected<Item>(
  items: readonly Item[],
  results: readonly PromiseSettledResult<unknown>[],
  titleOf: (item: Item) => string,
): void {
  const failures = items.flatMap((item, index): unknown[] => {
    const result = results[index];
    if (result?.status !== 'rejected') return [];
    const { reason } = result;
    return [reason instanceof HugError ? reason.within(titleOf(item)) : reason];
  });
  throwFailures(failures);
}
