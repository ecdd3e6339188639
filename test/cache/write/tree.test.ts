import { watch } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { addToTree } from '../../../src/cache/write/tree.ts';
import { tempFolder } from '../../support/temp.ts';

const LIST = '{ "format_version": 1, "files": {} }';
const items = [{ path: 'a.json', size: 1, oid: 'a'.repeat(40) }];

/** Where a list would be, and the folder of this process. */
async function places() {
  const folder = await tempFolder();
  const mine = path.join(folder, '.nix-hug.mine');
  await mkdir(mine);
  return { file: path.join(folder, 'list.json'), mine };
}

it('a list that was put after one look, and taken before the next, is looked for again', async () => {
  const { file, mine } = await places();
  let looks = 0;
  const others = async () => {
    looks += 1;
    if (looks === 2) await writeFile(file, LIST);
    return [];
  };
  await addToTree(file, { items, isWhole: false }, { mine: async () => mine, others });
  expect(Object.keys(JSON.parse(await readFile(file, 'utf8')).files)).toEqual(['a.json']);
});

it.skipIf(process.platform !== 'linux')(
  'others can see that a list is about to be put until it is',
  async () => {
    const { file, mine } = await places();
    const changed: (string | null)[] = [];
    const watcher = watch(mine, (_event, name) => changed.push(name));
    await addToTree(
      file,
      { items, isWhole: true },
      { mine: async () => mine, others: async () => [] },
    );
    expect(await readdir(mine)).toEqual([]);
    await wait(50);
    watcher.close();
    expect(changed.at(-1)).toBe('taken');
    expect(changed).toContain('list.json');
  },
);
