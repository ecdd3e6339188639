import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type FileContent, type Hub, lfs } from '../support/hub/index.ts';
import { callLoaders, type Confinement } from './confined.ts';

/** A shard of the model. */
export const SHARD = 'model-00001-of-00004.safetensors';

/** Of what `fillHub` makes; `old-chats` is what `chats` was before. */
export const MANIFEST = `
models:
  llama: acme/llama
  quant: { repo: acme/quant, files: [tiny.gguf] }
datasets:
  reviews: acme/Reviews
  chats: acme/chats
  old-chats: { repo: acme/chats, ref: v1 }
`;

/** Rows of `acme/Reviews`, in Parquet; its split `train` has two files. */
export const REVIEWS = {
  train: [0, 1, 2].map((id) => ({ id, text: `row ${id}` })),
  test: [{ id: 3, text: 'row 3' }],
};

const CHATS_CARD = `---
configs:
- config_name: en
  default: true
  data_files: en/*.jsonl
- config_name: de
  data_files: de/*.jsonl
---
`;

/** What the libraries found in the files that they wrote. */
export interface Source {
  readonly versions: Readonly<Record<string, unknown>>;
  /** Of the model, from the folder that it was saved in. */
  readonly logits: unknown;
  /** Of `SHARD`. */
  readonly tensors: unknown;
}

/** Has the libraries make models and datasets in an empty folder, and commits them to a hub. */
export async function fillHub(hub: Hub, folder: string): Promise<Source> {
  const [home, llama, quant, reviews] = ['home', 'llama', 'quant', 'Reviews'].map((name) =>
    path.join(folder, name),
  ) as [string, string, string, string];
  await Promise.all([home, llama, quant, reviews].map((name) => mkdir(name)));
  const user: Confinement = { folder, env: { HOME: home, HF_HUB_OFFLINE: '1' } };
  const [debian, newest] = await Promise.all([
    callLoaders('debian', user, [
      ['versions', {}],
      ['make_llama', { folder: llama }],
      ['logits', { model: llama }],
      ['tensors', { file: path.join(llama, SHARD) }],
    ]),
    callLoaders('newest', user, [
      ['versions', {}],
      ['make_gguf', { file: path.join(quant, 'tiny.gguf') }],
      ['make_parquet', { folder: reviews, splits: { train: [[0, 1], [2]], test: [[3]] } }],
    ]),
  ]);

  await commit(hub, 'model', 'acme/llama', await filesOf(llama, '.safetensors'));
  const gguf = await filesOf(quant, '.gguf');
  await commit(hub, 'model', 'acme/quant', { 'README.md': 'Not selected.\n', ...gguf });
  await commit(hub, 'dataset', 'acme/Reviews', await filesOf(reviews, '.parquet'));
  const chats = await commit(hub, 'dataset', 'acme/chats', {
    'README.md': CHATS_CARD,
    'en/train.jsonl': '{"text":"hi"}\n',
    'de/train.jsonl': '{"text":"grüß dich"}\n',
  });
  await chats.repo.tag('v1', chats.id);
  await chats.repo.commit({ files: { 'en/train.jsonl': '{"text":"hello"}\n' } });

  const [, , logits, tensors] = debian;
  return { versions: { debian: debian[0], newest: newest[0] }, logits, tensors };
}

type Files = Readonly<Record<string, FileContent>>;

async function commit(hub: Hub, type: 'model' | 'dataset', id: string, files: Files) {
  const repo = await hub.createRepo({ type, id });
  return { repo, id: await repo.commit({ files }) };
}

/** The files of a folder; those with such an ending in LFS. */
export async function filesOf(folder: string, ending: string): Promise<Files> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(async ({ parentPath, name }) => {
      const file = path.join(parentPath, name);
      const content = await readFile(file);
      return [path.relative(folder, file), name.endsWith(ending) ? lfs(content) : content] as const;
    });
  return Object.fromEntries(await Promise.all(files));
}
