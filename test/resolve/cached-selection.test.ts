import { describe, expect, it } from 'vitest';
import type { TreeFile } from '../../src/hub/tree.ts';
import { selectionOfCached } from '../../src/resolve/cached-selection.ts';

const hex = (digit: string) => digit.repeat(64);
const plain = (path: string, size = 1): TreeFile => ({ path, size, oid: 'a'.repeat(40) });
const large = (path: string, digit = '1'): TreeFile => ({
  path,
  size: 9,
  oid: 'b'.repeat(40),
  lfs: { sha256: hex(digit) },
});
const cached = ({ path, size, oid, lfs }: TreeFile) => ({
  path,
  size,
  etag: typeof lfs === 'object' ? lfs.sha256 : oid,
});

const MODEL = [plain('README.md'), plain('config.json'), large('model.safetensors')];
const GGUF = [plain('README.md'), large('m-Q4_K_M.gguf', '4'), large('m-Q8_0.gguf', '8')];

describe('the selection that leaves what is cached', () => {
  it.each<[string, TreeFile[], readonly TreeFile[], unknown]>([
    ['is none for a whole commit', MODEL, MODEL, {}],
    ['is none for more than the commit has', MODEL, [...MODEL, plain('x')], {}],
    [
      'lists the files of a part',
      MODEL,
      MODEL.slice(0, 2),
      { select: { files: ['README.md', 'config.json'] } },
    ],
    ['is a quant with the plain files', GGUF, GGUF.slice(0, 2), { select: { quant: 'Q4_K_M' } }],
    [
      'lists the file of a quant alone',
      GGUF,
      GGUF.slice(1, 2),
      { select: { files: ['m-Q4_K_M.gguf'] } },
    ],
    ['is missing where nothing is cached', MODEL, [], undefined],
    ['is missing for other contents', MODEL, [large('model.safetensors', '2')], undefined],
  ])('%s', (_what, tree, files, selection) => {
    expect(selectionOfCached(tree, files.map(cached))).toEqual(selection);
  });

  it('compares sizes where the snapshot has no links', () => {
    const files = [
      { path: 'README.md', size: 1, etag: undefined },
      { path: 'config.json', size: 2, etag: undefined },
    ];
    expect(selectionOfCached(MODEL, files)).toEqual({ select: { files: ['README.md'] } });
  });
});
