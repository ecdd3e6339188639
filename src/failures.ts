import { HugError, systemCodeOf } from './errors.ts';

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

/** An error with the title of what it is about; a defect as it is. */
export const within = (thrown: unknown, title: string): unknown =>
  thrown instanceof HugError ? thrown.within(title) : thrown;

/**
 * The results by item.
 *
 * @param results in the order of the items
 * @param titleOf what messages call an item
 * @throws HugError the failures of all items in one error, each with the title of its item
 */
export function requireAll<Item, T>(
  items: readonly Item[],
  results: readonly PromiseSettledResult<T>[],
  titleOf: (item: Item) => string,
): Map<Item, T> {
  const succeeded = new Map<Item, T>();
  const failures: unknown[] = [];
  for (const [index, item] of items.entries()) {
    const result = results[index];
    if (result?.status === 'fulfilled') succeeded.set(item, result.value);
    else failures.push(within(result?.reason, titleOf(item)));
  }
  throwFailures(failures);
  return succeeded;
}

/** Whether the work succeeded; `false` for these error codes of the system, others are thrown. */
export async function succeedsUnless(
  codes: readonly string[],
  work: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (codes.includes(systemCodeOf(error) ?? '')) return false;
    throw error;
  }
}
