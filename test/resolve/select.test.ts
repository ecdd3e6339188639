import { describe, expect, it } from 'vitest';
import { HugError } from '../../src/errors.ts';
import type { Selection } from '../../src/manifest/schema.ts';
import { filtersOf, selectFiles } from '../../src/resolve/select.ts';

const tree = [
  { path: 'config.json', size: 601 },
  { path: 'tokenizer.model', size: 500_000, lfs: {} },
  { path: 'model.safetensors', size: 3_000_000, lfs: {} },
  { path: 'unet/model.safetensors', size: 2_000_000, lfs: {} },
  { path: 'consolidated.safetensors', size: 3_000_000, lfs: {} },
];
const names = (selection?: Selection) => selectFiles(tree, selection).files.map(({ path }) => path);

describe('selection', () => {
  it('keeps all files when it is undefined', () => {
    expect(names()).toEqual(tree.map(({ path }) => path));
  });

  it('filters LFS files, keeps plain files, and lets exclude win', () => {
    expect(names({ include: ['*.safetensors'] })).toEqual([
      'config.json',
      'model.safetensors',
      'unet/model.safetensors',
      'consolidated.safetensors',
    ]);
    expect(names({ include: ['*.safetensors'], exclude: ['consolidated*', '*.json'] })).toEqual([
      'config.json',
      'model.safetensors',
      'unet/model.safetensors',
    ]);
    expect(names({ exclude: ['*'] })).toEqual(['config.json']);
  });

  it('keeps only exact paths', () => {
    expect(names({ files: ['unet/model.safetensors'] })).toEqual(['unet/model.safetensors']);
  });

  it('reports every exact path that does not exist', () => {
    expect(() => names({ files: ['Config.json', 'config.json', 'x'] })).toThrow(
      expect.objectContaining({
        code: 'EHUG_SELECTION',
        message: 'no such file at this commit: "Config.json", "x"',
        hint: 'Did you mean "config.json"? Names are exact, case counts; use include for patterns.',
        details: [
          '"consolidated.safetensors" 3 MB',
          '"model.safetensors" 3 MB',
          '"unet/model.safetensors" 2 MB',
          '"tokenizer.model" 500 kB',
          '"config.json" 601 B',
        ],
      }),
    );
  });

  it.each([
    ['model.safetensor', 'model.safetensors'],
    ['vae/model.safetensors', 'unet/model.safetensors'],
    ['tokenizer.Model', 'tokenizer.model'],
  ])('suggests a file in place of %s', (path, meant) => {
    const hint = expect.stringContaining(`Did you mean ${JSON.stringify(meant)}?`);
    expect(() => names({ files: [path] })).toThrow(expect.objectContaining({ hint }));
  });

  it('lists the largest files of many', () => {
    const many = Array.from({ length: 30 }, (_, size) => ({ path: `${size}.bin`, size, lfs: {} }));
    let details: readonly string[] = [];
    try {
      selectFiles(many, { files: ['y'] });
    } catch (error) {
      if (error instanceof HugError) ({ details } = error);
    }
    expect(details).toHaveLength(21);
    expect([details[0], details[20]]).toEqual(['"29.bin" 29 B', '… and 10 more']);
  });

  it('keeps a quant, all plain files and no other LFS file', () => {
    const files = [
      ...tree,
      { path: 'm-Q4_K_M.gguf', size: 5, lfs: {} },
      { path: 'm-Q8_0.gguf', size: 9, lfs: {} },
    ];
    const { files: kept, warnings } = selectFiles(files, { quant: 'q8_0' });
    expect(kept.map(({ path }) => path)).toEqual(['config.json', 'm-Q8_0.gguf']);
    expect(warnings).toEqual([]);
    expect(() => selectFiles(files, { quant: 'Q4_0' })).toThrow(
      expect.objectContaining({
        code: 'EHUG_SELECTION',
        message: 'no GGUF file with the quant Q4_0 at this commit: it has Q4_K_M (5 B), Q8_0 (9 B)',
      }),
    );
    expect(() => selectFiles(tree, { quant: 'Q4_0' })).toThrow('has no GGUF file');
    const unnamed = [...tree, { path: 'ggml.gguf', size: 5, lfs: {} }];
    expect(() => selectFiles(unnamed, { quant: 'Q4_0' })).toThrow(
      expect.objectContaining({ details: ['"ggml.gguf" 5 B'] }),
    );
  });

  it('refuses to leave no file', () => {
    const weights = [{ path: 'a.bin', size: 1, lfs: {} }];
    expect(() => selectFiles(weights, { include: ['*.json'] })).toThrow(
      expect.objectContaining({
        message: 'the selection leaves no file',
        details: ['"a.bin" 1 B'],
      }),
    );
    expect(() => selectFiles([], undefined)).toThrow(
      expect.objectContaining({
        message: 'the repository has no files',
        hint: 'Name another repository.',
      }),
    );
  });

  it('warns about globs that match no LFS file', () => {
    const { warnings } = selectFiles(tree, { include: ['*.bin', '*.model'], exclude: ['*.json'] });
    expect(warnings).toEqual([
      'include "*.bin" matches no LFS file; plain files are always kept',
      'exclude "*.json" matches no LFS file; plain files are always kept',
    ]);
  });
});

describe('the filters of an expression', () => {
  const filters = (selection?: Selection) =>
    filtersOf(selection, tree, selectFiles(tree, selection).files);

  it('are expressions for globs that have them, and nothing for all files', () => {
    expect(filters()).toBeUndefined();
    expect(filters({ include: ['*.safetensors'], exclude: ['unet/'] })).toEqual({
      include: [String.raw`.*\.safetensors`],
      exclude: ['unet/.*'],
    });
    expect(filters({ exclude: ['unet/'] })).toEqual({ exclude: ['unet/.*'] });
  });

  it.each<[Selection, readonly string[]]>([
    [{ files: ['config.json'] }, ['config.json']],
    [{ include: ['[t]okenizer*'] }, ['config.json', 'tokenizer.model']],
    [
      { format: 'safetensors', exclude: ['unet/'] },
      ['config.json', 'tokenizer.model', 'model.safetensors'],
    ],
    [{ variant: 'fp16', include: ['*.model'] }, ['config.json', 'tokenizer.model']],
  ])('are paths for %j', (selection, files) => {
    expect(filters(selection)).toEqual({ files });
  });

  it('are paths for a quant', () => {
    const files = [...tree, { path: 'm-Q8_0.gguf', size: 9, lfs: {} }];
    const quant = { quant: 'Q8_0' };
    expect(filtersOf(quant, files, selectFiles(files, quant).files)).toEqual({
      files: ['config.json', 'm-Q8_0.gguf'],
    });
  });
});
