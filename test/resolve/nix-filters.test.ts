import { describe, expect, it } from 'vitest';
import { compileGlob } from '../../src/resolve/glob.ts';
import { posixOfGlob } from '../../src/resolve/nix-filters.ts';
import table from '../fixtures/globs.json' with { type: 'json' };

// That Nix matches these expressions the same way is in test/nix/globs.test.ts.

describe('the table of globs', () => {
  it.each(table)('$glob', ({ glob, matched, unmatched, posix }) => {
    const paths = [...matched, ...unmatched];
    expect(paths.filter(compileGlob(glob))).toEqual(matched);
    expect(posixOfGlob(glob, paths) ?? null).toBe(posix);
  });
});

describe('a glob without an expression', () => {
  it.each([
    ['a?.bin', ['aä.bin'], 'has a character that may be several bytes'],
    ['[!a].bin', ['ä.bin'], 'has a character that may be several bytes'],
    ['[ä].bin', ['a.bin'], 'has a class with a member of several bytes'],
    ['x[1-3]{a,b}', ['x[1-3]{a,b}'], 'is itself the name of a file'],
    ['a{,b}', ['a', 'ab'], 'has an empty alternative'],
    ['[+--]', ['a'], 'has a range between other characters than letters and digits'],
    [String.raw`a\b`, ['ab'], 'escapes a letter'],
  ])('%s on %s, since it %s', (glob, paths) => {
    expect(posixOfGlob(glob, paths)).toBeUndefined();
  });
});
