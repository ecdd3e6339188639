import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hideSecrets, MIN_SECRET_LENGTH } from '../src/secrets.ts';

const ONE = 'hf_token.of+(the)[owner]';
const OTHER = 'hf_token.of+(the)[guest]';

describe('secrets', () => {
  it.each([
    ['', ''],
    ['no secret', 'no secret'],
    [`a${ONE}b`, 'a***b'],
    [`${ONE}${OTHER}`, '******'],
    ['is hf_token.of', 'is ***'],
    ['is hf_token.of it', 'is *** it'],
    ['is hf_toke', 'is hf_toke'],
    ['hf_tokenhf_token.of+(the)[gu', '******'],
  ])('%j is shown as %j', (text, shown) => {
    expect(hideSecrets(text, new Set([ONE, OTHER]))).toBe(shown);
    expect(hideSecrets(text, new Set(['', OTHER, ONE]))).toBe(shown);
  });

  it('leave no beginning of 8 characters, wherever the text is cut', () => {
    const text = fc.array(fc.constantFrom(ONE, OTHER, 'hf_', ' ', 'x'), { maxLength: 8 });
    fc.assert(
      fc.property(text, fc.nat(200), (parts, end) => {
        const shown = hideSecrets(parts.join('').slice(0, end), [ONE, OTHER]);
        expect(shown).not.toContain(ONE.slice(0, MIN_SECRET_LENGTH));
      }),
    );
  });
});
