import { describe, expect, it } from 'vitest';
import type { Selection } from '../../src/manifest/schema.ts';
import { formatsIn } from '../../src/resolve/format.ts';
import { selectFiles } from '../../src/resolve/select.ts';
import { weightFormat } from '../../src/weight-format.ts';
import lists from '../fixtures/file-lists.json' with { type: 'json' };

type Name = keyof typeof lists;

const filesOf = (paths: readonly string[]) =>
  paths.map((path) => ({ path, size: 10, ...(isLfs(path) ? { lfs: {} } : {}) }));

/** As the default `.gitattributes` of the Hub has it. */
const isLfs = (path: string) =>
  /\.(?:safetensors|bin|h5|ot|onnx|onnx_data|msgpack|tflite|gguf|png|pt)$/u.test(path);

/** What a selection leaves out of a list. */
function dropped(name: Name | readonly string[], selection: Selection): string[] {
  const paths = typeof name === 'string' ? lists[name] : name;
  const { files } = selectFiles(filesOf(paths), selection);
  const kept = new Set(files.map(({ path }) => path));
  return paths.filter((path) => !kept.has(path));
}

const weightsIn = (name: Name): string[] =>
  lists[name].filter((path) => weightFormat(path) !== undefined);

const but = (paths: readonly string[], ...kept: readonly (string | RegExp)[]) =>
  paths.filter((path) =>
    kept.every((one) => (typeof one === 'string' ? one !== path : !one.test(path))),
  );

describe('a weight file has the format of its name', () => {
  it.each([
    ['openvino_model.xml', 'openvino'],
    ['onnx/OpenVINO_model.bin', 'openvino'],
    ['model.SAFETENSORS', 'safetensors'],
    ['model.safetensors.index.json', 'safetensors'],
    ['unet/x.safetensors.index.fp16.json', 'safetensors'],
    ['a/b.gguf', 'gguf'],
    ['model.onnx', 'onnx'],
    ['model.onnx_data', 'onnx'],
    ['model.onnx_data_1', 'onnx'],
    ['model.onnx.data', 'onnx'],
    ['tf_model.h5', 'tensorflow'],
    ['m.keras', 'tensorflow'],
    ['m.tflite', 'tensorflow'],
    ['tf/saved_model.pb', 'tensorflow'],
    ['tf/variables/variables.data-00000-of-00001', 'tensorflow'],
    ['flax_model.msgpack', 'flax'],
    ['flax_model.msgpack.index.json', 'flax'],
    ['pytorch_model.bin', 'pytorch'],
    ['pytorch_model.bin.index.json', 'pytorch'],
    ['training.pt', 'pytorch'],
    ['x.pth', 'pytorch'],
    ['v1-5.ckpt', 'pytorch'],
    ['flax_model.msgpack.index.fp16.json', 'flax'],
    ['pytorch_model.bin.index.fp16.json', 'pytorch'],
    ['model.onnx_data_12', 'onnx'],
    ['saved_model.pb', 'tensorflow'],
    ['variables/x', 'tensorflow'],
    ['rust_model.ot', 'rust'],
    ['m.mlmodel', 'coreml'],
    ['coreml/m.mlpackage/Data/weights', 'coreml'],
  ])('%s: %s', (path, format) => {
    expect(weightFormat(path)).toBe(format);
  });

  it.each([
    'config.json',
    'tokenizer.model',
    'index.json',
    'tokenizer.xml',
    'model.pb',
    'bin/x',
    'notvariables/x',
    'x.mlpackages/y',
    'safetensors',
    'openvino_model.xml.txt',
    'model.safetensors.txt',
    'model.safetensors.index.json.txt',
    'm.gguf.txt',
    'm.onnx.txt',
    'm.h5.txt',
    'saved_model.pb.txt',
    'variables/a/b',
    'm.msgpack.txt',
    'm.bin.txt',
    'm.bin.index.json.txt',
    'm.bin.index.a/b.json',
    'm.ot.txt',
    'm.mlmodel.txt',
  ])('%s is no weight file', (path) => {
    expect(weightFormat(path)).toBeUndefined();
  });
});

describe('a format', () => {
  it('takes one of the seven formats of gpt2', () => {
    const weights = weightsIn('gpt2');
    expect(dropped('gpt2', { format: 'safetensors' })).toEqual(but(weights, 'model.safetensors'));
    expect(dropped('gpt2', { format: 'pytorch' })).toEqual(but(weights, 'pytorch_model.bin'));
    expect(dropped('gpt2', { format: 'onnx' })).toEqual(but(weights, /\.onnx$/u));
    expect(dropped('gpt2', { format: 'tensorflow' })).toEqual(
      but(weights, 'tf_model.h5', /\.tflite$/u),
    );
    expect(dropped('gpt2', { format: 'flax' })).toEqual(but(weights, 'flax_model.msgpack'));
  });

  it("leaves out Mistral's second copy of the weights", () => {
    expect(dropped('mistral', { format: 'safetensors' })).toEqual(['consolidated.safetensors']);
  });

  it('leaves an index out with its shards', () => {
    expect(dropped('mixtral', { format: 'safetensors' })).toEqual(
      but(weightsIn('mixtral'), /\/?model[-.]/u).concat(
        'pytorch_model-00001-of-00002.bin',
        'pytorch_model-00002-of-00002.bin',
        'pytorch_model.bin.index.json',
      ),
    );
    expect(dropped('mixtral', { format: 'pytorch' })).toEqual(
      but(weightsIn('mixtral'), /^pytorch_/u),
    );
    expect(dropped('mixtral', { format: 'safetensors', exclude: ['model-*'] })).toEqual([
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
      'model.safetensors.index.json',
      ...weightsIn('mixtral').filter((path) => path.startsWith('pytorch')),
    ]);
  });

  it('keeps consolidated weights in a folder without others', () => {
    const paths = [
      'consolidated.safetensors',
      'hf/model.safetensors',
      'hf/unconsolidated.safetensors',
      'params.json',
      'raw/consolidated.safetensors',
      'raw/mymodel.safetensors',
      'two/hf/consolidated.00.safetensors',
      'two/hf/model-00001-of-00001.safetensors',
    ];
    expect(dropped(paths, { format: 'safetensors' })).toEqual([
      'two/hf/consolidated.00.safetensors',
    ]);
  });

  it('takes the weights of openvino and keeps tokenizers', () => {
    expect(dropped('openvino', { format: 'openvino' })).toEqual([]);
    expect(dropped('sentence-transformers', { format: 'openvino' })).toEqual(
      but(weightsIn('sentence-transformers'), /^openvino\//u),
    );
    expect(dropped('sentence-transformers', { format: 'safetensors' })).toEqual(
      but(weightsIn('sentence-transformers'), 'model.safetensors'),
    );
  });

  it('stands beside include and exclude', () => {
    expect(
      dropped('sdxl', { format: 'safetensors', exclude: ['sd_xl_*', '*.png'] }).filter(
        (path) => path.endsWith('.safetensors') || path.endsWith('.png'),
      ),
    ).toEqual([
      '01.png',
      'comparison.png',
      'pipeline.png',
      'sd_xl_base_1.0.safetensors',
      'sd_xl_base_1.0_0.9vae.safetensors',
      'sd_xl_offset_example-lora_1.0.safetensors',
    ]);
  });

  it('that the repository does not have is an error with the formats it has', () => {
    const files = filesOf(lists.openvino);
    expect(() => selectFiles(files, { format: 'safetensors' })).toThrow(
      expect.objectContaining({
        code: 'EHUG_SELECTION',
        message: 'no weights in the format safetensors at this commit: it has openvino (60 B)',
        hint: 'For example: format: openvino',
      }),
    );
    expect(() => selectFiles(filesOf(['README.md']), { format: 'gguf' })).toThrow(
      'it has no weight files',
    );
  });

  it('is offered with the size of what it takes', () => {
    expect(formatsIn(filesOf(lists.gpt2))).toEqual([
      { format: 'safetensors', size: 10 },
      { format: 'pytorch', size: 10 },
      { format: 'onnx', size: 30 },
      { format: 'tensorflow', size: 40 },
      { format: 'flax', size: 10 },
      { format: 'rust', size: 10 },
    ]);
    expect(formatsIn(filesOf(lists.mistral))).toEqual([{ format: 'safetensors', size: 40 }]);
  });
});

describe('a variant', () => {
  it('is taken in each folder that has it', () => {
    const kept = but(
      lists.sdxl,
      ...dropped('sdxl', { format: 'safetensors', variant: 'fp16' }),
    ).filter((path) => weightFormat(path) !== undefined);
    expect(kept).toEqual([
      'sd_xl_base_1.0.safetensors',
      'sd_xl_base_1.0_0.9vae.safetensors',
      'sd_xl_offset_example-lora_1.0.safetensors',
      'text_encoder/model.fp16.safetensors',
      'text_encoder_2/model.fp16.safetensors',
      'unet/diffusion_pytorch_model.fp16.safetensors',
      'vae/diffusion_pytorch_model.fp16.safetensors',
      'vae_1_0/diffusion_pytorch_model.fp16.safetensors',
    ]);
  });

  it('stands alone, for the weights of all formats', () => {
    const kept = but(lists.sdxl, ...dropped('sdxl', { variant: 'fp16' }));
    expect(kept.filter((path) => path.startsWith('unet/'))).toEqual([
      'unet/config.json',
      'unet/diffusion_pytorch_model.fp16.safetensors',
    ]);
    expect(kept.filter((path) => path.startsWith('vae_decoder/'))).toHaveLength(4);
  });

  it('has shards and an index, in both ways that diffusers and transformers name them', () => {
    const paths = [
      'a/model-00001-of-00002.safetensors',
      'a/model-00002-of-00002.safetensors',
      'a/model.fp16-00001-of-00002.safetensors',
      'a/model.fp16-00002-of-00002.safetensors',
      'a/model.safetensors.index.fp16.json',
      'a/model.safetensors.index.json',
      'b/model-00001-of-00001.fp16.bin',
      'b/model.bin.index.fp16.json',
      'b/model.bin',
    ];
    expect(dropped(paths, { variant: 'fp16' })).toEqual([
      'a/model-00001-of-00002.safetensors',
      'a/model-00002-of-00002.safetensors',
      'a/model.safetensors.index.json',
      'b/model.bin',
    ]);
  });

  it('has no index without its shards', () => {
    const paths = [
      'model-00001-of-00001.safetensors',
      'model.fp16-00001-of-00001.safetensors',
      'model.safetensors.index.fp16.json',
      'model.safetensors.index.json',
      'x-00001-of-00001.fp16.bin',
      'x.fp16.bin.index.json',
    ];
    expect(dropped(paths, { variant: 'fp16', exclude: ['*fp16*'] })).toEqual([
      'model.fp16-00001-of-00001.safetensors',
      'model.safetensors.index.fp16.json',
      'x-00001-of-00001.fp16.bin',
      'x.fp16.bin.index.json',
    ]);
    expect(dropped(paths, { exclude: ['*.bin'] })).toEqual(['x-00001-of-00001.fp16.bin']);
  });

  it('is a part of the name of a weight file, not of a folder or of another file', () => {
    const paths = ['a.fp16.b/model.safetensors', 'config.fp16.json', 'model.safetensors'];
    const { files, warnings } = selectFiles(filesOf(paths), { variant: 'fp16' });
    expect(files).toHaveLength(3);
    expect(warnings).toHaveLength(1);
    const one = filesOf(['model.fp16.safetensors', 'vae/model.safetensors']);
    expect(selectFiles(one, { variant: 'fp16' }).warnings).toEqual([]);
  });

  it('leaves other variants out where a folder has none', () => {
    const paths = [
      'unet/m.fp16.safetensors',
      'unet/m.safetensors',
      'vae/m.safetensors',
      'vae/m.non_ema.safetensors',
      'vae/sd_xl_1.0.safetensors',
      'vae/only.bf16.safetensors',
    ];
    expect(dropped(paths, { variant: 'fp16' })).toEqual([
      'unet/m.safetensors',
      'vae/m.non_ema.safetensors',
    ]);
  });

  it('that no file has is a warning with those there are', () => {
    const { warnings } = selectFiles(filesOf(lists.sdxl), { variant: 'fp61' });
    expect(warnings).toEqual([
      'no weight file has the variant fp61, so the plain ones are kept; of other variants, there are fp16',
    ]);
    expect(selectFiles(filesOf(lists.gpt2), { variant: 'fp16' }).warnings).toEqual([
      'no weight file has the variant fp16, so the plain ones are kept; of other variants, there are none',
    ]);
  });
});
