import { type Hub, lfs } from './hub/index.ts';

/** Creates what the manifests in `examples/` name. Equal content gives equal git ids on every run. */
export async function createExampleRepos(hub: Hub): Promise<void> {
  const model = await hub.createRepo({ type: 'model', id: 'nix-hug-examples/tiny-llama' });
  const first = await model.commit({
    message: 'Initial model',
    files: {
      '.gitattributes': '*.safetensors filter=lfs diff=lfs merge=lfs -text\n',
      'README.md':
        '---\nlicense: mit\n---\n# tiny-llama\n\nA model that is only large enough to be loaded.\n',
      'config.json': json({ architectures: ['LlamaForCausalLM'], hidden_size: 4, vocab_size: 8 }),
      'tokenizer.json': json({ version: '1.0', model: { type: 'WordLevel', vocab: { a: 0 } } }),
      'model-00001-of-00002.safetensors': lfs(safetensors('embed_tokens', 32, 1)),
      'model-00002-of-00002.safetensors': lfs(safetensors('lm_head', 32, 2)),
      'model.safetensors.index.json': json({
        weight_map: {
          embed_tokens: 'model-00001-of-00002.safetensors',
          lm_head: 'model-00002-of-00002.safetensors',
        },
      }),
      'onnx/model.onnx': lfs('a graph that the examples leave out'),
    },
  });
  await model.tag('v1.0.0', first);
  const base = await hub.createRepo({ type: 'model', id: 'nix-hug-examples/tiny-base' });
  await base.commit({
    message: 'Initial model',
    files: {
      'README.md': '---\nlicense: mit\n---\n# tiny-base\n',
      'config.json': json({ architectures: ['LlamaForCausalLM'], hidden_size: 4, vocab_size: 8 }),
      'model.safetensors': lfs(safetensors('embed_tokens', 32, 3)),
      'pytorch_model.bin': lfs('the same weights in another format'),
    },
  });
  const adapter = await hub.createRepo({ type: 'model', id: 'nix-hug-examples/tiny-lora' });
  await adapter.commit({
    message: 'Initial adapter',
    files: {
      'README.md': '---\nlicense: mit\nbase_model: nix-hug-examples/tiny-base\n---\n# tiny-lora\n',
      'adapter_config.json': json({
        base_model_name_or_path: 'nix-hug-examples/tiny-base',
        peft_type: 'LORA',
      }),
      'adapter_model.safetensors': lfs(safetensors('lora_A', 8, 4)),
    },
  });
  const quantized = await hub.createRepo({ type: 'model', id: 'nix-hug-examples/tiny-gguf' });
  await quantized.commit({
    message: 'Initial model',
    files: {
      '.gitattributes': '*.gguf filter=lfs diff=lfs merge=lfs -text\n',
      'README.md': '---\nlicense: mit\n---\n# tiny-gguf\n',
      'tiny-Q4_K_M.gguf': lfs(gguf(4)),
      'tiny-Q8_0.gguf': lfs(gguf(8)),
    },
  });
  const dataset = await hub.createRepo({ type: 'dataset', id: 'nix-hug-examples/rows' });
  await dataset.commit({
    message: 'Initial rows',
    files: {
      '.gitattributes': '*.jsonl filter=lfs diff=lfs merge=lfs -text\n',
      'README.md': '---\nlicense: mit\n---\n# rows\n',
      'data/train.jsonl': lfs('{"text":"one"}\n{"text":"two"}\n'),
      'data/größe & co.csv': 'name,size\nä,1\n',
    },
  });
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** A file of one float32 tensor, https://huggingface.co/docs/safetensors/index#format. */
function safetensors(name: string, length: number, value: number): Buffer {
  const data = Buffer.from(new Float32Array(length).fill(value).buffer);
  const tensor = { dtype: 'F32', shape: [length], data_offsets: [0, data.length] };
  const header = Buffer.from(JSON.stringify({ [name]: tensor }));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([size, header, data]);
}

/** A file without tensors, whose only fact is how it is quantized. */
function gguf(bits: number): Buffer {
  const header = Buffer.alloc(24);
  header.write('GGUF');
  header.writeUInt32LE(3, 4);
  return Buffer.concat([header, Buffer.alloc(8, bits)]);
}
