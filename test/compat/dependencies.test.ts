import { mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Hub, startHub } from '../support/hub/index.ts';
import { createNix, LIBRARY, type Nix, nixString, PKGS } from '../support/nix.ts';
import { runCli } from '../support/run-cli.ts';
import { type Confinement, runPython } from './confined.ts';
import { filesOf } from './loader-hub.ts';

// A manifest of one line is locked, and programs load its model offline from the cache that Nix builds of
// the lock. They fail when the lock has the model alone.

vi.setConfig({ hookTimeout: 600_000 });

const SCRIPTS = path.join(import.meta.dirname, 'dependencies');
const LIBRARIES = path.join(import.meta.dirname, '../../.cache/python/dependencies');

/** The keys of `needed` in the lock of a manifest with this repository alone. */
const MODELS = {
  lora: ['models/acme/base@main'],
  'pinned-lora': ['models/acme/base@dev', 'models/acme/base@main'],
  xlora: ['models/acme/base@main', 'models/acme/expert-a@main', 'models/acme/expert-b@main'],
  remote: ['models/acme/model-code@main', 'models/acme/tokenizer-code@main'],
  sentences: ['models/acme/pooling-code@main'],
  router: ['models/acme/pooling-code@main'],
  pipeline: ['models/acme/parts@main'],
  voice: ['models/acme/audio-tokenizer@main'],
  clip: ['models/acme/words@main'],
  'text-clip': ['models/acme/text-encoder@main', 'models/acme/words@main'],
};
type Model = keyof typeof MODELS;
const NAMES = Object.keys(MODELS) as readonly Model[];

/** How a program loads a model. */
interface Load {
  /** A function of `load.py`. */
  readonly program: string;
  readonly model: Model;
  /** A repository that the program asks for. */
  readonly asksFor: string;
  /** Its branch, where that is not `main`. */
  readonly branch?: 'dev';
  /** Keyword arguments of the function; default none. */
  readonly options?: { readonly revision: string };
}

const LOADS: readonly Load[] = [
  { program: 'auto_model', model: 'lora', asksFor: 'acme/base' },
  { program: 'auto_peft_model', model: 'lora', asksFor: 'acme/base' },
  { program: 'auto_model', model: 'pinned-lora', asksFor: 'acme/base' },
  { program: 'auto_peft_model', model: 'pinned-lora', asksFor: 'acme/base', branch: 'dev' },
  { program: 'auto_peft_model', model: 'xlora', asksFor: 'acme/base' },
  { program: 'remote_model', model: 'remote', asksFor: 'acme/model-code' },
  { program: 'remote_tokenizer', model: 'remote', asksFor: 'acme/tokenizer-code' },
  { program: 'sentence_transformer', model: 'sentences', asksFor: 'acme/pooling-code' },
  { program: 'sentence_transformer', model: 'router', asksFor: 'acme/pooling-code' },
  { program: 'modular_pipeline', model: 'pipeline', asksFor: 'acme/parts' },
  { program: 'processor', model: 'voice', asksFor: 'acme/audio-tokenizer' },
  { program: 'open_clip_tokenizer', model: 'clip', asksFor: 'acme/words' },
  { program: 'open_clip_model', model: 'text-clip', asksFor: 'acme/text-encoder' },
];

type Outcome = { readonly value: unknown } | { readonly error: string };
type Outcomes = ReadonlyMap<Load, Outcome>;

let hub: Hub;
let nix: Nix;
/** From the folders that the libraries wrote, which have the names of the repositories. */
let fromFolders: Outcomes;
/** From the cache of each model and what it needs. */
let fromCaches: Outcomes;
/** From a cache of all models, without what they need. */
let withoutNeeded: Outcomes;
/** `acme/lora` at its commit, by transformers and by peft; in `fromCaches` too. */
let atCommit: readonly Load[];

beforeAll(async () => {
  hub = await startHub();
  nix = await createNix();
  const made = path.join(nix.folder, 'made');
  await mkdir(made);
  const user: Confinement = {
    folder: nix.folder,
    store: nix.storeDir,
    env: {
      HOME: nix.folder,
      PYTHONPATH: LIBRARIES,
      HF_ENDPOINT: hub.endpoint,
      HF_HUB_OFFLINE: '1',
    },
  };
  await runPython('debian', user, [path.join(SCRIPTS, 'make.py'), made]);
  await fillHub(made);

  const lines = NAMES.map((name) => `  ${name}: acme/${name}\n`);
  const all = `dependencies: ignore\nmodels:\n${lines.join('')}`;
  await lock('all', all);
  await Promise.all(NAMES.map((name, index) => lock(name, `models:\n${lines[index]}`)));
  const [bare = '', ...caches] = await buildCaches([
    `${importLock('all')}.cache`,
    ...NAMES.map((name) => `${importLock(name)}.models.${name}.cache`),
  ]);
  hub.clearRequests();

  const inFolder = (branch: Load['branch']): Job => ({
    folder: path.join(made, branch ?? ''),
    env: { HF_HOME: path.join(nix.folder, `user of ${branch ?? 'main'}`) },
    loads: LOADS.filter((load) => load.branch === branch),
  });
  const inCache = (name: string, cache: string, loads: readonly Load[]): Job => ({
    folder: nix.folder,
    env: { HF_HOME: path.join(nix.folder, `user of ${name}`), HF_HUB_CACHE: cache },
    loads,
  });
  const { rev } = (await readLock('lora')).models.lora;
  atCommit = LOADS.slice(0, 2).map((load) => ({ ...load, options: { revision: rev } }));
  const jobs = NAMES.map((name, index) => {
    const loads = [...LOADS, ...atCommit].filter(({ model }) => model === name);
    return inCache(name, caches[index] ?? '', loads);
  });
  const [main, dev, without, ...needed] = await run(user, [
    inFolder(undefined),
    inFolder('dev'),
    inCache('all', bare, LOADS),
    ...jobs,
  ]);
  fromFolders = new Map([...(main ?? []), ...(dev ?? [])]);
  withoutNeeded = without ?? new Map();
  fromCaches = new Map(needed.flatMap((outcomes) => [...outcomes]));
});
afterAll(async () => {
  await hub.close();
  await nix.close();
});

/** Commits what `make.py` made. */
async function fillHub(folder: string): Promise<void> {
  for (const name of await readdir(path.join(folder, 'acme'))) {
    const repo = await hub.createRepo({ type: 'model', id: `acme/${name}` });
    await repo.commit({ files: await filesOf(path.join(folder, 'acme', name), '.safetensors') });
    if (name !== 'base') continue;
    const files = await filesOf(path.join(folder, 'dev/acme', name), '.safetensors');
    await repo.commit({ branch: 'dev', files });
  }
}

const lockFile = (name: string) => path.join(nix.folder, name, 'hug.lock.json');

const readLock = async (name: string) => JSON.parse(await readFile(lockFile(name), 'utf8'));

/** Locks a manifest in a folder of its own. */
async function lock(name: string, manifest: string): Promise<void> {
  const cwd = path.dirname(lockFile(name));
  await mkdir(cwd);
  await writeFile(path.join(cwd, 'hug.yaml'), manifest);
  const env = { HF_ENDPOINT: hub.endpoint, XDG_CACHE_HOME: nix.folder };
  const { status, stderr } = await runCli(['lock'], { cwd, env });
  expect(status, stderr).toBe(0);
}

const importLock = (name: string) => `(lib.importLock ${nixString(lockFile(name))})`;

/** Builds caches by one run of Nix and returns their paths. */
async function buildCaches(expressions: readonly string[]): Promise<string[]> {
  const links = expressions.map((cache, index) => `"${index}" = ${cache};`);
  const folder = await nix.build(`
    let lib = ${LIBRARY} { pkgs = ${PKGS}; endpoint = "${hub.endpoint}"; };
    in lib.linkTree { ${links.join(' ')} }`);
  return Promise.all(expressions.map((_, index) => realpath(path.join(folder, String(index)))));
}

/** Loads for one process, and where it runs. */
interface Job {
  readonly folder: string;
  readonly env: Confinement['env'];
  readonly loads: readonly Load[];
}

async function run(user: Confinement, jobs: readonly Job[]): Promise<Outcomes[]> {
  const requests = jobs.map((job) => ({
    ...job,
    loads: job.loads.map(({ program, model, options = {} }) => [program, `acme/${model}`, options]),
  }));
  const script = path.join(SCRIPTS, 'load.py');
  const text = await runPython('debian', user, [script, JSON.stringify(requests)]);
  const results: Outcome[][] = JSON.parse(text);
  return jobs.map(({ loads }, job) => {
    const outcomes = results[job] ?? [];
    expect(outcomes).toHaveLength(loads.length);
    return new Map(loads.map((load, index) => [load, outcomes[index] as Outcome]));
  });
}

describe.each(LOADS)('$program of $model', (load) => {
  it('loads from the cache of one line', () => {
    const { value } = fromFolders.get(load) as { value: unknown };
    expect(value).toBeDefined();
    expect(fromCaches.get(load)).toEqual({ value });
  });

  it('fails from a cache of the model alone', () => {
    expect(withoutNeeded.get(load)).toEqual({ error: expect.stringContaining(load.asksFor) });
  });
});

it.each(NAMES)('locks what %s needs', async (name) => {
  const { needed } = await readLock(name);
  expect(Object.keys(needed)).toEqual(MODELS[name]);
});

it('has the base model of an adapter at the branch that it names, and at main', () => {
  const [auto, peft] = LOADS.filter(({ model }) => model === 'pinned-lora');
  expect(fromCaches.get(auto as Load)).not.toEqual(fromCaches.get(peft as Load));
});

it('loads an adapter by its commit with AutoPeftModel, and not with AutoModel', () => {
  const [byTransformers, byPeft] = atCommit.map((load) => fromCaches.get(load));
  expect(byTransformers).toEqual({ error: expect.stringContaining("['acme/base']") });
  expect(byPeft).toEqual(fromFolders.get(LOADS[1] as Load));
});

it('asks nothing of the Hub to load', () => {
  expect(hub.requests).toEqual([]);
});
