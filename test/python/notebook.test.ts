import { describe, expect, it } from 'vitest';
import { readNotebook } from '../../src/python/notebook.ts';

const notebook = (...cells: readonly (readonly [string, string | readonly string[]])[]) =>
  readNotebook(
    JSON.stringify({
      nbformat: 4,
      cells: cells.map(([cell_type, source]) => ({ cell_type, source })),
    }),
  );

describe('readNotebook', () => {
  it('joins the code cells, and knows their lines', () => {
    const read = notebook(
      ['code', ['a = 1\n', 'b = 2']],
      ['markdown', '# c'],
      ['code', 'd = 4\r\ne'],
    );
    expect(read?.text).toBe('a = 1\nb = 2\nd = 4\ne');
    const places = [1, 2, 3, 4].map((line) => read?.placeOf(line));
    expect(places).toEqual([
      { cell: 1, line: 1 },
      { cell: 1, line: 2 },
      { cell: 2, line: 1 },
      { cell: 2, line: 2 },
    ]);
  });

  it.each([
    ['!pip install x\na', 'pass\na'],
    ['if b:\n  %cd x\n  c', 'if b:\n  pass\n  c'],
    ['?help\na', 'pass\na'],
    ['!pip install \\\n  x \\\n  y\na', 'pass\n\n\na'],
    ['%%bash\nrm x\n', '\n\n'],
    ['%%time\na', 'pass\na'],
    ['a = b % c', 'a = b % c'],
  ])('passes over lines for IPython: %j', (cell, expected) => {
    expect(notebook(['code', cell])?.text).toBe(expected);
  });

  it('has no code where the kernel is of another language', () => {
    const data = {
      cells: [{ cell_type: 'code', source: 'x' }],
      metadata: { kernelspec: { language: 'R' } },
    };
    expect(readNotebook(JSON.stringify(data))?.text).toBe('');
  });

  it.each(['', '{', '[]', 'null', '{"cells": {}}', '{"worksheets": []}'])('is none: %s', (text) => {
    expect(readNotebook(text)).toBeUndefined();
  });

  it('ends with cells of a wrong shape', () => {
    const text =
      '{"cells": [1, null, {"cell_type": "code"}, {"cell_type": "code", "source": [1, {}]}]}';
    expect(typeof readNotebook(text)?.text).toBe('string');
  });
});
