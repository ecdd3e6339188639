/** A number with its noun. */
export function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** As many digits of a commit as tell it from others at a glance. */
export const shortRev = (rev: string): string => rev.slice(0, 12);
