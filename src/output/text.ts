import { styleText } from 'node:util';
import { escapeControls } from '../quote.ts';

/** A colour of the terminal. */
export type Style = 'dim' | 'green' | 'red' | 'yellow';

/**
 * Text in a colour. Results may hold colours everywhere: what prints them removes them where the user
 * wants none.
 */
export const styled = (style: Style, text: string): string =>
  // Without looking at stdout, which need not be where the text goes.
  text === '' ? '' : styleText(style, text, { validateStream: false });

/**
 * A name or path as code of Markdown, which is also plain enough for a terminal: what `update` prints is
 * pasted into pull requests. Control characters are escaped.
 */
export function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/gu)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = longest === 0 ? '' : ' ';
  return fence + pad + escapeControls(text) + pad + fence;
}

/** A number with its noun. */
export function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** As many digits of a commit as tell it from others at a glance. */
export const shortRev = (rev: string): string => rev.slice(0, 12);
