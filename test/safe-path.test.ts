import path from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertSafePath, pathCollision, unsafeReason } from '../src/safe-path.ts';

describe('unsafeReason', () => {
  it.each([
    'config.json',
    'unet/model.safetensors',
    '.gitattributes',
    '...',
    'a/.../b',
    '..a/b..',
    '~/x',
    '-rf',
    'a b/ä/模型.bin',
    'CON',
    'ab:c/d',
    'x'.repeat(255),
    `${'ä'.repeat(127)}/${'d/'.repeat(1000)}x`,
  ])('accepts %j', (name) => {
    expect(unsafeReason(name)).toBeUndefined();
  });

  it.each([
    ['', 'is empty'],
    ['/etc/passwd', 'is absolute'],
    ['//server/share', 'is absolute'],
    ['\\\\server\\share', 'has a control character or a backslash'],
    ['a\\b', 'has a control character or a backslash'],
    ['a\u0000b', 'has a control character or a backslash'],
    ['a\nb', 'has a control character or a backslash'],
    ['a\u007fb', 'has a control character or a backslash'],
    ['C:/x', 'begins with a drive letter'],
    ['c:x', 'begins with a drive letter'],
    ['a//b', 'has an empty segment'],
    ['a/', 'has an empty segment'],
    ['.', 'has a "." segment'],
    ['./a', 'has a "." segment'],
    ['a/./b', 'has a "." segment'],
    ['..', 'has a ".." segment'],
    ['../a', 'has a ".." segment'],
    ['a/../b', 'has a ".." segment'],
    ['a/..', 'has a ".." segment'],
    ['\ud800', 'is not valid Unicode'],
    ['x'.repeat(256), 'has a segment of over 255 bytes'],
    [`a/${'ä'.repeat(128)}`, 'has a segment of over 255 bytes'],
  ])('refuses %j, which %s', (name, reason) => {
    expect(unsafeReason(name)).toBe(reason);
  });

  it('accepts only paths that stay below their folder unchanged', () => {
    const pieces = fc.constantFrom('..', '.', '/', '\\', 'a', 'C:', '\u0000', ' ', '');
    const names = fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(names, fc.string({ unit: 'binary' })), (name) => {
        if (unsafeReason(name) !== undefined) return;
        expect(path.posix.normalize(name)).toBe(name);
        expect(path.posix.join('/folder', name)).toBe(`/folder/${name}`);
        expect(path.win32.isAbsolute(name)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('assertSafePath', () => {
  it('names the source of an unsafe path', () => {
    expect(() => assertSafePath('../x', 'the lock')).toThrow(
      expect.objectContaining({
        code: 'EHUG_UNSAFE_PATH',
        message: 'the lock names a path that has a ".." segment: "../x"',
      }),
    );
    expect(() => assertSafePath('a/b', 'the lock')).not.toThrow();
  });
});

describe('pathCollision', () => {
  it.each([
    [['a', 'a/b'], 'a'],
    [['x/y/z', 'x/y'], 'x/y'],
    [['a', 'ab', 'a.b', 'b/a'], undefined],
    [[], undefined],
  ])('of %j is %j', (paths, collision) => {
    expect(pathCollision(paths)).toBe(collision);
  });
});
