import { describe, expect, it } from 'vitest';
import { snapshotOfEntry } from '../../src/copy/blob.ts';
import { bytesInStore, createBatch, missingBlobs, storedFiles } from '../../src/copy/to-store.ts';
import { namedEntries } from '../../src/lock/entries.ts';
import type { FileToAdd } from '../../src/store/nix.ts';
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

describe('files in the store', () => {
  const snapshots = namedEntries(LOCK).map((named) => snapshotOfEntry(named, undefined));
  const files = storedFiles(snapshots, '/nix/store');
  const everything = new Set(files.map(({ storePath }) => storePath));

  it('have one store path for equal files of one name', () => {
    expect(files.map(({ storePath }) => storePath.slice('/nix/store/'.length + 33))).toEqual([
      'config.json',
      'config.json',
      '_hidden',
      'config.json',
      'w.bin',
    ]);
    expect(everything.size).toBe(3);
  });

  it('are added once for each content, under every name that is missing', () => {
    const brief = (missing: ReadonlySet<string>) =>
      missingBlobs(files, missing).map((blob) => [
        blob.places.map(({ snapshot, file }) => `${snapshot.name} ${file.path}`),
        bytesInStore([blob]) / blob.size,
      ]);
    expect(brief(everything)).toEqual([
      [['one config.json', 'one sub/config.json', 'one sub/.hidden', 'two config.json'], 2],
      [['two w.bin'], 1],
    ]);
    expect(brief(new Set([files[2]?.storePath ?? '']))).toEqual([[['one sub/.hidden'], 1]]);
    expect(brief(new Set())).toEqual([]);
  });
});

const fileOf = (name: string): FileToAdd => ({ name, file: `/${name}`, storePath: `/s/${name}` });

describe('batch', () => {
  it('gathers the files that are asked for while a call runs', async () => {
    const calls: string[][] = [];
    const add = createBatch(async (files) => {
      calls.push(files.map(({ name }) => name));
    });
    await Promise.all(['a', 'b', 'c'].map((name) => add(fileOf(name))));
    await add(fileOf('d'));
    expect(calls).toEqual([['a'], ['b', 'c'], ['d']]);
  });

  it('gives each failure to its file alone', async () => {
    const calls: string[][] = [];
    const add = createBatch(async (files) => {
      const names = files.map(({ name }) => name);
      calls.push(names);
      if (names.includes('bad')) throw new Error('bad one');
    });
    const results = await Promise.allSettled(
      ['a', 'b', 'bad', 'c'].map((name) => add(fileOf(name))),
    );
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(calls).toEqual([['a'], ['b', 'bad', 'c'], ['b'], ['bad'], ['c']]);
  });
});
