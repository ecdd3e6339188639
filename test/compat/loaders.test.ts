import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Hub, startHub } from '../support/hub/index.ts';
import { createNix, LIBRARY, type Nix, type NixKind, nixString, PKGS } from '../support/nix.ts';
import { codeBlocks } from '../support/page.ts';
import { callPython, describeClients } from '../support/python.ts';
import { runCli } from '../support/run-cli.ts';
import {
  type Call,
  callLoaders,
  type Confinement,
  type Libraries,
  NEWEST,
  runConfined,
  runPython,
} from './confined.ts';
import { fillHub, MANIFEST, REVIEWS, SHARD, type Source } from './loader-hub.ts';

const PAGE = path.join(import.meta.dirname, '..', '..', 'docs', 'loaders.md');

// On a busy machine the libraries take half a minute to be imported.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let hub: Hub;
let project: string;
let source: Source;
let lock: string;

beforeAll(async () => {
  hub = await startHub();
  project = await mkdtemp(path.join(tmpdir(), 'nix-hug-loaders-'));
  source = await fillHub(hub, project);
  console.info(source.versions);
  await writeFile(path.join(project, 'hug.yaml'), MANIFEST);
  const world = { cwd: project, env: { HF_ENDPOINT: hub.endpoint } };
  expect(await runCli(['lock'], world)).toMatchObject({ status: 0 });
  lock = await readFile(path.join(project, 'hug.lock.json'), 'utf8');
});
afterAll(async () => {
  await hub.close();
  await rm(project, { recursive: true, force: true });
});

/** The page's blocks of code in a language. */
async function codeOf(language: string): Promise<string[]> {
  const blocks = codeBlocks(await readFile(PAGE, 'utf8'));
  return blocks.filter((block) => block.language === language).map(({ code }) => code);
}

/** Rows of a configuration of `acme/chats`. */
const chat = (text: string) => ({ train: [{ text }] });

describe.each<NixKind>(['system', 'current'])('what the %s Nix built', (kind) => {
  let nix: Nix;
  /** An expression: what `importLock` returns. */
  let hug: string;
  let cache: string;
  /** Somebody who is offline, with a store that is read-only. */
  let user: Confinement;

  beforeAll(async () => {
    nix = await createNix(kind);
    console.info(`${kind} Nix: ${nix.version}`);
    const file = await written('hug.lock.json', lock);
    hug = `((${LIBRARY} { pkgs = ${PKGS}; endpoint = "${hub.endpoint}"; }).importLock ${file})`;
    cache = await nix.build(`${hug}.cache`);
    const home = path.join(nix.folder, 'user ü');
    await mkdir(home);
    user = {
      folder: nix.folder,
      store: nix.storeDir,
      env: { HOME: home, HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cache, HF_HUB_OFFLINE: '1' },
    };
    hub.clearRequests();
  });
  afterAll(() => nix.close());

  /** Writes a file that Nix sees, and returns its path as an expression. */
  const written = async (name: string, text: string) => {
    const file = path.join(nix.folder, name);
    await writeFile(file, text);
    return nixString(file);
  };
  const storePath = async (attribute: string) =>
    String(await nix.evaluate(`"\${${hug}.${attribute}}"`));

  const userWith = (env: Confinement['env']) => ({ ...user, env: { ...user.env, ...env } });
  const load = (libraries: Libraries, ...calls: readonly Call[]) =>
    callLoaders(libraries, user, calls);
  /** Runs a block of Python of the page. */
  const runCode = async (libraries: Libraries, block: number, env: Confinement['env'] = {}) => {
    const code = (await codeOf('python'))[block];
    if (code === undefined) throw new Error(`The page has no block ${block}`);
    return runPython(libraries, userWith(env), ['-c', code]);
  };

  it('gives the logits of the folder that the model was saved in', async () => {
    const names = await readdir(path.join(project, 'llama'));
    expect(names).toContain('model.safetensors.index.json');
    const { logits } = source;
    expect(new Set((logits as number[][][]).flat(2)).size).toBeGreaterThan(1);
    expect(await load('debian', ['logits', { model: 'acme/llama' }])).toEqual([logits]);
  });

  it.each(['debian', 'newest'] as const)(
    'gives tokens and configuration to the %s transformers',
    async (libraries) => {
      const model = 'acme/llama';
      expect(await load(libraries, ['tokens', { model }], ['config', { model }])).toEqual([
        { ids: [3, 4, 5, 6, 7, 8, 9], text: 'the cache is read only and offline' },
        expect.objectContaining({ model_type: 'llama', hidden_size: 32 }),
      ]);
    },
  );

  it('gives single files by store path', async () => {
    const shard = await storePath(`models.llama.files.${nixString(SHARD)}`);
    const gguf = await storePath('models.quant.files."tiny.gguf"');
    const rows = [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9, 10, 11],
    ];
    expect(await load('newest', ['tensors', { file: shard }], ['gguf', { file: gguf }])).toEqual([
      source.tensors,
      { 'token_embd.weight': rows },
    ]);
  });

  it('cannot be written to by them', async () => {
    const write = `open(${JSON.stringify(path.join(nix.storeDir, 'x'))}, 'w')`;
    for (const libraries of ['debian', 'newest'] as const) {
      await expect(runPython(libraries, user, ['-c', write])).rejects.toThrow(
        'Read-only file system',
      );
    }
  });

  describe('for datasets', () => {
    it('has Parquet by folder', async () => {
      const folder = await storePath('datasets.reviews');
      const rows = await load(
        'newest',
        ['rows', { path: folder }],
        ['rows', { path: folder, streaming: true }],
        ['snapshot_rows', { dataset: 'acme/Reviews' }],
      );
      expect(rows).toEqual([REVIEWS, REVIEWS, REVIEWS]);
    });

    it('has JSON of each configuration by folder', async () => {
      const dataset = 'acme/chats';
      const rows = await load(
        'newest',
        ['snapshot_rows', { dataset }],
        ['snapshot_rows', { dataset, name: 'en' }],
        ['snapshot_rows', { dataset, name: 'de' }],
      );
      expect(rows).toEqual([chat('hello'), chat('hello'), chat('grüß dich')]);
    });

    it('has nothing by id, without prepared tables', async () => {
      await expect(load('newest', ['rows', { path: 'acme/Reviews' }])).rejects.toThrow(
        /ConnectionError: .*'acme\/Reviews'/u,
      );
    });

    it('is told apart by store path and by snapshot, but not behind a link that moves', async () => {
      const result = path.join(nix.folder, 'result');
      const file = path.join(result, 'en', 'train.jsonl');
      const loadFrom = async (attribute: string, revision: string) => {
        const folder = await storePath(attribute);
        await rm(result, { force: true });
        await symlink(folder, result);
        return load(
          'newest',
          ['rows', { path: folder }],
          ['snapshot_rows', { dataset: 'acme/chats', revision }],
          ['rows', { path: result }],
          ['rows', { path: 'json', data_files: file }],
        );
      };
      const [old, now] = [chat('hi'), chat('hello')];
      expect(await loadFrom('datasets.old-chats', 'v1')).toEqual([old, old, old, old]);
      expect(await loadFrom('datasets.chats', 'main')).toEqual([now, now, old, old]);
    });

    // The Python that prepares is of this system, and not in the root of the current Nix.
    if (kind === 'system') {
      describe('by id', () => {
        let prepared: Confinement['env'];
        beforeAll(async () => {
          const [, recipe = ''] = await codeOf('nix');
          const pkgs = `(${PKGS} // { python3.withPackages = _: ${nixString(NEWEST)}; })`;
          const datasets = `(with ${hug}.datasets; [ reviews chats ])`;
          const tables = await nix.build(
            `import ${await written('recipe.nix', recipe)} { pkgs = ${pkgs}; datasets = ${datasets}; }`,
          );
          const folder = path.join(nix.folder, 'datasets');
          await mkdir(folder);
          const names = await readdir(tables);
          await Promise.all(
            names.map((name) => symlink(path.join(tables, name), path.join(folder, name))),
          );
          prepared = { HF_DATASETS_CACHE: folder };
        });

        it('has what was prepared', async () => {
          const rows = await callLoaders('newest', userWith(prepared), [
            ['rows', { path: 'acme/Reviews' }],
            ['rows', { path: 'acme/Reviews', streaming: true }],
            ['rows', { path: 'acme/chats', name: 'en' }],
            ['rows', { path: 'acme/chats', name: 'de' }],
          ]);
          expect(rows).toEqual([REVIEWS, REVIEWS, chat('hello'), chat('grüß dich')]);
        });

        it('has no default configuration', async () => {
          const calls: Call[] = [['rows', { path: 'acme/chats' }]];
          await expect(callLoaders('newest', userWith(prepared), calls)).rejects.toThrow(
            'Please specify which configuration',
          );
        });

        it('has it for the code of the page', async () => {
          expect(await runCode('newest', 3, prepared)).toBe("{'train': 3, 'test': 1}\n");
        });
      });
    }
  });

  it('loads by the code of the page', async () => {
    const [expression = ''] = await codeOf('nix');
    const file = await written('files.nix', expression);
    const files = (await nix.evaluate(`import ${file} { hug = ${hug}; }`)) as Confinement['env'];
    const printed = await Promise.all([
      runCode('debian', 0),
      runCode('newest', 1, files),
      runCode('newest', 2),
    ]);
    expect(printed).toEqual([
      'torch.Size([1, 5, 10])\n',
      "['token_embd.weight']\n6\n",
      "{'train': 3, 'test': 1}\n",
    ]);
  });

  describeClients((client) => {
    /** Runs a command of the client for its cache, which may ask the hub. */
    const hfCache = async (...args: readonly string[]) => {
      const online = userWith({ HF_HUB_OFFLINE: '0', HF_HUB_DISABLE_UPDATE_CHECK: '1' });
      const script = path.join(path.dirname(client.python), 'hf');
      const run = await runConfined([client.python, script, 'cache', ...args], online);
      hub.clearRequests();
      return run;
    };

    it('has its repositories', async () => {
      const { env } = user;
      const settings = { home: path.join(nix.folder, 'home'), endpoint: hub.endpoint, env };
      const outcomes = await callPython(client, settings, [
        { call: 'snapshot_download', args: { repo_id: 'acme/llama' } },
        { call: 'hf_hub_download', args: { repo_id: 'acme/quant', filename: 'tiny.gguf' } },
        { call: 'scan_cache_dir', args: {} },
      ]);
      const rev = '[0-9a-f]{40}';
      expect(outcomes).toEqual([
        { value: expect.stringMatching(`^${cache}/models--acme--llama/snapshots/${rev}$`) },
        {
          value: expect.stringMatching(`^${cache}/models--acme--quant/snapshots/${rev}/tiny.gguf$`),
        },
        { value: expect.objectContaining({ warnings: [] }) },
      ]);
    });

    it('is listed without warnings', async () => {
      const { status, stdout, stderr } = await hfCache('ls', '--json');
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(JSON.parse(stdout)).toHaveLength(4);
    });

    it.each([
      ['acme/llama', 'model', 9],
      ['acme/Reviews', 'dataset', 3],
    ])('is verified without warnings: %s', async (id, type, files) => {
      const { status, stdout, stderr } = await hfCache('verify', id, '--repo-type', type);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toContain(`Verified ${files} file(s)`);
    });

    it('is verified with a warning where a selection left files out', async () => {
      const { status, stderr } = await hfCache('verify', 'acme/quant');
      expect(status).toBe(0);
      expect(stderr).toContain('1 remote file(s) are missing locally');
    });
  });

  it('is all that was asked for', () => {
    expect(hub.requests).toEqual([]);
  });
});
