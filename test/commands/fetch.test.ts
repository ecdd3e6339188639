import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { repoFolderName } from '../../src/cache/layout.ts';
import { hexOfSri } from '../../src/digest.ts';
import type { LockedFile } from '../../src/lock/schema.ts';
import {
  type CachedProject,
  cachedProject,
  importedLock,
  put,
  realiseAll,
} from '../support/cached-project.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { injectAlways } from '../support/inject.ts';
import { type IsolatedStore, storeObjects } from '../support/isolated-store.ts';
import { createProject } from '../support/project.ts';
import { describeClients, callPython } from '../support/python.ts';
import { smallDisk } from '../support/small-disk.ts';
import { spawnCli } from '../support/spawn-cli.ts';
import { tempFolder } from '../support/temp.ts';

const exec = promisify(execFile);

const TOKEN = 'test-token-of-the-owner';
const SHARDS = 30;

let hub: Hub;

const project = (manifest: string, places?: Parameters<typeof cachedProject>[2]) =>
  cachedProject(hub, manifest, places);

/** Puts content into a Hugging Face cache as the official client does, as far as it is looked at. */
async function cacheBlob(cache: string, id: string, content: string, etag?: string) {
  const sha256 = createHash('sha256').update(content).digest('hex');
  return put(path.join(cache, repoFolderName('model', id), 'blobs', etag ?? sha256), content);
}

/** A file of the entry `tiny`. */
async function lockedFile(lock: CachedProject['lock'], name: string): Promise<LockedFile> {
  const file = (await lock()).models.get('tiny')?.files.get(name);
  if (file === undefined) throw new Error(`${name} is not locked`);
  return file;
}

const requested = () => hub.requests.map(({ url }) => path.posix.basename(url.split('?')[0] ?? ''));

beforeAll(async () => {
  hub = await startHub();
  hub.addToken(TOKEN);
  const tiny = await hub.createRepo({ type: 'model', id: 'org/tiny', aliases: ['tiny'] });
  await tiny.commit({
    files: {
      '.gitattributes': '*.safetensors filter=lfs\n',
      'config.json': '{}\n',
      'sub/config.json': '{ "sub": true }\n',
      'copy.json': '{}\n',
      'empty.txt': '',
      'größe & co.csv': 'a,b\n',
      '-dash --flag': 'x',
      [`${'n'.repeat(250)}.txt`]: 'long',
      'model.safetensors': lfs('weights'),
    },
  });
  const rows = await hub.createRepo({ type: 'dataset', id: 'org/rows' });
  await rows.commit({ files: { 'config.json': '{}\n', 'data/train.parquet': lfs('rows') } });
  const sharded = await hub.createRepo({ type: 'model', id: 'org/sharded' });
  await sharded.commit({
    files: Array.from({ length: SHARDS }, (_, index) => [
      `model-${String(index + 1).padStart(5, '0')}-of-00030.safetensors`,
      lfs.generated({ size: 64 * 1024 + index, seed: index }),
    ]),
  });
  const gated = await hub.createRepo({ type: 'model', id: 'org/gated', gated: 'manual' });
  await gated.commit({
    files: { 'config.json': '{"g":1}', 'w.safetensors': lfs('gated weights') },
  });
  const odd = await hub.createRepo({ type: 'model', id: 'org/odd' });
  await odd.commit({ files: { 'a\u202eb.txt': '' } });
  const open = await hub.createRepo({ type: 'model', id: 'org/open' });
  await open.commit({ files: { 'config.json': '{"g":1}' } });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

const BOTH = 'models: { tiny: org/tiny }\ndatasets: { rows: org/rows }';

describe('fetch', () => {
  it('adds 30 shards to the store, so that a build downloads nothing', async () => {
    const made = await project('models: { sharded: org/sharded }');
    const { status, stdout, stderr } = await made.run(['fetch']);
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    expect(stdout).toContain('added to the Nix store: 30 files');
    expect(stdout).toContain('30 files of 1 entry are there');
    hub.clearRequests();
    expect((await realiseAll(made)).length).toBe(SHARDS);
    expect(hub.requests).toEqual([]);
  });

  it('adds file names of every kind, and downloads each content once', async () => {
    const made = await project(BOTH);
    const { json, status } = await made.run(['fetch', '--json']);
    expect(status).toBe(0);
    const requests = requested().filter((name) => name === 'config.json' || name === 'copy.json');
    // A plain file is redirected once: two requests for `{}`, two for the one in `sub`.
    expect(requests.length).toBe(4);
    const { entries, changed } = json();
    expect(changed).toBe(true);
    expect(entries.map(({ name }: { name: string }) => name)).toEqual(['tiny', 'rows']);
    for (const { path: file, storePath, size, source } of entries[0].files) {
      expect([file, (await readFile(storePath)).length, source]).toEqual([file, size, 'hub']);
    }
    hub.clearRequests();
    expect((await realiseAll(made)).length).toBe(11);
    expect(hub.requests).toEqual([]);
  });

  it('leaves no temporary files, and makes no request the second time', async () => {
    const { run, home, store } = await project(BOTH);
    await run(['fetch']);
    const before = await storeObjects(store);
    expect(await readdir(path.join(home, 'work', 'nix-hug'))).toEqual(['downloads']);
    expect(await readdir(path.join(home, 'work', 'nix-hug', 'downloads'))).toEqual([]);
    hub.clearRequests();
    const { status, stdout, stderr } = await run(['fetch']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toBe('in the Nix store already: 11 files of 2 entries\n');
    expect(hub.requests).toEqual([]);
    expect(await storeObjects(store)).toEqual(before);
  });

  it('adds only the named entries', async () => {
    const { run } = await project(BOTH);
    const { json } = await run(['fetch', '--json', 'rows']);
    expect(json().entries.map(({ name }: { name: string }) => name)).toEqual(['rows']);
    expect(requested()).not.toContain('model.safetensors');
    expect((await run(['fetch', 'models.tiny', 'rows'])).stdout).toContain('2 entries');
  });

  it('lists the missing files with --dry-run, and adds none', async () => {
    const { run, store } = await project(BOTH);
    const { status, stdout } = await run(['fetch', '--dry-run']);
    expect(status).toBe(0);
    expect(stdout).toContain('missing in the Nix store: 9 files');
    expect(stdout).toContain('models.tiny model.safetensors  7 B');
    expect(hub.requests).toEqual([]);
    expect(await storeObjects(store)).toEqual([]);
  });

  it('shows one plain line for each entry on a pipe, and with --verbose for each file', async () => {
    const { run } = await project('datasets: { rows: org/rows }');
    expect((await run(['fetch'])).stderr).toBe(
      'datasets.rows: 2 files, 7 B\nnext: nix build, which downloads none of these files\n',
    );
    expect((await run(['fetch'])).stderr).toBe('');
    const { run: again } = await project('datasets: { rows: org/rows }');
    const { stderr } = await again(['fetch', '--verbose']);
    expect(stderr.split('\n').toSorted()).toEqual([
      '',
      'datasets.rows config.json: 3 B',
      'datasets.rows data/train.parquet: 4 B',
      'next: nix build, which downloads none of these files',
    ]);
  });

  it.each(['fetch --dry-run', 'fetch', 'export', 'verify'])(
    'escapes control characters in file names: %s',
    async (command) => {
      const { run } = await project('models: { odd: org/odd }');
      if (command === 'verify') await run(['fetch']);
      const { status, stdout, stderr } = await run([...command.split(' '), '-v']);
      expect(status).toBe(0);
      expect(stdout + stderr).toContain(String.raw`a\u202eb.txt`);
      expect(stdout + stderr).not.toContain('\u202e');
    },
  );

  it('keeps files from the garbage collector with --gc-root', async () => {
    const { run, store, folder } = await project(BOTH);
    expect((await run(['fetch', '--gc-root', 'roots'])).status).toBe(0);
    expect((await readdir(path.join(folder, 'roots'))).toSorted()).toEqual([
      'datasets.rows',
      'models.tiny',
    ]);
    await store.nix('nix-store', '--gc');
    expect((await run(['fetch'])).stdout).toContain('already');
    const { run: plain, store: other } = await project(BOTH);
    await plain(['fetch']);
    await other.nix('nix-store', '--gc');
    expect(await storeObjects(other)).toEqual([]);
  });

  /** Has Nix keep its store below a root, where its paths do not lead. */
  const below = (root: string, storeFolder: string) => ({
    NIX_REMOTE: root,
    NIX_STORE_DIR: storeFolder,
    NIX_STATE_DIR: '/of-another-root/var/nix',
    NIX_LOG_DIR: '/of-another-root/var/log/nix',
  });

  it('fills a store below another root, whose own path does not exist', async () => {
    const { run } = await project('datasets: { rows: org/rows }');
    const storeFolder = '/of-another-root/store';
    const root = await tempFolder();
    const { status, stdout } = await run(['fetch'], below(root, storeFolder));
    expect([status, stdout]).toEqual([0, expect.stringContaining('2 files of 1 entry are there')]);
    const names = await readdir(path.join(root, 'nix', 'store'));
    expect(names.some((name) => name.endsWith('-train.parquet'))).toBe(true);
  });

  it('ignores the disk space at the path of a store that is below another root', async ({
    skip,
  }) => {
    const { folder } = await smallDisk(1024 * 1024, skip);
    const { run } = await project('models: { sharded: org/sharded }');
    const { status, stdout } = await run(['fetch'], below(await tempFolder(), folder));
    expect([status, stdout]).toEqual([0, expect.stringContaining('30 files of 1 entry')]);
  });

  it('downloads a gated model with a token, and never sends it to the CDN', async () => {
    const made = await project('models: { gated: org/gated }', {
      env: { HF_TOKEN: TOKEN },
    });
    const { status, stdout, stderr } = await made.run(['fetch', '--debug']);
    expect(status).toBe(0);
    expect(stdout + stderr).not.toContain(TOKEN);
    expect(stderr).toContain(`, store folder ${made.store.folder}`);
    const cdn = hub.requests.filter(({ origin }) => origin === 'cdn');
    expect(cdn.map(({ authorization }) => authorization)).toEqual([undefined]);
    await realiseAll(made);
    expect(await grep(made.store.folder, TOKEN)).toBe('');
  });

  it('downloads a shared file from the repository that allows it', async () => {
    const made = await project('models: { gated: org/gated, open: org/open }', {
      env: { HF_TOKEN: TOKEN },
    });
    const { status, stderr } = await made.run(['fetch'], { HF_TOKEN: '' });
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_GATED')]);
    const { stdout } = await made.run(['fetch', '--dry-run']);
    expect(stdout).toContain('models.gated w.safetensors');
    expect(stdout).not.toContain('config.json');
  });

  it('names the first repository when all refuse a shared file', async () => {
    const made = await project('models: { gated: org/gated, open: org/open }', {
      env: { HF_TOKEN: TOKEN },
    });
    injectAlways(hub, '/org/open/', { kind: 'status', status: 403 });
    const { status, stderr } = await made.run(['fetch'], { HF_TOKEN: '' });
    expect([status, stderr]).toEqual([1, expect.stringContaining('models.gated: ')]);
    expect(stderr).not.toContain('org/open');
  });

  it('uses a lock that is out of date, with a warning', async () => {
    const { run, manifest } = await project(BOTH);
    await manifest('models: { tiny: org/other }');
    const { status, stderr, stdout } = await run(['fetch', 'rows']);
    expect([status, stderr]).toEqual([0, expect.stringContaining('warning: hug.lock.json is out')]);
    expect(stdout).toContain('2 files of 1 entry are there');
  });

  it('uses the endpoint of the lock when HF_ENDPOINT is not set', async () => {
    const { run } = await project(`endpoint: ${hub.endpoint}\n${BOTH}`);
    const { status } = await run(['fetch'], { HF_ENDPOINT: '' });
    expect(status).toBe(0);
  });
});

/** Files below a folder that hold a text, as grep lists them. */
const grep = async (folder: string, text: string): Promise<string> =>
  (await exec('grep', ['-rl', text, folder]).catch((error: { stdout: string }) => error)).stdout;

describe('the Hugging Face cache', () => {
  const MANIFEST = 'models: { tiny: { repo: tiny, files: [model.safetensors, config.json] } }';

  it('is used instead of the Hub, without a request', async () => {
    const { run, cache, lock } = await project(MANIFEST);
    await cacheBlob(cache, 'org/tiny', 'weights');
    await cacheBlob(cache, 'tiny', '{}\n', (await lockedFile(lock, 'config.json')).oid);
    const { status, stdout } = await run(['fetch']);
    expect([status, hub.requests]).toEqual([0, []]);
    expect(stdout).toContain('2 files (10 B) from the Hugging Face cache');
  });

  it('is verified: a damaged file is downloaded again, with a warning', async () => {
    const { run, cache, lock } = await project(MANIFEST);
    const etag = hexOfSri((await lockedFile(lock, 'model.safetensors')).hash);
    const blob = await cacheBlob(cache, 'org/tiny', 'Weights', etag);
    const { status, stderr, json } = await run(['fetch', '--json']);
    expect(status).toBe(0);
    expect(stderr).toContain(`warning: ${blob} has the digest`);
    expect(stderr).toContain('it was not used');
    expect(json().entries[0].files).toEqual([
      expect.objectContaining({ path: 'config.json', source: 'hub' }),
      expect.objectContaining({ path: 'model.safetensors', source: 'hub' }),
    ]);
    expect(await readFile(blob, 'utf8')).toBe('Weights');
  });

  it('is enough for --offline; missing files are named', async () => {
    const { run, cache, lock } = await project(MANIFEST);
    await cacheBlob(cache, 'org/tiny', 'weights');
    const half = await run(['fetch', '--offline']);
    expect([half.status, half.stderr]).toEqual([1, expect.stringContaining('EHUG_OFFLINE')]);
    expect(half.stderr).toContain(
      'models.tiny: "config.json" is neither in the Nix store nor in the Hugging Face cache',
    );
    expect(half.stderr).not.toContain('"model.safetensors"');
    await cacheBlob(cache, 'org/tiny', '{}\n', (await lockedFile(lock, 'config.json')).oid);
    const full = await run(['fetch'], { HF_HUB_OFFLINE: '1' });
    expect([full.status, hub.requests]).toEqual([0, []]);
  });
});

describeClients((client) => {
  it('loads the cache that Nix builds from the fetched files, without a Hub', async () => {
    const made = await project('models: { sharded: org/sharded, tiny: org/tiny }');
    expect((await made.run(['fetch'])).status).toBe(0);
    hub.clearRequests();
    const cache = (
      await made.store.nix('nix-build', '--no-out-link', '--expr', `(${importedLock(made)}).cache`)
    ).trim();
    const settings = {
      home: await tempFolder(),
      endpoint: 'http://127.0.0.1:9',
      env: { HF_HUB_CACHE: cache, HF_HUB_OFFLINE: '1' },
    };
    const [sharded, weights] = await callPython(client, settings, [
      { call: 'snapshot_download', args: { repo_id: 'org/sharded' } },
      { call: 'hf_hub_download', args: { repo_id: 'org/tiny', filename: 'model.safetensors' } },
    ]);
    expect(sharded).toHaveProperty('value');
    expect((await readdir((sharded as { value: string }).value)).length).toBe(SHARDS);
    expect(await readFile((weights as { value: string }).value, 'utf8')).toBe('weights');
    expect(hub.requests).toEqual([]);
  });

  it('has filled a cache that fetch uses without a request', async () => {
    const { run, home } = await project('models: { tiny: org/tiny }');
    await callPython(client, { home: `${home}/hf`, endpoint: hub.endpoint }, [
      { call: 'snapshot_download', args: { repo_id: 'org/tiny' } },
    ]);
    hub.clearRequests();
    const { status, stderr } = await run(['fetch']);
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    expect(hub.requests).toEqual([]);
  });
});

describe('errors of fetch', () => {
  it('without Nix comes before anything else', async () => {
    const { run } = await project(BOTH);
    const { status, stderr } = await run(['fetch'], { PATH: await tempFolder() });
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_NIX_MISSING')]);
    expect(stderr).toContain('nix-hug lock needs none');
    expect(hub.requests).toEqual([]);
  });

  it('name entries that are not in the lock, with near misses', async () => {
    const { run } = await project(BOTH);
    const { status, stderr } = await run(['fetch', 'tyni', 'nothing-like-it']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('EHUG_ENTRY_UNKNOWN')]);
    expect(stderr).toContain('no entry "tyni"; did you mean "tiny"?');
    expect(stderr).toContain('no entry "nothing-like-it"\n');
  });

  it.each(['fetch', 'export', 'import', 'verify', 'ls'])(
    'say of an entry that is only in the manifest that it is not locked yet: %s',
    async (command) => {
      const { run, manifest } = await project(BOTH);
      await manifest(`${BOTH}\n`.replace('models: {', 'models: { u: org/odd,'));
      const { status, stderr } = await run([command, 'u']);
      expect([status, stderr]).toEqual([
        2,
        'error EHUG_ENTRY_UNKNOWN: u is not locked yet\nhint: Run nix-hug lock.\n',
      ]);
    },
  );

  it('name a missing lock, and a lock with conflict markers', async () => {
    const { run, writeLock } = await project(BOTH);
    await writeLock('<<<<<<< ours\n');
    const conflict = await run(['fetch']);
    expect([conflict.status, conflict.stderr]).toEqual([
      2,
      expect.stringContaining('EHUG_LOCK_CONFLICT'),
    ]);
    const { run: bare } = await createProject(hub.endpoint, BOTH);
    const missing = await bare(['fetch']);
    expect([missing.status, missing.stderr]).toEqual([
      2,
      expect.stringContaining('EHUG_LOCK_MISSING'),
    ]);
    expect(missing.stderr).toContain('nix-hug lock');
  });

  it('name every file that failed, and keep the others in the store', async () => {
    const { run, store } = await project(BOTH);
    injectAlways(hub, '/model.safetensors', {
      kind: 'status',
      status: 404,
      headers: { 'x-error-code': 'EntryNotFound' },
    });
    injectAlways(hub, /sub%2Fconfig.json|sub\/config.json/u, { kind: 'status', status: 403 });
    const { status, stderr } = await run(['fetch']);
    expect(status).toBe(1);
    expect(stderr).toContain('models.tiny: model org/tiny has no file "model.safetensors"');
    expect(stderr).toContain('models.tiny: the Hub forbids model org/tiny');
    expect((await storeObjects(store)).length).toBe(8);
  });

  it('of the digest add nothing to the store, and the next run succeeds', async () => {
    const { run, store, home } = await project('datasets: { rows: org/rows }');
    const injection = hub.inject({
      match: ({ origin }) => origin === 'cdn',
      fault: { kind: 'corrupt' },
      times: Infinity,
    });
    const { status, stderr } = await run(['fetch']);
    injection.remove();
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_INTEGRITY')]);
    expect(stderr).toMatch(
      /"data\/train.parquet" of dataset org\/rows has the digest sha256-.+ expected/u,
    );
    expect((await storeObjects(store)).length).toBe(1);
    expect(await readdir(path.join(home, 'work', 'nix-hug', 'downloads'))).toEqual([]);
    expect((await run(['fetch'])).status).toBe(0);
  });

  it('of the network end the run after 16 files in a row', async () => {
    const many = await hub.createRepo({ type: 'model', id: 'org/many' });
    await many.commit({
      files: Array.from({ length: 100 }, (_, index) => [`${index}.bin`, lfs(`of ${index}`)]),
    });
    const { run } = await project('models: { many: org/many }');
    injectAlways(hub, '/resolve/', { kind: 'reset' });
    const { status, stderr } = await run(['fetch']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_NETWORK')]);
    expect(stderr).toContain('not tried any more: 84 other files');
    const errors = stderr.split('\n').filter((line) => !line.includes('; waiting '));
    expect(errors.length).toBeLessThan(20);
    // One line tells of a wait that several requests share.
    expect(stderr.split('\n').length - errors.length).toBeLessThan(16);
  });

  it('of a read-only store show the output of Nix', async ({ skip }) => {
    const disk = await smallDisk(1024 * 1024, skip);
    const { run } = await project('datasets: { rows: org/rows }', { storeFolder: disk.folder });
    await disk.makeReadOnly();
    const { status, stderr } = await run(['fetch']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_NIX: ')]);
    expect(stderr).toContain(disk.folder);
  });

  it('of disk space come before anything is downloaded', async ({ skip }) => {
    const { folder } = await smallDisk(4 * 1024 * 1024, skip);
    const made = await project('models: { sharded: org/sharded }', { storeFolder: folder });
    const text = (await made.lockText()) ?? '';
    await made.writeLock(text.replaceAll(/"size": \d+/gu, '"size": 1000000000'));
    const { status, stderr } = await made.run(['fetch']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_DISK_FULL')]);
    expect(stderr).toContain('nix-collect-garbage');
    expect(hub.requests).toEqual([]);
  });

  it('of a disk without inodes show the output of Nix, and the next run succeeds', async ({
    skip,
  }) => {
    const { folder } = await smallDisk(16 * 1024 * 1024, skip);
    const { run } = await project('models: { sharded: org/sharded }', { storeFolder: folder });
    await exec('mount', ['-o', 'remount,nr_inodes=12', folder]);
    const { status, stderr } = await run(['fetch']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_NIX: ')]);
    expect(stderr).toContain('No space left on device');
    await exec('mount', ['-o', 'remount,nr_inodes=1000', folder]);
    expect((await run(['fetch'])).status).toBe(0);
  });
});

describe('processes', () => {
  const start = ({ folder, env }: CachedProject, ...argv: string[]) =>
    spawnCli(['-C', folder, ...argv], { cwd: folder, env });

  it('fetch the same at once without harm', async () => {
    const made = await project('models: { sharded: org/sharded }');
    const both = [start(made, 'fetch'), start(made, 'fetch')];
    expect(await Promise.all(both.map(async ({ ended }) => (await ended).status))).toEqual([0, 0]);
    hub.clearRequests();
    await realiseAll(made);
    expect((await made.run(['fetch'])).stdout).toContain('already');
    expect(hub.requests).toEqual([]);
  });

  it('may be killed at any time', async () => {
    const made = await project('models: { sharded: org/sharded }');
    injectAlways(hub, /00030.safetensors|[0-9a-f]{64}/u, { kind: 'slow', bytesPerSecond: 200_000 });
    const { child, ended } = start(made, 'fetch');
    while ((await storeObjects(made.store)).length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill('SIGKILL');
    await ended;
    expect((await storeObjects(made.store)).length).toBeLessThan(SHARDS);
    expect(await sound(made.store)).toBe(true);
    expect((await made.run(['fetch'])).status).toBe(0);
    expect(await sound(made.store)).toBe(true);
    await realiseAll(made);
  });

  it('leave nothing but what is whole when interrupted', async () => {
    const made = await project('models: { sharded: org/sharded }');
    injectAlways(hub, /[0-9a-f]{64}/u, { kind: 'stall', afterBytes: 1000 });
    const { child, ended } = start(made, 'fetch');
    while (hub.requests.every(({ origin }) => origin !== 'cdn')) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill('SIGINT');
    expect((await ended).status).toBe(130);
    expect(await sound(made.store)).toBe(true);
  });
});

/** Whether everything in a store is what its database says. */
const sound = async ({ nix }: IsolatedStore): Promise<boolean> =>
  nix('nix-store', '--verify', '--check-contents').then(
    () => true,
    () => false,
  );
