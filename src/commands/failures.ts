import { HugError } from '../errors.ts';

/**
 * Throws the first failure, with the others as its details; equal ones are named once.
 *
 * @param failures what was thrown; anything but a `HugError` is a defect and comes first
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
