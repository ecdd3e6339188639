import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { folderFacts } from '../support/folder-facts.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { createNix, LIBRARY, type Nix, nixString, PKGS } from '../support/nix.ts';
import { runCli } from '../support/run-cli.ts';
import { type Confinement, runConfined } from './confined.ts';

// Programs of several years load what is locked by branch, tag and commit from a cache that Nix built
// and from one that `export` wrote, with a network and without.

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const ROOT = path.join(import.meta.dirname, '..', '..');
const CACHES = ['store cache', 'export'] as const;
const WAYS = ['main', 'tag', 'commit'] as const;
/** First without a network: with one, a client may write what a cache lacks. */
const MODES = ['offline', 'online'] as const;

type Cache = (typeof CACHES)[number];
type Mode = (typeof MODES)[number];

/** A model for each way to lock it, whose id is that. */
interface Model {
  readonly id: string;
  readonly rev: string;
  /** What a client asks for; `undefined` for none. */
  readonly revision: string | undefined;
}

/** A program, and what it makes of models: the path of each, or its error. */
interface Client {
  readonly name: string;
  readonly load: (user: Confinement, models: readonly Model[], mode: Mode) => Promise<string[]>;
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

const LLAMA_ROOT = path.join(ROOT, '.cache/llama-root');
const llama: Client = {
  name: 'llama.cpp (Debian)',
  file: 'tiny-Q4_K_M.gguf',
  load: (user, models, mode) =>
    Promise.all(
      models.map(async ({ id }) => {
        const inRoot = [path.join(ROOT, 'scripts/nix-current'), LLAMA_ROOT];
        // A read-only mount is no part of the bind mount of the folder around it.
        const seen = [user.folder, user.store ?? user.folder];
        const binds = seen.flatMap((name) => ['--bind', name, name]);
        const flags = mode === 'offline' ? ['--offline'] : [];
        const program = ['llama-cli', '-hf', `${id}:Q4_K_M`, ...flags, '-p', 'x', '-n', '1'];
        const { stdout, stderr } = await runConfined([...inRoot, ...binds, ...program], user);
        // The file has no model in it; the message says which file that was.
        const file = /'(?<file>[^']+\.gguf)'/u.exec(stdout + stderr);
        return file?.groups?.['file'] ?? stdout + stderr;
      }),
    ),
};

const CLIENTS: readonly Client[] = [
  python('loaders-0.36.2', 'huggingface_hub 0.36.2, transformers 4.57'),
  python('loaders-1.23.0', 'huggingface_hub 1.23.0, transformers 5.12'),
  python('loaders', 'huggingface_hub 2.4.0, transformers 5.23'),
  ...(existsSync(HF_HUB) ? [rust] : []),
  ...(existsSync(LLAMA_ROOT) ? [llama] : []),
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
  model: { type: 'WordLevel', vocab: { '<unk>': 0, hello: 1 }, unk_token: '<unk>' },
};

/** A GGUF file of version 3 without tensors and facts. */
const GGUF = `GGUF\u0003${'\0'.repeat(19)}`;

let hub: Hub;
let nix: Nix;
let models: Model[];
const caches = new Map<Cache, { readonly user: Confinement; readonly cache: string }>();
const rows: Record<string, string>[] = [];

/** Somebody with a cache, in a folder that is writable. */
async function userOf(kind: Cache, cache: string): Promise<Confinement> {
  const folder = path.join(nix.folder, `user of ${kind}`);
  const home = path.join(folder, 'hf');
  await mkdir(home, { recursive: true });
  // hf-hub 0.x reads no other variable than HF_HOME.
  if (kind === 'store cache') await symlink(cache, path.join(home, 'hub'));
  const env = {
    HOME: folder,
    HF_HOME: home,
    HF_HUB_CACHE: cache,
    HUGGINGFACE_HUB_CACHE: cache,
    HF_HUB_DISABLE_XET: '1',
  };
  return { folder: nix.folder, ...(kind === 'export' ? {} : { store: nix.storeDir }), env };
}

beforeAll(async () => {
  hub = await startHub();
  nix = await createNix();
  models = [];
  for (const way of WAYS) {
    const id = `acme/${way}`;
    const repo = await hub.createRepo({ type: 'model', id });
    const rev = await repo.commit({
      files: {
        'config.json': '{"model_type":"llama"}\n',
        'tokenizer.json': JSON.stringify(TOKENIZER),
        'tokenizer_config.json': '{"tokenizer_class":"PreTrainedTokenizerFast"}\n',
        'tiny-Q4_K_M.gguf': lfs(GGUF),
      },
    });
    await repo.tag('v1', rev);
    models.push({ id, rev, revision: { main: undefined, tag: 'v1', commit: rev }[way] });
  }
  const entries = models.map(({ id, revision = 'main' }) => {
    return `  ${path.basename(id)}: { repo: ${id}, ref: ${revision} }\n`;
  });
  await writeFile(path.join(nix.folder, 'hug.yaml'), `models:\n${entries.join('')}`);
  const exported = path.join(nix.folder, 'user of export', 'hf', 'hub');
  const env = { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: exported, XDG_CACHE_HOME: nix.folder };
  for (const argv of [['lock'], ['export']]) {
    const { status, stderr } = await runCli(argv, { cwd: nix.folder, env });
    expect(status, stderr).toBe(0);
  }
  const lock = nixString(path.join(nix.folder, 'hug.lock.json'));
  const hug = `(${LIBRARY} { pkgs = ${PKGS}; endpoint = "${hub.endpoint}"; }).importLock ${lock}`;
  const built = await nix.build(`(${hug}).cache`);
  for (const [kind, cache] of [
    ['store cache', built],
    ['export', exported],
  ] as const) {
    caches.set(kind, { user: await userOf(kind, cache), cache });
  }
});
afterAll(async () => {
  console.table(rows);
  await hub.close();
  await nix.close();
});

describe.each(MODES)('%s, what is locked by branch, tag and commit', (mode) => {
  describe.each(CACHES)('is loaded from the %s', (kind) => {
    it.each(CLIENTS)('by $name', async ({ name, load, file }) => {
      const { user, cache } = caches.get(kind) ?? expect.unreachable('a cache is missing');
      const before = await folderFacts(cache);
      hub.clearRequests();
      const found = await load({ ...user, env: { ...user.env, ...network(mode) } }, models, mode);
      const expected = models.map(({ id, rev }) => {
        const folder = path.join(`models--${id.replace('/', '--')}`, 'snapshots', rev);
        return file === undefined ? folder : path.join(folder, file);
      });
      const outcomes = found.map((text, index) => text.endsWith(`/${expected[index]}`));
      for (const [index, way] of WAYS.entries()) {
        const outcome = outcomes[index] === true ? 'loads' : 'fails';
        rows.push({ client: name, cache: kind, way, mode, outcome });
      }
      expect(outcomes, found.join('\n')).toEqual(WAYS.map(() => true));
      const downloads = hub.requests.filter(
        ({ method, origin, url }) =>
          method === 'GET' && (origin === 'cdn' || url.includes('/resolve')),
      );
      expect(downloads).toEqual([]);
      if (mode === 'offline') expect(hub.requests).toEqual([]);
      expect(await folderFacts(cache)).toMatchObject(before);
    });
  });
});

/** The variables with a network, and without: a Hub that is not there, so that none is asked in vain. */
const network = (mode: Mode): Readonly<Record<string, string>> =>
  mode === 'online'
    ? { HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: '0' }
    : { HF_ENDPOINT: 'http://127.0.0.1:9', HF_HUB_OFFLINE: '1' };
