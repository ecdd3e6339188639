/**
 * Bytes that a transfer has to come on for its next fault to count as the first one. One that gets a
 * few bytes with each try would never end.
 */
export const MIN_PROGRESS = 1024 * 1024;

/**
 * Makes the judge of a transfer's progress. What is brought once more counts only beyond the place
 * that was reached before.
 *
 * @param start where it begins, in bytes
 * @returns for the place that is reached now: whether it came on far enough since the last time that
 *   it had
 */
export function createProgress(start: number): (at: number) => boolean {
  let counted = start;
  return (at) => {
    if (at - counted < MIN_PROGRESS) return false;
    counted = at;
    return true;
  };
}
