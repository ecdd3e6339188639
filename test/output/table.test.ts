import { describe, expect, it } from 'vitest';
import { table } from '../../src/output/table.ts';

const ROWS = [
  ['5 kB', 'a/folder/with-a-name/model-00001.safetensors', 'x'],
  ['12 kB', 'größe.bin', ''],
];
const LAYOUT = { right: [0], shrink: [1] };

const ENTRIES = [
  ['models.mistral', 'mistralai/Mistral-7B-Instruct-v0.3', 'a-branch-with-a-name', '36 MB'],
  ['models.gpt2', 'openai-community/gpt2', 'main', '2 GB'],
];

describe('table', () => {
  it('is as wide as its cells without a terminal', async () => {
    expect(await table(ROWS, LAYOUT)).toEqual([
      ' 5 kB  a/folder/with-a-name/model-00001.safetensors  x',
      '12 kB  größe.bin',
    ]);
  });

  it('shortens a column that may shrink in the middle, to the width of the terminal', async () => {
    const lines = await table(ROWS, { ...LAYOUT, columns: 34 });
    expect(lines[0]).toMatch(/^ 5 kB {2}a\/folder.*…*.safetensors {2}x$/u);
    expect(lines[0]).toHaveLength(34);
    expect(lines[1]).toBe('12 kB  größe.bin');
    expect(await table(ROWS, { ...LAYOUT, columns: 54 })).toEqual(await table(ROWS, LAYOUT));
  });

  it('shortens no other column, however long a repository id is', async () => {
    const layout = { right: [3], shrink: [2] };
    expect(await table(ENTRIES, { ...layout, columns: 72 })).toEqual([
      'models.mistral  mistralai/Mistral-7B-Instruct-v0.3  a-bran…a-name  36 MB',
      'models.gpt2     openai-community/gpt2               main            2 GB',
    ]);
  });

  it('continues on a second line where that is not enough', async () => {
    const layout = { right: [3], shrink: [2], columns: 60 };
    expect(await table(ENTRIES, layout)).toEqual([
      'models.mistral  mistralai/Mistral-7B-Instruct-v0.3  a-br…ame',
      '    36 MB',
      'models.gpt2     openai-community/gpt2               main',
      '     2 GB',
    ]);
    expect((await table(ENTRIES, { ...layout, columns: 20 }))[0]).toBe('models.mistral');
  });

  it('leaves something of a shortened column in a terminal that is far too narrow', async () => {
    expect(await table(ROWS, { ...LAYOUT, columns: 3 })).toEqual([
      ' 5 kB',
      expect.stringMatching(/^ {4}\S{8} {2}x$/u),
      '12 kB',
      expect.stringMatching(/^ {4}\S{8}$/u),
    ]);
  });

  it('counts the columns of a terminal, which a character may take two of', async () => {
    const rows = [
      ['模型', '|'],
      ['abcd', '|'],
    ];
    expect(await table(rows, {})).toEqual(['模型  |', 'abcd  |']);
  });

  it('of plain text is the same, and shortened the same', async () => {
    const rows = [
      ['a-long-name-of-a-file.safetensors', '1'],
      ['b', '22'],
    ];
    expect(await table(rows, { right: [1] })).toEqual([
      'a-long-name-of-a-file.safetensors   1',
      'b                                  22',
    ]);
    expect(await table(rows, { right: [1], shrink: [0], columns: 16 })).toEqual([
      'a-long…nsors   1',
      'b             22',
    ]);
  });

  it('aligns coloured cells by their text', async () => {
    const rows = [
      [{ text: 'new', style: 'green' as const }, 'x'],
      ['older', 'y'],
    ];
    expect(await table(rows, {})).toEqual(['\u001b[32mnew\u001b[39m    x', 'older  y']);
  });

  it('has no lines without rows', async () => {
    expect(await table([], { columns: 80 })).toEqual([]);
  });
});
