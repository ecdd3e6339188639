import { styleText } from 'node:util';

/** A colour of the terminal. */
export type Style = 'dim' | 'green' | 'red' | 'yellow';

/**
 * Text in a colour. Results may hold colours everywhere: what prints them removes them where the user
 * wants none.
 */
export const styled = (style: Style, text: string): string =>
  // Without looking at stdout, which need not be where the text goes.
  text === '' ? '' : styleText(style, text, { validateStream: false });

/** A number with its noun. */
export function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** As many digits of a commit as tell it from others at a glance. */
export const shortRev = (rev: string): string => rev.slice(0, 12);
