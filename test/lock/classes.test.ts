import { describe, expect, it } from 'vitest';
import { classesOf, classOf } from '../../src/lock/classes.ts';

describe('the class of a file of a model', () => {
  it.each([
    ['model-00001-of-00002.safetensors', 'weights'],
    ['model.safetensors.index.json', 'weights'],
    ['pytorch_model.bin', 'weights'],
    ['unet/diffusion_pytorch_model.fp16.safetensors', 'weights'],
    ['modeling_x.py', 'code'],
    ['tokenizer.py', 'code'],
    ['scripts/convert.py', 'code'],
    ['tokenizer.json', 'tokenizer'],
    ['tokenizer_config.json', 'tokenizer'],
    ['tokenizer_2/tokenizer_config.json', 'tokenizer'],
    ['tokenizer.model', 'tokenizer'],
    ['spiece.model', 'tokenizer'],
    ['source.spm', 'tokenizer'],
    ['qwen.tiktoken', 'tokenizer'],
    ['vocab.txt', 'tokenizer'],
    ['vocab.json', 'tokenizer'],
    ['text/merges.txt', 'tokenizer'],
    ['special_tokens_map.json', 'tokenizer'],
    ['added_tokens.json', 'tokenizer'],
    ['chat_template.jinja', 'tokenizer'],
    ['additional_chat_templates/rag.jinja', 'tokenizer'],
    ['config.json', 'config'],
    ['tokenizer/config.json', 'config'],
    ['generation_config.json', 'config'],
    ['LICENSE.json', 'config'],
    ['README.md', 'docs'],
    ['README', 'docs'],
    ['docs/usage.md', 'docs'],
    ['LICENSE', 'docs'],
    ['LICENSE.txt', 'docs'],
    ['NOTICE', 'docs'],
    ['.gitattributes', 'docs'],
    ['assets/logo.PNG', 'docs'],
    ['license_plates.csv', 'data'],
    ['old_merges.txt', 'data'],
    ['gitattributes', 'data'],
    ['my.gitattributes', 'data'],
    ['MYLICENSE', 'data'],
    ['preview.png.zip', 'data'],
    ['notes.txt', 'data'],
    ['chat.jinja', 'data'],
    ['run.pyc', 'data'],
  ] as const)('%s: %s', (path, expected) => {
    expect(classOf(path, 'model')).toBe(expected);
  });
});

describe('the class of a file of a dataset', () => {
  it.each([
    ['train/cat/1.png', 'data'],
    ['pages/one.md', 'data'],
    ['data/train.parquet', 'data'],
    ['README.md', 'docs'],
    ['.gitattributes', 'docs'],
    ['dataset_infos.json', 'config'],
    ['loader.py', 'code'],
  ] as const)('%s: %s', (path, expected) => {
    expect(classOf(path, 'dataset')).toBe(expected);
  });
});

describe('the classes of several files', () => {
  it('are each listed once, weights first and data last', () => {
    const paths = ['x.txt', 'README.md', 'config.json', 'a.py', 'b.py', 'tokenizer.json', 'm.gguf'];
    expect(classesOf(paths, 'model')).toEqual([
      'weights',
      'code',
      'tokenizer',
      'config',
      'docs',
      'data',
    ]);
  });

  it('are none for no file', () => {
    expect(classesOf([], 'model')).toEqual([]);
  });
});
