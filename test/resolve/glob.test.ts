import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob, expressionOf, posixOfGlob } from '../../src/resolve/glob.ts';
import table from '../fixtures/globs.json' with { type: 'json' };

describe('glob dialect', () => {
  it.each([
    ['*.json', 'config.json', true],
    ['*.json', 'sub/config.json', true],
    ['*.json', '.hidden.json', true],
    ['*.json', 'config.jsonl', false],
    ['*.JSON', 'config.json', false],
    ['*', 'a/b/c.bin', true],
    ['*.bin', 'a\u2028b.bin', true],
    ['*.*', 'LICENSE', false],
    ['**', '.a/.b', true],
    ['**/*.json', 'config.json', true],
    ['**/*.json', 'a/b/config.json', true],
    ['a/**/b.txt', 'a/b.txt', true],
    ['a/**/b.txt', 'a/x/y/b.txt', true],
    ['data/*.json', 'data/x/y.json', true],
    ['data/', 'data/x/y.bin', true],
    ['data/', 'data/.x', true],
    ['data/', 'data', false],
    ['data/', 'other/data/x', false],
    ['data', 'data/x.bin', false],
    ['config.json', 'sub/config.json', false],
    ['/config.json', 'config.json', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*.{json,txt}', 'config.json', true],
    ['{a,b}/*.bin', 'b/x.bin', true],
    ['model-0000[1-3]-of-*.safetensors', 'model-00002-of-00005.safetensors', true],
    ['model-0000[1-3]-of-*.safetensors', 'model-00004-of-00005.safetensors', false],
    ['[!a]*.txt', 'b.txt', true],
    ['[!a]*.txt', 'a.txt', false],
    ['größe *.bin', 'größe 1.bin', true],
    ['a+b.bin', 'a+b.bin', true],
    ['a+b.bin', 'aab.bin', false],
    ['consolidated*', 'consolidated.00.pth', true],
    ['original/*', 'original/params.json', true],
  ])('%s on %s: %s', (glob, path, expected) => {
    expect(compileGlob(glob)(path)).toBe(expected);
  });

  it.each([
    ['is empty', ''],
    ['would exhaust the stack', '('.repeat(100_000)],
  ])('refuses a glob that %s', (_, glob) => {
    expect(() => compileGlob(glob)).toThrow(expect.objectContaining({ code: 'EHUG_SELECTION' }));
  });

  it('accepts a glob of 1,000 characters', () => {
    expect(compileGlob('('.repeat(1000))('a')).toBe(false);
  });

  it('matches the same paths as the expression of picomatch', () => {
    const glob = fc.oneof(
      textOf([
        '*',
        '**',
        '/',
        'a',
        'b',
        '?',
        '[ab]',
        '[!a]',
        '{',
        ',',
        '}',
        '.',
        '\\',
        'k',
        '1',
        '(',
        ')',
        '+',
      ]),
      textOf(['*', 'a', 'b', '/', '?', '[ab]', '{a*,*b}', '{a*b*c,b}']),
    );
    const path = textOf(['a', 'b', 'c', 'k', '1', '/', '.', '+', '(', 'ä', '\u2028']);
    fc.assert(
      fc.property(glob, fc.array(path, { minLength: 10, maxLength: 10 }), (pattern, paths) => {
        const [matches, expression] = [compileGlob(pattern), expressionOf(pattern)];
        const letters = pattern.endsWith('/') ? `${pattern}*` : pattern;
        for (const each of paths) {
          expect(matches(each), each).toBe(each === letters || expression.test(each));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('matches a long path in one pass, however many stars the glob has', () => {
    // picomatch's own expression takes minutes, over the time limit of a test.
    expect(compileGlob('*a*a*a*b')('a'.repeat(1_000))).toBe(false);
  });
});

// test/nix/globs.test.ts checks that Nix matches these expressions the same way.
describe('a glob for Nix', () => {
  it.each(table)('$glob', ({ glob, matched, unmatched, posix }) => {
    const paths = [...matched, ...unmatched];
    expect(paths.filter(compileGlob(glob))).toEqual(matched);
    expect(posixOfGlob(glob, paths) ?? null).toBe(posix);
  });

  it.each([
    ['a?.bin', ['aä.bin'], 'has a question mark'],
    ['[!a].bin', ['ä.bin'], 'has a class'],
    ['x{a,b}', ['x{a,b}'], 'is itself the name of a file'],
    ['a/**', ['a', 'a/b'], 'matches the name of the folder, too'],
    ['{a}', ['{a}'], 'has braces without alternatives'],
    ['{a,b', ['{a,b'], 'has a brace that nothing closes'],
    ['a{,b}', ['a', 'ab'], 'has an empty alternative'],
    [String.raw`a\b`, ['ab'], 'escapes a letter'],
  ])('%s on %s has no expression, since it %s', (glob, paths) => {
    expect(posixOfGlob(glob, paths)).toBeUndefined();
  });

  it('is refused over 1,000 characters', () => {
    expect(() => posixOfGlob('a'.repeat(1001), [])).toThrow(
      expect.objectContaining({ code: 'EHUG_SELECTION' }),
    );
  });
});

const textOf = (parts: readonly string[]) =>
  fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 8 }).map((all) => all.join(''));
