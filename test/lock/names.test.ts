import { describe, expect, it } from 'vitest';
import { storeNameOf } from '../../src/lock/names.ts';

describe('store name', () => {
  it.each([
    ['config.json', undefined],
    ['deep/folder/model-00001-of-00002.safetensors', undefined],
    ['a+b=c?d_e-f.g', undefined],
    ['.gitattributes', '_gitattributes'],
    ['deep/.hidden', '_hidden'],
    ['with space.txt', 'with_space.txt'],
    ['größe.bin', 'gr_e.bin'],
    ['日本語', '_'],
    ['100%#1.bin', '100_1.bin'],
    ['a.drv', 'a.drv_'],
    ['x'.repeat(207), undefined],
    ['x'.repeat(208), 'x'.repeat(207)],
    [`${'x'.repeat(212)}.bin`, `${'x'.repeat(203)}.bin`],
    [`.${'x'.repeat(206)}`, `_${'x'.repeat(206)}`],
    ['$(touch x)', '_touch_x_'],
  ])('%s', (path, expected) => {
    expect(storeNameOf(path)).toBe(expected);
  });
});
