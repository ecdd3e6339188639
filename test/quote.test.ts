import { describe, expect, it } from 'vitest';
import { quote, forTerminal } from '../src/quote.ts';

describe('text of a user in a message', () => {
  it.each([
    ['plain', '"plain"', 'plain'],
    ['say "x\\y"', '"say \\"x\\\\y\\""', 'say "x\\y"'],
    ['ä 模型 🤗', '"ä 模型 🤗"', 'ä 模型 🤗'],
    ['a\nb', '"a\\nb"', 'a\\u000ab'],
    ['\u001b[31m', '"\\u001b[31m"', '\\u001b[31m'],
    ['\u009b31m', '"\\u009b31m"', '\\u009b31m'],
    ['\u007f', '"\\u007f"', '\\u007f'],
    ['\u202egnp.exe', '"\\u202egnp.exe"', '\\u202egnp.exe'],
    ['a\u200bb\u2028c\ufeff', '"a\\u200bb\\u2028c\\ufeff"', 'a\\u200bb\\u2028c\\ufeff'],
    ['\ud800', '"\\ud800"', '\ufffd'],
  ])('%j is shown with its control characters escaped', (text, inQuotes, bare) => {
    expect(quote(text)).toBe(inQuotes);
    expect(forTerminal(text)).toBe(bare);
  });

  it('is cut after 80 characters', () => {
    expect(quote('x'.repeat(80))).toBe(`"${'x'.repeat(80)}"`);
    expect(quote('x'.repeat(81))).toBe(`"${'x'.repeat(80)}…"`);
    expect(forTerminal('x'.repeat(81))).toBe(`${'x'.repeat(80)}…`);
  });
});
