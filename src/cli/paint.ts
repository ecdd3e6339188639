import { styleText } from 'node:util';

/** Colours a text. */
export type Paint = (style: 'dim' | 'green' | 'red' | 'yellow', text: string) => string;

/**
 * Makes what colours text.
 *
 * @param color whether to; nothing else is asked, while `styleText` by itself looks at stdout, which
 *   need not be where the text goes
 */
export const createPaint =
  (color: boolean): Paint =>
  (style, text) =>
    color ? styleText(style, text, { validateStream: false }) : text;
