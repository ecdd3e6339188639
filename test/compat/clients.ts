import { existsSync } from 'node:fs';
import path from 'node:path';
import { type FileContent, lfs } from '../support/hub/index.ts';
import { type Confinement, runConfined, hasLlama, llamaCli } from './confined.ts';

// Programs of several years that load a model by branch, tag or commit.

const ROOT = path.join(import.meta.dirname, '..', '..');

/** A model for each way to lock it, whose id is that. */
export interface Model {
  readonly id: string;
  readonly rev: string;
  /** What a client asks for; `undefined` for none. */
  readonly revision: string | undefined;
}

/** A program, and what it makes of models: the path of each, or its error. */
export interface Client {
  readonly name: string;
  readonly load: (
    user: Confinement,
    models: readonly Model[],
    mode: 'offline' | 'online',
  ) => Promise<string[]>;
  /** File whose path it gives; `undefined` for the folder. */
  readonly file?: string;
}

const python = (venv: string, name: string): Client => ({
  name,
  load: async (user, models) => {
    const program = path.join(ROOT, '.cache/python', venv, 'bin/python');
    const wanted = JSON.stringify(models.map(({ id, revision }) => [id, revision ?? null]));
    const script = path.join(import.meta.dirname, 'clients.py');
    const { stdout, stderr } = await runConfined([program, script, wanted], user);
    const found: string[] = stdout === '' ? models.map(() => stderr) : JSON.parse(stdout);
    return found;
  },
});

const HF_HUB = path.join(ROOT, '.cache/hf-hub/release/hf-hub-client');
const rust: Client = {
  name: 'hf-hub 0.5.0 (Rust)',
  file: 'config.json',
  load: (user, models, mode) =>
    Promise.all(
      models.map(async ({ id, revision = 'main' }) => {
        const place = mode === 'online' ? 'hub' : 'cache';
        const command = [HF_HUB, place, id, revision, 'config.json'];
        const { stdout, stderr } = await runConfined(command, user);
        return stdout.trim() || stderr;
      }),
    ),
};

const llama: Client = {
  name: 'llama.cpp (Debian)',
  file: 'tiny-Q4_K_M.gguf',
  load: (user, models, mode) =>
    Promise.all(
      models.map(async ({ id }) => {
        // A read-only mount is no part of the bind mount of the folder around it.
        const seen = [user.folder, user.store ?? user.folder];
        const flags = mode === 'offline' ? ['--offline'] : [];
        const command = llamaCli(seen, `${id}:Q4_K_M`, flags);
        const { stdout, stderr } = await runConfined(command, user);
        // The file has no model in it; the message says which file that was.
        const file = /'(?<file>[^']+\.gguf)'/u.exec(stdout + stderr);
        return file?.groups?.['file'] ?? stdout + stderr;
      }),
    ),
};

/** Those that are installed on this machine. */
export const CLIENTS: readonly Client[] = [
  python('loaders-0.36.2', 'huggingface_hub 0.36.2, transformers 4.57'),
  python('loaders-1.23.0', 'huggingface_hub 1.23.0, transformers 5.12'),
  python('loaders', 'huggingface_hub 2.4.0, transformers 5.23'),
  ...(existsSync(HF_HUB) ? [rust] : []),
  ...(hasLlama ? [llama] : []),
];

const TOKENIZER = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'Whitespace' },
  post_processor: null,
  decoder: null,
  model: { type: 'WordLevel', vocab: { '<unk>': 0, hello: 1, world: 2 }, unk_token: '<unk>' },
};

/** A GGUF file of version 3 without tensors and facts. */
const GGUF = `GGUF\u0003${'\0'.repeat(19)}`;

/** The files of a model that all of them load. */
export const MODEL_FILES: Readonly<Record<string, FileContent>> = {
  'config.json': '{"model_type":"llama"}\n',
  'tokenizer.json': JSON.stringify(TOKENIZER),
  'tokenizer_config.json': '{"tokenizer_class":"PreTrainedTokenizerFast"}\n',
  'tiny-Q4_K_M.gguf': lfs(GGUF),
};
