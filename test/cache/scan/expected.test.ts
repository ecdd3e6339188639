import path from 'node:path';
import { expect, it } from 'vitest';
import { readExpected } from '../../../src/cache/trees.ts';
import { treesText } from '../../../src/cache/trees.ts';
import { put } from '../../support/cached-project.ts';
import { tempFolder } from '../../support/temp.ts';

const [REV, OID] = ['c'.repeat(40), 'a'.repeat(40)];

it('is read from the folder of the repository', async () => {
  const folder = await tempFolder();
  expect(await readExpected(folder, REV)).toEqual(new Map());
  const text = treesText([], [{ path: 'config.json', size: 3, oid: OID }]);
  await put(path.join(folder, 'trees', `${REV}.json`), text);
  expect(await readExpected(folder, REV)).toEqual(new Map([['config.json', OID]]));
});
