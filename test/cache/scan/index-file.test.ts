import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { writeIndex } from '../../../src/cache/scan/index-file.ts';
import { tempFolder } from '../../support/temp.ts';

it('what is more than one string can hold is not written', async () => {
  const folder = await tempFolder();
  const repo = {
    seen: [],
    // Half a gigabyte would do as well.
    get state(): string {
      throw new RangeError('Invalid string length');
    },
    names: [],
    etags: [],
    sizes: [],
    modified: [],
    revisions: [],
  };
  writeIndex({ folder, cache: '/cache', version: '1.0.0' }, new Map([['/cache/repo', repo]]));
  expect(await readdir(folder)).toEqual([]);
});
