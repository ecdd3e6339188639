import { describe, expect, it } from 'vitest';
import { quantsIn, selectQuant } from '../../src/resolve/quant.ts';
import cases from '../fixtures/quants.json' with { type: 'json' };

const pathsOf = (files: readonly { readonly path: string }[]) => files.map(({ path }) => path);

describe('a quant takes what llama.cpp takes', () => {
  it.each(cases)('$name', ({ quant, files, takes }) => {
    const listed = files.map((path) => ({ path }));
    expect(new Set(pathsOf(selectQuant(listed, quant)))).toEqual(new Set(takes));
    expect(new Set(pathsOf(selectQuant(listed.toReversed(), quant)))).toEqual(new Set(takes));
  });
});

describe('the quants of a repository', () => {
  const sized = (...files: readonly (readonly [string, number])[]) =>
    files.map(([path, size]) => ({ path, size }));

  it('are listed with all that each of them takes, smallest first', () => {
    const files = sized(
      ['m-Q8_0-00001-of-00002.gguf', 50],
      ['m-Q8_0-00002-of-00002.gguf', 30],
      ['m-UD-Q4_K_XL.gguf', 45],
      ['m-q2_k.gguf', 20],
      ['m-IQ4_XS.gguf', 41],
      ['mmproj-F16.gguf', 5],
      ['m.imatrix.gguf', 1],
      ['README.md', 1],
    );
    expect(quantsIn(files)).toEqual([
      { quant: 'Q2_K', size: 25 },
      { quant: 'IQ4_XS', size: 46 },
      { quant: 'UD-Q4_K_XL', size: 50 },
      { quant: 'Q8_0', size: 85 },
    ]);
  });

  it('are the last ones in the names, and select something', () => {
    const names = [
      'Q4_0-model-BF16.gguf',
      'b.f16.gguf',
      'm.Q4_0_4_8.gguf',
      'm-TQ1_0.gguf',
      'm-MXFP4_MOE.gguf',
      'unnamed.gguf',
      'Q4KM.gguf',
    ];
    const files = names.map((path) => ({ path, size: 1 }));
    const quants = quantsIn(files).map(({ quant }) => quant);
    expect(quants).toEqual(['BF16', 'F16', 'MXFP4_MOE', 'Q4_0_4_8', 'TQ1_0']);
    for (const quant of quants) expect(selectQuant(files, quant)).toHaveLength(1);
  });
});
