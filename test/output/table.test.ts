import { describe, expect, it } from 'vitest';
import { table } from '../../src/output/table.ts';

const ROWS = [
  ['5 kB', 'a/folder/with-a-name/model-00001.safetensors', 'x'],
  ['12 kB', 'größe.bin', ''],
];

describe('table', () => {
  it('is as wide as its cells without a terminal', async () => {
    expect(await table(ROWS, [0])).toEqual([
      ' 5 kB  a/folder/with-a-name/model-00001.safetensors  x',
      '12 kB  größe.bin',
    ]);
  });

  it('shortens its widest column in the middle, to the width of the terminal', async () => {
    const lines = await table(ROWS, [0], 34);
    expect(lines[0]).toMatch(/^ 5 kB {2}a\/folder.*…*.safetensors {2}x$/u);
    expect(lines[0]).toHaveLength(34);
    expect(lines[1]).toBe('12 kB  größe.bin');
    expect(await table(ROWS, [0], 54)).toEqual(await table(ROWS, [0]));
  });

  it('leaves something of it in a terminal that is far too narrow', async () => {
    expect((await table(ROWS, [0], 3))[0]).toMatch(/^ 5 kB {2}\S{8} {2}x$/u);
  });

  it('counts the columns of a terminal, which a character may take two of', async () => {
    expect(
      await table(
        [
          ['模型', '|'],
          ['abcd', '|'],
        ],
        [],
      ),
    ).toEqual(['模型  |', 'abcd  |']);
  });

  it('of plain text is the same, and shortened the same', async () => {
    const rows = [
      ['a-long-name-of-a-file.safetensors', '1'],
      ['b', '22'],
    ];
    expect(await table(rows, [1])).toEqual([
      'a-long-name-of-a-file.safetensors   1',
      'b                                  22',
    ]);
    expect(await table(rows, [1], 16)).toEqual(['a-long…nsors   1', 'b             22']);
  });

  it('has no lines without rows', async () => {
    expect(await table([], [], 80)).toEqual([]);
  });
});
