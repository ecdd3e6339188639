/** As many levels are indented; a lock by hand may have more than any terminal has room for. */
const MAX_LEVELS = 8;

/** What stands before a line of a tree that is below another one. */
export const branch = (level: number): string =>
  level === 0 ? '' : `${'  '.repeat(Math.min(level, MAX_LEVELS) - 1)}└ `;
