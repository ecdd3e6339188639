import { describe, expect, it } from 'vitest';
import { diffLocks } from '../../src/lock/diff.ts';
import { lockedEntry, lockedFile, lockOf } from '../support/locks.ts';

const files = (...entries: [string, ReturnType<typeof lockedFile>][]) => new Map(entries);

describe('difference of two locks', () => {
  it('lists new, removed and changed entries and files, in order', () => {
    const from = lockOf({
      gone: lockedEntry(),
      moved: lockedEntry({
        files: files(
          ['same', lockedFile('s')],
          ['old', lockedFile('o')],
          ['edit', lockedFile('1')],
        ),
      }),
    });
    const to = lockOf({
      moved: lockedEntry({
        rev: 'd'.repeat(40),
        files: files(
          ['same', lockedFile('s')],
          ['z', lockedFile('z', { size: 5 })],
          ['edit', lockedFile('2', { size: 7 })],
          ['b', lockedFile('z', { size: 5 })],
          ['copy', lockedFile('o', { size: 100 })],
        ),
      }),
      fresh: lockedEntry(),
    });
    expect(diffLocks(from, to)).toEqual([
      {
        name: 'fresh',
        type: 'model',
        repo: 'org/name',
        from: null,
        to: { ref: 'main', rev: 'c'.repeat(40) },
        added: ['config.json'],
        removed: [],
        modified: [],
        classes: ['config'],
        onlyReadme: false,
        sizeChange: 3,
        downloadBytes: 0,
      },
      expect.objectContaining({
        name: 'gone',
        to: null,
        removed: ['config.json'],
        sizeChange: -3,
      }),
      {
        name: 'moved',
        type: 'model',
        repo: 'org/name',
        from: { ref: 'main', rev: 'c'.repeat(40) },
        to: { ref: 'main', rev: 'd'.repeat(40) },
        added: ['b', 'copy', 'z'],
        removed: ['old'],
        modified: ['edit'],
        classes: ['data'],
        onlyReadme: false,
        sizeChange: 111,
        downloadBytes: 12,
      },
    ]);
  });

  it.each([
    [['README.md'], true],
    [['docs/README.md'], false],
    [['README.md', 'x'], false],
    [[], false],
  ])('for %o: only README.md changed is %s', (paths, expected) => {
    const at = (seed: string) =>
      lockOf({
        a: lockedEntry({
          rev: seed.repeat(40),
          files: files(
            ...paths.map(
              (path) => [path, lockedFile(seed)] as [string, ReturnType<typeof lockedFile>],
            ),
          ),
        }),
      });
    expect(diffLocks(at('1'), at('2'))).toEqual([
      expect.objectContaining({ modified: paths.toSorted(), onlyReadme: expected }),
    ]);
  });

  it('is empty for the same entries', () => {
    expect(diffLocks(lockOf({ a: lockedEntry() }), lockOf({ a: lockedEntry() }))).toEqual([]);
  });
});
