import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { runCli } from '../support/run-cli.ts';
import { asUser } from '../support/spawn-cli.ts';
import { messagesOf, patternOf } from '../support/troubleshooting.ts';
import { type Confinement, runConfined, hasLlama, llamaCli } from './confined.ts';

// Each message of other programs in docs/troubleshooting.md, as they print it.

// On a busy machine the libraries take half a minute to be imported.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const ROOT = path.join(import.meta.dirname, '..', '..');
const TRANSFORMERS = ['loaders-0.36.2', 'loaders-1.23.0', 'loaders'];

const CONFIG = 'from transformers import AutoConfig; AutoConfig.from_pretrained("acme/name")';

let hub: Hub;
let folder: string;

beforeAll(async () => {
  hub = await startHub();
  folder = await mkdtemp(path.join(tmpdir(), 'nix-hug-'));
  const repo = await hub.createRepo({ type: 'model', id: 'acme/name' });
  await repo.commit({ files: { 'config.json': '{}\n', 'model.safetensors': lfs('weights') } });
});
afterAll(async () => {
  await hub.close();
  await rm(folder, { recursive: true, force: true });
});

/**
 * What Python prints to stderr.
 *
 * @param venv an environment of `scripts/setup-loaders.sh`
 * @param uid another user to run as
 */
async function python(
  venv: string,
  code: string,
  env: Confinement['env'] = {},
  uid?: number,
): Promise<string> {
  const program = path.join(ROOT, '.cache/python', venv, 'bin/python');
  const own = { HOME: folder, HF_HOME: path.join(folder, 'hf'), HF_HUB_OFFLINE: '1' };
  const command = [program, '-c', code];
  const asked = uid === undefined ? command : asUser(uid, command);
  return (await runConfined(asked, { folder, env: { ...own, ...env } })).stderr;
}

/**
 * Has an older client load, online and as somebody else, from a cache that lacks the folders which this
 * client makes: a cache as nix-hug 0.1 built it, which only its owner may change.
 */
async function foreignCache(): Promise<string> {
  const cache = path.join(folder, 'cache');
  const project = path.join(folder, 'project');
  await mkdir(project);
  await writeFile(path.join(project, 'hug.yaml'), 'models: { m: acme/name }\n');
  const user = { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cache };
  const env = { ...user, XDG_CACHE_HOME: folder, HF_HUB_DISABLE_SYMLINKS: '1' };
  for (const argv of [['lock'], ['export']]) {
    expect(await runCli(argv, { cwd: project, env })).toMatchObject({ status: 0 });
  }
  for (const name of ['.locks', 'models--acme--name/blobs']) {
    await rm(path.join(cache, name), { recursive: true });
  }
  await chmod(folder, 0o755);
  const online = { ...user, HF_HUB_OFFLINE: '0' };
  return python('loaders-1.23.0', CONFIG, online, 65_534);
}

/** What produces the messages of the page; the keys are these messages. */
const PRODUCERS: Readonly<Record<string, () => Promise<readonly string[]>>> = {
  "We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the cached files":
    () => {
      return Promise.all(TRANSFORMERS.map((venv) => python(venv, CONFIG)));
    },
  "ConnectionError: Couldn't reach '…' on the Hub (OfflineModeIsEnabled)": async () => [
    await python('loaders', 'from datasets import load_dataset; load_dataset("acme/Reviews")'),
  ],
  'PermissionError at … another user is downloading the same model': async () => [
    await foreignCache(),
  ],
  'error: --model is required': async () => {
    const command = llamaCli([folder], 'acme/name:Q4_K_M', ['--offline']);
    return [(await runConfined(command, { folder, env: { HOME: folder } })).stderr];
  },
};

it('are all of those that the page has of other programs', () => {
  expect(Object.keys(PRODUCERS)).toEqual(messagesOf('loaders'));
});

for (const [message, produce] of Object.entries(PRODUCERS)) {
  const needsLlama = message.includes('--model');
  it.skipIf(needsLlama && !hasLlama)(message, async () => {
    for (const text of await produce()) expect(text).toMatch(patternOf(message));
  });
}
