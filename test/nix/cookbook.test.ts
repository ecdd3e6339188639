import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseLock } from '../../src/lock/codec.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';
import { codeBlocks } from '../support/page.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp.ts';

// The manifests and the Nix expressions of docs/cookbook.md, with small files under the same names.
// test/compat/cookbook.test.ts runs its Python.

const PAGE = path.join(import.meta.dirname, '..', '..', 'docs', 'cookbook.md');

/** What the repositories of the page have, of each kind of file that a selection tells apart. */
const MODELS = {
  'HuggingFaceTB/SmolLM2-135M-Instruct': ['model.safetensors', 'onnx/model.onnx'],
  'stabilityai/stable-diffusion-xl-base-1.0': [
    'sd_xl_base_1.0.safetensors',
    'unet/diffusion_pytorch_model.fp16.safetensors',
    'unet/diffusion_pytorch_model.safetensors',
  ],
  'sentence-transformers/all-MiniLM-L6-v2': ['model.safetensors', 'pytorch_model.bin'],
  'mistralai/Mistral-7B-Instruct-v0.3': ['model.safetensors', 'consolidated.safetensors'],
  'bartowski/Qwen2.5-0.5B-Instruct-GGUF': [
    'Qwen2.5-0.5B-Instruct-Q4_K_M.gguf',
    'Qwen2.5-0.5B-Instruct-Q8_0.gguf',
  ],
  'BAAI/bge-small-en-v1.5': ['model.safetensors', 'pytorch_model.bin'],
  'Xenova/all-MiniLM-L6-v2': ['onnx/model.onnx', 'onnx/model_quantized.onnx', 'model.h5'],
};

/** What the manifest of a section takes of LFS files, by section. */
const TAKEN: Readonly<Record<string, readonly string[]>> = {
  transformers: ['model.safetensors'],
  diffusers: ['unet/diffusion_pytorch_model.fp16.safetensors'],
  'sentence-transformers': ['model.safetensors'],
  datasets: ['train.parquet'],
  vLLM: ['model.safetensors'],
  'llama.cpp': ['Qwen2.5-0.5B-Instruct-Q4_K_M.gguf'],
  ComfyUI: ['sd_xl_base_1.0.safetensors'],
  'Text Embeddings Inference': ['model.safetensors'],
  'ONNX Runtime, optimum': ['onnx/model.onnx', 'onnx/model_quantized.onnx'],
};

/** A file that the expression of a section builds, and what stands in it. */
const RESULTS: Readonly<Record<string, { readonly file: string; readonly content: RegExp }>> = {
  ollama: { file: '', content: /^FROM \/.+Q4_K_M\.gguf\n$/u },
  ComfyUI: {
    file: '',
    content: /^locked:\n {2}base_path: \/.+-link-tree\n {2}checkpoints: checkpoints\n$/u,
  },
  'Text Embeddings Inference': {
    file: 'bin/embeddings',
    content: /^exec text-embeddings-router --model-id \/.+-bge\S* --served/u,
  },
  'JavaScript: transformers.js and @huggingface/hub': {
    file: 'Xenova/all-MiniLM-L6-v2/onnx/model.onnx',
    content: /^of Xenova/u,
  },
};

/** A nixpkgs that has what the page uses. */
const WRITERS = `(with ${PKGS}; {
  writeText = name: text:
    runCommandLocal name { inherit text; passAsFile = [ "text" ]; } "cp $textPath $out";
  writeShellScriptBin = name: text:
    runCommandLocal name { inherit text; passAsFile = [ "text" ]; } "install -D $textPath $out/bin/\${name}";
})`;

let hub: Hub;
let page: string;

beforeAll(async () => {
  page = await readFile(PAGE, 'utf8');
  hub = await startHub();
  for (const [id, weights] of Object.entries(MODELS)) {
    const repo = await hub.createRepo({ type: 'model', id });
    const files = weights.map((name) => [name, lfs(`of ${id}: ${name}`)] as const);
    await repo.commit({ files: { 'config.json': '{}\n', ...Object.fromEntries(files) } });
  }
  const dataset = await hub.createRepo({ type: 'dataset', id: 'rajpurkar/squad' });
  await dataset.commit({ files: { 'train.parquet': lfs('rows') } });
});
afterAll(() => hub.close());

const blocksOf = (language: string) =>
  codeBlocks(page).filter((block) => block.language === language);

it('knows every manifest and every expression of the page', () => {
  expect(blocksOf('yaml').map(({ section }) => section)).toEqual(Object.keys(TAKEN));
  expect(blocksOf('nix').map(({ section }) => section)).toEqual(Object.keys(RESULTS));
});

/** Locks a manifest in a new folder, and returns the path of the lock. */
async function lock(folder: string, manifest: string): Promise<string> {
  await mkdir(folder);
  await writeFile(path.join(folder, 'hug.yaml'), manifest);
  const world = { cwd: folder, env: { HF_ENDPOINT: hub.endpoint } };
  expect(await runCli(['lock'], world)).toMatchObject({ status: 0 });
  return path.join(folder, 'hug.lock.json');
}

it.each(Object.entries(TAKEN))('takes the files for %s', async (section, files) => {
  const manifest = blocksOf('yaml').find((block) => block.section === section)?.code ?? '';
  const file = await lock(path.join(await tempFolder(), 'project'), manifest);
  const { models, datasets } = parseLock(await readFile(file, 'utf8'), file);
  const taken = [...models.values(), ...datasets.values()].flatMap((entry) =>
    [...entry.files].flatMap(([name, { lfs: isLfs }]) => (isLfs === true ? [name] : [])),
  );
  expect(taken.toSorted()).toEqual(files.toSorted());
});

describeNix('an expression', (nix) => {
  it.each(Object.entries(RESULTS))('builds for %s', async (section, { file, content }) => {
    const folder = path.join(nix().folder, section.replaceAll(/\W/gu, '-'));
    const blocks = codeBlocks(page);
    const at = blocks.findIndex((block) => block.language === 'nix' && block.section === section);
    // An entry that stands in an earlier section is not repeated.
    const manifest = blocks.slice(0, at).findLast(({ language }) => language === 'yaml');
    const locked = await lock(folder, manifest?.code ?? '');
    const expression = path.join(folder, 'expression.nix');
    await writeFile(expression, blocks[at]?.code ?? '');
    const built = await nix().build(`
      let
        nix-hug-lib = ${LIBRARY} { pkgs = ${PKGS}; endpoint = "${hub.endpoint}"; };
        hug = nix-hug-lib.importLock ${nixString(locked)};
        page = import ${nixString(expression)};
      in
      page (builtins.intersectAttrs (builtins.functionArgs page) {
        inherit nix-hug-lib hug;
        pkgs = ${WRITERS};
      })`);
    expect(await readFile(path.join(built, file), 'utf8')).toMatch(content);
  });
});
