import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextPage } from '../../src/hub/tree.ts';

const base = 'http://127.0.0.1:1/api/models/a/b/tree/main?recursive=true';

describe('next page', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['<http://h/x?cursor=a%3D>; rel="next"', 'http://h/x?cursor=a%3D'],
    ['<http://h/x?a=1,2;3>; rel=next', 'http://h/x?a=1,2;3'],
    ['<http://h/first>; rel="first", <http://h/2>; title="a, b"; rel="next"', 'http://h/2'],
    ['<http://h/last>; rel="last"', undefined],
    ['<http://h/x>; rel="nextish"', undefined],
    ['<http://h/x>; rel="prev next"', 'http://h/x'],
    ['</api/x?cursor=2>; rel="next"', 'http://127.0.0.1:1/api/x?cursor=2'],
    ['</api/t>; rel="xet-auth", <https://c/r>; rel="xet-reconstruction-info"', undefined],
  ])('%s', (header, expected) => {
    expect(nextPage(header, base)).toBe(expected);
  });

  it('is read from several headers', () => {
    expect(nextPage(['<http://h/1>; rel="first"', '<http://h/2>; rel="next"'], base)).toBe(
      'http://h/2',
    );
  });

  it.each(['<http://:bad>; rel="next"', `<${'/'.repeat(5000)}>; rel="next"`])(
    'is an error when its address is invalid: %s',
    (header) => {
      const thrown = expect.objectContaining({ code: 'EHUG_PROTOCOL' });
      expect(() => nextPage(header, base)).toThrow(thrown);
    },
  );

  it('is an address or an error, whatever the header holds', () => {
    fc.assert(
      fc.property(fc.string(), (noise) => {
        try {
          const target = nextPage(`<${noise}>; rel="next"`, base);
          expect(target === undefined || URL.canParse(target)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'EHUG_PROTOCOL' });
        }
      }),
    );
  });
});
