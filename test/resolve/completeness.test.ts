import { describe, expect, it } from 'vitest';
import type { Selection } from '../../src/manifest/schema.ts';
import { incompleteness } from '../../src/resolve/completeness.ts';
import { selectFiles } from '../../src/resolve/select.ts';
import { indexesToRead, shardsNamedIn } from '../../src/resolve/shards.ts';

const filesOf = (paths: readonly string[]) =>
  paths.map((path) => ({
    path,
    size: 1,
    ...(/\.(?:safetensors|bin|gguf|model|spm)$|tokenizer\.json$/u.test(path) ? { lfs: {} } : {}),
  }));

/** Warnings for a selection of files; every index names the two shards of a model. */
function warningsOf(
  paths: readonly string[],
  select?: Selection,
  shards: readonly string[] | undefined = [
    'model-00001-of-00002.safetensors',
    'model-00002-of-00002.safetensors',
  ],
): readonly string[] {
  const all = filesOf(paths);
  const { files } = selectFiles(all, select);
  const shardsOf = new Map(indexesToRead(files).map(({ path }) => [path, shards]));
  return incompleteness(all, files, select, shardsOf);
}

const INDEX = 'model.safetensors.index.json';
const [ONE, TWO] = [
  'model-00001-of-00002.safetensors',
  'model-00002-of-00002.safetensors',
] as const;

describe('shards that an index names', () => {
  it('are complete without a warning', () => {
    expect(warningsOf([INDEX, ONE, TWO])).toEqual([]);
    expect(warningsOf([`a/${INDEX}`, `a/${ONE}`, `a/${TWO}`, ONE])).toEqual([]);
  });

  it('are named when the selection leaves them out', () => {
    expect(warningsOf([INDEX, ONE, TWO], { exclude: ['*-00002-*'] })).toEqual([
      `of the shards that "${INDEX}" names, the selection leaves out "${TWO}"`,
    ]);
    expect(
      warningsOf([`a/${INDEX}`, `a/${ONE}`, `a/${TWO}`], { files: [`a/${INDEX}`, `a/${ONE}`] }),
    ).toEqual([`of the shards that "a/${INDEX}" names, the selection leaves out "a/${TWO}"`]);
  });

  it('are named when the commit does not have them', () => {
    expect(warningsOf([INDEX, ONE])).toEqual([
      `"${INDEX}" names shards that the commit does not have: "${TWO}"`,
    ]);
  });

  it('do not matter when none of them is taken', () => {
    expect(warningsOf([INDEX, ONE, TWO, 'x.gguf'], { include: ['*.gguf'] })).toEqual([]);
    const other = [INDEX, 'other-00001-of-00001.safetensors'];
    expect(warningsOf(other)).toEqual([]);
  });

  it('outside of the folder are a warning', () => {
    const names = ['../x', '/etc/passwd', 'https://a.example/x', 'a\u0000b', ONE];
    expect(warningsOf([INDEX, ONE], undefined, names)).toEqual([
      `"${INDEX}" names what is no file of its folder: "../x", "/etc/passwd", "https://a.example/x", "a\\u0000b"`,
    ]);
  });

  it('are counted when there are many', () => {
    const many = Array.from({ length: 8 }, (_, index) => `s${index}`);
    expect(warningsOf([INDEX, ONE], undefined, [ONE, ...many.slice(3)])[0]).toMatch(/"s7"$/u);
    expect(warningsOf([INDEX, ONE], undefined, [ONE, ...many])[0]).toContain(
      '"s0", "s1", "s2", "s3", "s4" and 3 more',
    );
  });

  it('are a warning when the index cannot be read', () => {
    const files = filesOf([INDEX, ONE]);
    expect(incompleteness(files, files, undefined, new Map([[INDEX, undefined]]))).toEqual([
      `"${INDEX}" cannot be read as an index of shards`,
    ]);
  });
});

describe('an index', () => {
  const bytesOf = (text: string) => new TextEncoder().encode(text);

  it('names each shard once', () => {
    const map = { a: 'x', b: 'y', c: 'x', __proto__: null };
    expect(shardsNamedIn(bytesOf(JSON.stringify({ metadata: {}, weight_map: map })))).toEqual([
      'x',
      'y',
    ]);
  });

  it.each([
    ['broken', '{'],
    ['a list', '[]'],
    ['without a map', '{"metadata": {}}'],
    ['with an empty map', '{"weight_map": {}}'],
    ['with a number', '{"weight_map": {"a": 1, "b": "x"}}'],
    ['with a list for a map', '{"weight_map": ["a"]}'],
    ['deeply nested', `{"weight_map": ${'['.repeat(200_000)}`],
    ['not UTF-8', '\u{fffd}'],
  ])('that is %s is none', (_, text) => {
    expect(shardsNamedIn(bytesOf(text))).toBeUndefined();
  });

  it.each([
    [[INDEX, ONE], [INDEX]],
    [
      ['pytorch_model.bin.index.json', 'pytorch_model-00001-of-00002.bin'],
      ['pytorch_model.bin.index.json'],
    ],
    [
      ['a/model.safetensors.index.fp16.json', 'a/model.fp16-00001-of-00002.safetensors'],
      ['a/model.safetensors.index.fp16.json'],
    ],
    [[INDEX, 'model.safetensors'], []],
    [[INDEX, `b/${ONE}`], []],
    [['index.json', ONE], []],
  ])('among %j is read where shards stand beside it: %j', (paths, read) => {
    expect(indexesToRead(filesOf(paths)).map(({ path }) => path)).toEqual(read);
  });

  it('in LFS or of more than 10 MiB is not read', () => {
    const shard = { path: ONE, size: 1, lfs: {} };
    expect(indexesToRead([{ path: INDEX, size: 1, lfs: {} }, shard])).toEqual([]);
    expect(indexesToRead([{ path: INDEX, size: 10 * 2 ** 20 + 1 }, shard])).toEqual([]);
    expect(indexesToRead([{ path: INDEX, size: 10 * 2 ** 20 }, shard])).toHaveLength(1);
  });
});

describe('the parts of a split GGUF file', () => {
  const part = (number: number, of = 3) =>
    `q/m-Q8_0-0000${number}-of-${String(of).padStart(5, '0')}.gguf`;

  it('are complete without a warning, or none is taken', () => {
    expect(warningsOf([part(1), part(2), part(3)])).toEqual([]);
    expect(warningsOf([part(1), part(2), part(3), 'x.gguf'], { files: ['x.gguf'] })).toEqual([]);
    expect(warningsOf([part(1, 1)])).toEqual([]);
  });

  it('are named when the selection leaves some out', () => {
    expect(warningsOf([part(1), part(2), part(3)], { files: [part(1), part(3)] })).toEqual([
      `of the 3 parts of "q/m-Q8_0", the selection leaves out "${part(2)}"`,
    ]);
  });

  it('are counted when the commit does not have them', () => {
    expect(warningsOf([part(1), part(2)])).toEqual([
      'of the 3 parts of "q/m-Q8_0", the commit does not have 1',
    ]);
    expect(warningsOf([part(1), part(2), part(1, 2)])).toEqual([
      'of the 3 parts of "q/m-Q8_0", the commit does not have 1',
      'of the 2 parts of "q/m-Q8_0", the commit does not have 1',
    ]);
    expect(warningsOf([part(2, 1)])).toEqual([]);
    expect(warningsOf([part(1, 99_999)])).toEqual([
      'of the 99999 parts of "q/m-Q8_0", the commit does not have 99998',
    ]);
  });
});

describe('a folder whose weights are of pytorch alone', () => {
  it('is named where the selection asks for safetensors', () => {
    const paths = [
      'model.safetensors',
      'pytorch_model.bin',
      '2_Dense/config.json',
      '2_Dense/pytorch_model.bin',
      'unet/diffusion_pytorch_model.fp16.bin',
      'onnx/model.onnx',
      'original/consolidated.00.pth',
    ];
    expect(warningsOf(paths, { format: 'safetensors' })).toEqual([
      'the format safetensors leaves no weights in "2_Dense/", "unet/", which has those of pytorch',
    ]);
    expect(warningsOf(paths, { format: 'onnx' })).toEqual([]);
    expect(warningsOf(paths, { include: ['*.safetensors'] })).toEqual([]);
    const inRoot = ['pytorch_model.bin', 'a/model.safetensors'];
    expect(warningsOf(inRoot, { format: 'safetensors' })[0]).toContain('no weights in "./"');
  });
});

describe('a tokenizer in LFS', () => {
  const paths = ['tokenizer.json', 'a/tokenizer.model', 'x.spm', 'vocab.txt', 'model.safetensors'];

  it.each<[Selection]>([
    [{ include: ['*.safetensors'] }],
    [{ exclude: ['token*', 'a/*', '*.spm'] }],
  ])('is named when %j leaves it out', (select) => {
    expect(warningsOf(paths, select)).toEqual([
      'the selection leaves out "tokenizer.json", "a/tokenizer.model", "x.spm", which a tokenizer may need',
    ]);
  });

  it.each<[Selection | undefined]>([
    [undefined],
    [{ format: 'safetensors' }],
    [{ files: ['model.safetensors'] }],
  ])('is not missed with %j', (select) => {
    expect(warningsOf(paths, select)).toEqual([]);
  });

  it('is not missed where a quant is taken, since GGUF has one inside', () => {
    expect(warningsOf([...paths, 'm-Q8_0.gguf'], { quant: 'Q8_0' })).toEqual([]);
  });
});
