import { describe, expect, it } from 'vitest';
import { createBatch } from '../../src/copy/batch.ts';
import type { FileToAdd } from '../../src/store/nix.ts';

const fileOf = (name: string): FileToAdd => ({ name, file: `/${name}`, storePath: `/s/${name}` });

describe('adder', () => {
  it('gathers what is asked for while a call runs', async () => {
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
