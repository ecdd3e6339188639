import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Hub, startHub } from '../support/hub/index.ts';
import { createNix, LIBRARY, type Nix, nixString, PKGS } from '../support/nix.ts';
import { codeBlocks } from '../support/page.ts';
import { runCli } from '../support/run-cli.ts';
import { serve } from '../support/served.ts';
import { callLoaders, type Confinement, type Libraries, runPython } from './confined.ts';
import { filesOf } from './loader-hub.ts';

// The first four sections of docs/cookbook.md: their manifests are locked and their Python runs as it
// stands, offline, from the cache that Nix builds. test/nix/cookbook.test.ts has the other sections.

vi.setConfig({ testTimeout: 300_000, hookTimeout: 600_000 });

const ROOT = path.join(import.meta.dirname, '..', '..');
const PAGE = path.join(ROOT, 'docs', 'cookbook.md');
const LIBRARIES = path.join(ROOT, '.cache/python/dependencies');

/** The sections, with the libraries that they need and what their code prints. */
const SECTIONS: readonly (readonly [section: string, libraries: Libraries, printed: string])[] = [
  ['transformers', 'debian', 'torch.Size([1, 1, 3])\n'],
  ['diffusers', 'debian', "['scheduler', 'unet']\n"],
  ['sentence-transformers', 'debian', '(8,)\n'],
  ['datasets', 'newest', "{'train': 3, 'validation': 1}\n"],
];

const MODELS = [
  'HuggingFaceTB/SmolLM2-135M-Instruct',
  'stabilityai/stable-diffusion-xl-base-1.0',
  'sentence-transformers/all-MiniLM-L6-v2',
];

let hub: Hub;
let nix: Nix;
let user: Confinement;
let blocks: ReturnType<typeof codeBlocks>;

const codeOf = (language: string, section: string): string =>
  blocks.find((block) => block.language === language && block.section === section)?.code ?? '';

beforeAll(async () => {
  blocks = codeBlocks(await readFile(PAGE, 'utf8'));
  hub = await startHub();
  nix = await createNix();
  const made = path.join(nix.folder, 'made');
  const squad = path.join(made, 'squad');
  await mkdir(squad, { recursive: true });
  const maker: Confinement = {
    folder: nix.folder,
    env: { HOME: nix.folder, PYTHONPATH: LIBRARIES, HF_HUB_OFFLINE: '1' },
  };
  await Promise.all([
    runPython('debian', maker, [path.join(import.meta.dirname, 'cookbook.py'), made]),
    callLoaders('newest', { ...maker, env: { HOME: nix.folder } }, [
      ['make_parquet', { folder: squad, splits: { train: [[0, 1, 2]], validation: [[3]] } }],
    ]),
  ]);
  for (const id of MODELS) {
    const repo = await hub.createRepo({ type: 'model', id });
    await repo.commit({ files: await filesOf(path.join(made, id), '.safetensors') });
  }
  const dataset = await hub.createRepo({ type: 'dataset', id: 'rajpurkar/squad' });
  await dataset.commit({ files: await filesOf(squad, '.parquet') });

  const manifests = SECTIONS.map(([section]) => codeOf('yaml', section));
  const entries = (kind: string) =>
    manifests
      .flatMap((text) => (text.startsWith(kind) ? text.split('\n').slice(1) : []))
      .join('\n');
  const manifest = `models:\n${entries('models:')}\ndatasets:\n${entries('datasets:')}\n`;
  await writeFile(path.join(nix.folder, 'hug.yaml'), manifest);
  const world = { cwd: nix.folder, env: { HF_ENDPOINT: hub.endpoint } };
  const { status, stderr } = await runCli(['lock'], world);
  expect(status, stderr).toBe(0);
  const lock = nixString(path.join(nix.folder, 'hug.lock.json'));
  const hug = `((${LIBRARY} { pkgs = ${PKGS}; endpoint = "${hub.endpoint}"; }).importLock ${lock})`;
  const cache = await nix.build(`${hug}.cache`);
  const home = path.join(nix.folder, 'user ü');
  await mkdir(home);
  user = {
    folder: nix.folder,
    store: nix.storeDir,
    env: {
      HOME: home,
      HF_ENDPOINT: 'http://127.0.0.1:9',
      HF_HUB_CACHE: cache,
      HF_HUB_OFFLINE: '1',
    },
  };
  hub.clearRequests();
});
afterAll(async () => {
  await hub.close();
  await nix.close();
});

it.each(SECTIONS)('runs the Python for %s', async (section, libraries, printed) => {
  const paths = libraries === 'debian' ? { PYTHONPATH: LIBRARIES } : {};
  const env = { ...user.env, ...paths };
  const code = codeOf('python', section);
  expect(code).not.toBe('');
  expect(await runPython(libraries, { ...user, env }, ['-c', code])).toBe(printed);
});

it.each(SECTIONS)('fails for %s without the cache', async (section, libraries) => {
  const paths = libraries === 'debian' ? { PYTHONPATH: LIBRARIES } : {};
  const env = { ...user.env, ...paths, HF_HUB_CACHE: path.join(nix.folder, 'nothing') };
  const code = codeOf('python', section);
  await expect(runPython(libraries, { ...user, env }, ['-c', code])).rejects.toThrow(
    /ended with 1: .*Error/su,
  );
});

it('needs the variant of the entry for diffusers', async () => {
  const code = codeOf('python', 'diffusers').replace(', variant="fp16"', '');
  const env = { ...user.env, PYTHONPATH: LIBRARIES };
  await expect(runPython('debian', { ...user, env }, ['-c', code])).rejects.toThrow(
    'no file named diffusion_pytorch_model',
  );
});

describe('nix-hug serve, with an empty cache and no other network,', () => {
  let address: string;

  beforeAll(async () => {
    // The files are in the store; `serve` reads them there.
    const { status, stderr } = await runCli(['fetch'], { cwd: nix.folder, env: serverEnv() });
    expect(status, stderr).toBe(0);
    hub.clearRequests();
  });
  beforeEach(async () => {
    ({ address } = await serve({ cwd: nix.folder, env: serverEnv() }));
  });

  const serverEnv = () => ({
    ...nix.environment,
    HF_ENDPOINT: hub.endpoint,
    XDG_CACHE_HOME: path.join(nix.folder, 'xdg'),
    HF_HOME: path.join(nix.folder, 'hf of the server'),
  });

  it.each(SECTIONS)('gives %s what its code loads', async (section, libraries, printed) => {
    const home = path.join(nix.folder, `newcomer ${section}`);
    await mkdir(home);
    const paths = libraries === 'debian' ? { PYTHONPATH: LIBRARIES } : {};
    const env = { HOME: home, HF_HOME: path.join(home, 'hf'), HF_ENDPOINT: address, ...paths };
    const code = codeOf('python', section);
    expect(await runPython(libraries, { folder: nix.folder, env }, ['-c', code])).toBe(printed);
  });
});

it('asks nothing of the Hub', () => {
  expect(hub.requests).toEqual([]);
});
