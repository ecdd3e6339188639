import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { runCli } from '../support/run-cli.ts';
import { serve } from '../support/served.ts';
import {
  type Call,
  callLoaders,
  type Confinement,
  type Libraries,
  runConfined,
  hasLlama,
  llamaCli,
} from './confined.ts';
import { fillHub, MANIFEST, type Source } from './loader-hub.ts';

// transformers and llama.cpp, with a network, an empty cache and `nix-hug serve` for a Hub.

// On a busy machine the libraries take half a minute to be imported.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

/** A GGUF file of version 3 without tensors and facts. */
const GGUF = `GGUF\u0003${'\0'.repeat(19)}`;

let hub: Hub;
let folder: string;
let source: Source;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  hub = await startHub();
  folder = await mkdtemp(path.join(tmpdir(), 'nix-hug-serve-'));
  source = await fillHub(hub, folder);
  const gguf = await hub.createRepo({ type: 'model', id: 'acme/gguf' });
  await gguf.commit({ files: { 'a b/tiny-Q4_K_M.gguf': lfs(GGUF), 'tiny-Q8_0.gguf': lfs('x') } });
  const manifest = MANIFEST.replace('models:', 'models:\n  gguf: acme/gguf:Q4_K_M');
  await writeFile(path.join(folder, 'hug.yaml'), manifest);
  env = { HF_ENDPOINT: hub.endpoint, HF_HOME: path.join(folder, 'hf'), XDG_CACHE_HOME: folder };
  for (const command of ['lock', 'export']) {
    expect(await runCli([command], { cwd: folder, env })).toMatchObject({ status: 0 });
  }
  hub.clearRequests();
});
afterAll(async () => {
  await hub.close();
  await rm(folder, { recursive: true, force: true });
});

/** Somebody with an empty cache who reaches nothing but the server. */
async function user(): Promise<Confinement> {
  const { address } = await serve({ cwd: folder, env });
  const home = await mkdtemp(path.join(folder, 'user ü'));
  await mkdir(path.join(home, 'tmp'));
  return { folder, env: { HOME: home, HF_ENDPOINT: address, MODEL_ENDPOINT: `${address}/` } };
}

const load = async (libraries: Libraries, ...calls: readonly Call[]) =>
  callLoaders(libraries, await user(), calls);

it('gives transformers with torch the model that was saved', async () => {
  expect(await load('debian', ['logits', { model: 'acme/llama' }])).toEqual([source.logits]);
  expect(hub.requests).toEqual([]);
});

it.each(['debian', 'newest'] as const)(
  'gives the %s transformers tokens and configuration',
  async (libraries) => {
    const model = 'acme/llama';
    expect(await load(libraries, ['tokens', { model }], ['config', { model }])).toEqual([
      { ids: [3, 4, 5, 6, 7, 8, 9], text: 'the cache is read only and offline' },
      expect.objectContaining({ model_type: 'llama', hidden_size: 32 }),
    ]);
    expect(hub.requests).toEqual([]);
  },
);

it.skipIf(!hasLlama)('gives llama.cpp the quant, in a folder with a space', async () => {
  const somebody = await user();
  const command = llamaCli([folder], 'acme/gguf:Q4_K_M');
  const { stdout, stderr } = await runConfined(command, somebody);
  // The file has no model in it; the message says which file that was.
  const [, file = ''] = /'(?<file>[^']+\.gguf)'/u.exec(stdout + stderr) ?? [];
  expect(file, stdout + stderr).toMatch(/\/snapshots\/[0-9a-f]{40}\/a b\/tiny-Q4_K_M\.gguf$/u);
  expect(await readFile(file, 'latin1')).toBe(GGUF);
  expect(hub.requests).toEqual([]);
});
