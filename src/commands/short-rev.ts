/** As many digits of a commit as tell it from others at a glance. */
export const shortRev = (rev: string): string => rev.slice(0, 12);
