import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { folderFacts } from '../support/folder-facts.ts';
import { type Hub, startHub } from '../support/hub/index.ts';
import { createNix, LIBRARY, type Nix, nixString, PKGS } from '../support/nix.ts';
import { runCli } from '../support/run-cli.ts';
import { serve } from '../support/served.ts';
import { CLIENTS, type Model, MODEL_FILES } from './clients.ts';
import type { Confinement } from './confined.ts';

// Programs of several years load what is locked by branch, tag and commit from a cache that Nix built
// and from one that `export` wrote, with a network and without.

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const CACHES = ['store cache', 'export', 'export --link'] as const;
const WAYS = ['main', 'tag', 'commit'] as const;
/** First without a network: with one, a client may write what a cache lacks. */
const MODES = ['offline', 'online'] as const;

type Cache = (typeof CACHES)[number];
type Mode = (typeof MODES)[number];

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
      files: MODEL_FILES,
    });
    await repo.tag('v1', rev);
    models.push({ id, rev, revision: { main: undefined, tag: 'v1', commit: rev }[way] });
  }
  const entries = models.map(({ id, revision = 'main' }) => {
    return `  ${path.basename(id)}: { repo: ${id}, ref: ${revision} }\n`;
  });
  await writeFile(path.join(nix.folder, 'hug.yaml'), `models:\n${entries.join('')}`);
  const hubOf = (kind: Cache) => path.join(nix.folder, `user of ${kind}`, 'hf', 'hub');
  for (const [argv, kind] of [
    [['lock'], 'export'],
    [['export'], 'export'],
    [['export', '--link'], 'export --link'],
  ] as const) {
    const env = {
      ...nix.environment,
      HF_ENDPOINT: hub.endpoint,
      HF_HUB_CACHE: hubOf(kind),
      XDG_CACHE_HOME: nix.folder,
    };
    const { status, stderr } = await runCli(argv, { cwd: nix.folder, env });
    expect(status, stderr).toBe(0);
  }
  const lock = nixString(path.join(nix.folder, 'hug.lock.json'));
  const hug = `(${LIBRARY} { pkgs = ${PKGS}; endpoint = "${hub.endpoint}"; }).importLock ${lock}`;
  const built = await nix.build(`(${hug}).cache`);
  for (const [kind, cache] of [
    ['store cache', built],
    ['export', hubOf('export')],
    ['export --link', hubOf('export --link')],
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

/** Somebody with an empty cache who reaches one address. */
async function newcomer(name: string, endpoint: string): Promise<Confinement> {
  const folder = path.join(nix.folder, `newcomer ${name}`);
  await mkdir(path.join(folder, 'tmp'), { recursive: true });
  const env = {
    HOME: folder,
    HF_HOME: path.join(folder, 'hf'),
    HF_ENDPOINT: endpoint,
    MODEL_ENDPOINT: `${endpoint}/`,
    HF_HUB_DISABLE_XET: '1',
  };
  return { folder: nix.folder, env };
}

describe('nix-hug serve, with an empty cache and no other network,', () => {
  it.each(CLIENTS)('is loaded from by $name', async ({ name, load, file }) => {
    const exported = caches.get('export')?.cache ?? '';
    const env = { HF_HUB_CACHE: exported, XDG_CACHE_HOME: nix.folder, PATH: '/nowhere' };
    const { address } = await serve({ cwd: nix.folder, env });
    hub.clearRequests();
    const found = await load(await newcomer(name, address), models, 'online');
    const expected = models.map(({ rev }) =>
      file === undefined ? `/snapshots/${rev}` : `/snapshots/${rev}/${file}`,
    );
    const outcomes = found.map((text, index) => text.endsWith(expected[index] ?? '?'));
    for (const [index, way] of WAYS.entries()) {
      const outcome = outcomes[index] === true ? 'loads' : 'fails';
      rows.push({ client: name, cache: 'serve', way, mode: 'online', outcome });
    }
    expect(outcomes, found.join('\n')).toEqual(WAYS.map(() => true));
    expect(hub.requests).toEqual([]);
  });
});

describe('a cache of links into the store', () => {
  it.each(CLIENTS.filter(({ name }) => name.startsWith('huggingface_hub')))(
    'follows a branch, takes other models, and is filled after the collector, with $name',
    async ({ name, load }) => {
      const [id, other] = ['acme/moving', 'acme/other'].map(
        (each) => `${each}-${name.replaceAll(/[^\d.]/gu, '')}`,
      ) as [string, string];
      const repo = await hub.createRepo({ type: 'model', id });
      await repo.commit({ files: MODEL_FILES });
      const beside = await hub.createRepo({ type: 'model', id: other });
      const otherRev = await beside.commit({ files: MODEL_FILES });
      const user = await newcomer(name.replaceAll(/\W/gu, ''), hub.endpoint);
      const project = path.join(user.env['HOME'] ?? '', 'project');
      const cache = path.join(user.env['HF_HOME'] ?? '', 'hub');
      await mkdir(project);
      await writeFile(path.join(project, 'hug.yaml'), `models: { m: ${id} }\n`);
      const env = { ...nix.environment, ...user.env, XDG_CACHE_HOME: project };
      for (const argv of [['lock'], ['export', '--link']]) {
        const { status, stderr } = await runCli(argv, { cwd: project, env });
        expect(status, stderr).toBe(0);
      }
      const moved = await repo.commit({ files: { 'extra.json': '{}' } });
      const [next, added] = await load(
        { ...user, store: nix.storeDir },
        [
          { id, rev: moved, revision: undefined },
          { id: other, rev: otherRev, revision: undefined },
        ],
        'online',
      );
      expect(next).toMatch(new RegExp(`/snapshots/${moved}$`, 'u'));
      expect(added).toMatch(new RegExp(`/snapshots/${otherRev}$`, 'u'));
      await rm(path.join(cache, `models--${id.replace('/', '--')}`, '.nix-hug-roots'), {
        recursive: true,
      });
      await nix.run('nix-store', '--gc');
      const again = await load(user, [{ id, rev: moved, revision: undefined }], 'online');
      expect(again).toEqual([next]);
      expect(await readFile(path.join(next ?? '', 'config.json'), 'utf8')).toBe(
        MODEL_FILES['config.json'],
      );
    },
  );
});

/** The variables with a network, and without: a Hub that is not there, so that none is asked in vain. */
const network = (mode: Mode): Readonly<Record<string, string>> =>
  mode === 'online'
    ? { HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: '0' }
    : { HF_ENDPOINT: 'http://127.0.0.1:9', HF_HUB_OFFLINE: '1' };
