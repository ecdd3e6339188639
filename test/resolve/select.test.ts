import { describe, expect, it } from 'vitest';
import type { Selection } from '../../src/manifest/schema.ts';
import { selectFiles } from '../../src/resolve/select.ts';

const tree = [
  { path: 'config.json' },
  { path: 'tokenizer.model', lfs: {} },
  { path: 'model.safetensors', lfs: {} },
  { path: 'unet/model.safetensors', lfs: {} },
  { path: 'consolidated.safetensors', lfs: {} },
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
      }),
    );
  });

  it('refuses to leave no file', () => {
    const weights = [{ path: 'a.bin', lfs: {} }];
    expect(() => selectFiles(weights, { include: ['*.json'] })).toThrow('leaves no file');
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
