import { describe, expect, it } from 'vitest';
import { namedEntries } from '../../src/lock/entries.ts';
import { missingBlobs, placeFiles } from '../../src/copy/placement.ts';
import { lockedEntry, lockedFile, lockOf } from '../support/locks.ts';

const SAME = lockedFile('a');
const LOCK = lockOf({
  one: lockedEntry({
    files: new Map([
      ['config.json', SAME],
      ['sub/config.json', SAME],
      ['sub/.hidden', { ...SAME, storeName: '_hidden' }],
    ]),
  }),
  two: lockedEntry({
    files: new Map([
      ['config.json', SAME],
      ['w.bin', lockedFile('b')],
    ]),
  }),
});

describe('plan', () => {
  const files = placeFiles(namedEntries(LOCK), '/nix/store');
  const everything = new Set(files.map(({ storePath }) => storePath));

  it('places equal files of one name at one path', () => {
    expect(files.map(({ storePath }) => storePath.slice('/nix/store/'.length + 33))).toEqual([
      'config.json',
      'config.json',
      '_hidden',
      'config.json',
      'w.bin',
    ]);
    expect(everything.size).toBe(3);
  });

  it('brings each content once, under every name that is missing', () => {
    const brief = (missing: ReadonlySet<string>) =>
      missingBlobs(files, missing).map(({ places, names }) => [
        places.map(({ name, path }) => `${name} ${path}`),
        [...names.values()],
      ]);
    expect(brief(everything)).toEqual([
      [
        ['one config.json', 'one sub/config.json', 'one sub/.hidden', 'two config.json'],
        ['config.json', '_hidden'],
      ],
      [['two w.bin'], ['w.bin']],
    ]);
    expect(brief(new Set([files[2]?.storePath ?? '']))).toEqual([
      [['one sub/.hidden'], ['_hidden']],
    ]);
    expect(brief(new Set())).toEqual([]);
  });
});
