import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { folderFacts } from '../support/folder-facts.ts';
import { type HfUser, hfUser, inCache } from '../support/hf-user.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { isolatedStore } from '../support/isolated-store.ts';
import { describeNix } from '../support/nix.ts';
import { callPython, describeClients, type PythonClient } from '../support/python.ts';
import { tempFolder } from '../support/temp.ts';

const exec = promisify(execFile);

const MODEL = 'org/tiny';
const FOLDER = 'models--org--tiny';
const DATASET = 'org/rows.and_more-x';
const TOKEN = 'test-token-of-the-owner';
const LOCKED = 'models: { tiny: org/tiny }\ndatasets: { rows: org/rows.and_more-x }';

let hub: Hub;
/** Commits of the model, the older one first. */
let revs: readonly [string, string];

beforeAll(async () => {
  hub = await startHub();
  hub.addToken(TOKEN);
  const tiny = await hub.createRepo({ type: 'model', id: MODEL, aliases: ['tiny'] });
  const first = await tiny.commit({
    files: {
      'config.json': '{}\n',
      'copy.json': '{}\n',
      'empty.txt': '',
      '10': 'numbers are text',
      '9': 'numbers are text, too',
      ['__proto__']: 'x',
      'sub/deep/größe & x "q" %20.csv': 'a,b\n',
      'sub/\u{ffee}.txt': 'before what is beyond the first plane',
      'sub/\u{1f600}.txt': 'beyond',
      'sub/model.safetensors': lfs('weights'),
      'other.bin': lfs('other weights'),
    },
  });
  await tiny.tag('v1.0', first);
  await tiny.pullRequest(1, first);
  await tiny.branch('dev/x', first);
  const second = await tiny.commit({
    files: { 'config.json': '{"v":2}\n', 'new.bin': lfs('new') },
  });
  revs = [first, second];
  const rows = await hub.createRepo({ type: 'dataset', id: DATASET });
  await rows.commit({
    files: { 'README.md': '# rows\n', 'data/train-0.parquet': lfs('rows'), 'data/x/y.csv': '1' },
  });
  const weights = await hub.createRepo({ type: 'model', id: 'org/weights' });
  await weights.commit({ files: { 'a.bin': lfs('a'), 'b.bin': lfs('b') } });
  const gated = await hub.createRepo({ type: 'model', id: 'org/gated', gated: 'manual' });
  await gated.commit({ files: { 'README.md': '# g\n', 'w.safetensors': lfs('gated weights') } });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

/** Runs nix-hug, and fails unless it ends well. */
async function done(user: HfUser, argv: readonly string[], env?: Readonly<Record<string, string>>) {
  const run = await user.run(argv, env);
  if (run.status !== 0) throw new Error(run.stderr);
  return run;
}

/** What a client makes of downloads without a network. */
async function loadOffline(
  client: PythonClient,
  { home, cache }: HfUser,
  args: Readonly<Record<string, unknown>>,
) {
  const env = { HF_HUB_OFFLINE: '1', HF_HUB_CACHE: cache };
  const settings = { home, endpoint: 'http://127.0.0.1:9', env };
  const [outcome] = await callPython(client, settings, [{ call: 'snapshot_download', args }]);
  return outcome;
}

/**
 * Everything in a cache but what the client does not write: marks of files that a commit does not
 * have, refs named by commits, and `main` of the only revision.
 */
async function factsIn(cache: string, official: Readonly<Record<string, string>>) {
  const facts = Object.entries(await folderFacts(cache));
  return Object.fromEntries(
    facts.filter(
      ([name]) =>
        !/\/(?:\.no_exist(?:\/.*)?|refs\/[0-9a-f]{40})$/u.test(name) &&
        (!name.endsWith('/refs/main') || name in official),
    ),
  );
}

const snapshot = (user: HfUser, rev: string, folder = FOLDER) =>
  inCache(user, folder, 'snapshots', rev);

describeClients((client) => {
  /** What the client writes itself. */
  async function official(calls: readonly Readonly<Record<string, unknown>>[]) {
    const home = await tempFolder();
    await callPython(
      client,
      { home, endpoint: hub.endpoint },
      calls.map((args) => ({ call: 'snapshot_download', args: { repo_id: MODEL, ...args } })),
    );
    return folderFacts(path.join(home, 'hub'));
  }

  it.each([
    ['a model', [MODEL], {}],
    ['a dataset', [`datasets/${DATASET}`], { repo_id: DATASET, repo_type: 'dataset' }],
    ['a tag', [MODEL, '--ref', 'v1.0'], { revision: 'v1.0' }],
    ['a pull request', [MODEL, '--ref', 'refs/pr/1'], { revision: 'refs/pr/1' }],
    ['a nested branch', [MODEL, '--ref', 'dev/x'], { revision: 'dev/x' }],
    [
      'a selection of files',
      [MODEL, '--file', 'sub/model.safetensors', '--file', 'config.json'],
      { allow_patterns: ['sub/model.safetensors', 'config.json'] },
    ],
    ['a selection of weights', [MODEL, '--exclude', 'o*'], { ignore_patterns: ['o*'] }],
  ])('would write the same files for %s', async (_, argv, args) => {
    const user = await hfUser(hub.endpoint);
    const { stderr } = await done(user, ['export', ...argv]);
    expect(stderr).not.toContain('warning');
    expect(stderr).toMatch(/\nnext: load them by their ids, with HF_HUB_OFFLINE=1\n$/u);
    const expected = await official([args]);
    expect(await factsIn(user.cache, expected)).toEqual(expected);
  });

  it('would write the same files for weights in Xet storage', async () => {
    const user = await hfUser(hub.endpoint);
    hub.options.extraTreeField = { xetHash: 'e'.repeat(64) };
    onTestFinished(() => {
      hub.options.extraTreeField = {};
    });
    await done(user, ['export', 'org/weights']);
    const expected = await official([{ repo_id: 'org/weights' }]);
    expect(await factsIn(user.cache, expected)).toEqual(expected);
  });

  it('would write the same files for several revisions', async () => {
    const user = await hfUser(hub.endpoint);
    for (const ref of ['v1.0', revs[0], 'main']) await done(user, ['export', MODEL, '--ref', ref]);
    const args = [{ revision: 'v1.0' }, { revision: revs[0] }, { revision: 'main' }];
    const expected = await official(args);
    expect(await factsIn(user.cache, expected)).toEqual(expected);
  });

  it('would write the same files for a lock', async () => {
    const user = await hfUser(hub.endpoint, LOCKED);
    await done(user, ['export']);
    const args = [{}, { repo_id: DATASET, repo_type: 'dataset' }];
    const expected = await official(args);
    expect(await factsIn(user.cache, expected)).toEqual(expected);
  });

  it('scans, verifies and loads an export', async () => {
    const user = await hfUser(hub.endpoint, LOCKED);
    await done(user, ['export']);
    await done(user, ['export', MODEL, '--ref', 'v1.0']);
    const settings = { home: user.home, endpoint: hub.endpoint, env: { HF_HUB_CACHE: user.cache } };
    const [scan] = await callPython(client, settings, [
      { call: 'scan_cache_dir', args: { cache_dir: user.cache } },
    ]);
    expect(scan).toMatchObject({ value: { warnings: [] } });
    for (const args of [[MODEL], [MODEL, '--revision=v1.0'], [DATASET, '--repo-type=dataset']]) {
      await exec(
        path.join(path.dirname(client.python), 'hf'),
        ['cache', 'verify', ...args, '--fail-on-missing-files', '--fail-on-extra-files'],
        { env: { ...user.env, HF_HUB_CACHE: user.cache } },
      );
    }
    expect(await loadOffline(client, user, { repo_id: MODEL })).toEqual({
      value: snapshot(user, revs[1]),
    });
    expect(await loadOffline(client, user, { repo_id: MODEL, revision: revs[0] })).toEqual({
      value: snapshot(user, revs[0]),
    });
  });

  it.each(['v1.0', 'refs/pr/1', 'a commit'])(
    'loads without a revision what was exported by %s',
    async (what) => {
      const user = await hfUser(hub.endpoint);
      const ref = what === 'a commit' ? revs[0] : what;
      await done(user, ['export', MODEL, '--ref', ref]);
      for (const args of [{}, { revision: ref }, { revision: revs[0] }]) {
        const found = await loadOffline(client, user, { repo_id: MODEL, ...args });
        expect(found).toEqual({ value: snapshot(user, revs[0]) });
      }
    },
  );

  it('has an exported commit survive hf cache prune', async () => {
    const user = await hfUser(hub.endpoint);
    await done(user, ['export', MODEL, '--ref', revs[0]]);
    await done(user, ['export', MODEL]);
    const hf = path.join(path.dirname(client.python), 'hf');
    const argv = ['cache', 'prune', '--yes', '--cache-dir', user.cache];
    await exec(hf, argv, { env: { ...user.env, HF_HUB_OFFLINE: '1' } });
    expect((await readdir(inCache(user, FOLDER, 'snapshots'))).toSorted()).toEqual(revs.toSorted());
  });

  it('knows offline that an exported commit lacks a file', async () => {
    const user = await hfUser(hub.endpoint, LOCKED);
    await done(user, ['export']);
    const env = { HF_HUB_OFFLINE: '1', HF_HUB_CACHE: user.cache };
    const settings = { home: user.home, endpoint: 'http://127.0.0.1:9', env };
    const lookUp = (filename: string) => ({
      call: 'try_to_load_from_cache',
      args: { repo_id: MODEL, filename },
    });
    const found = await callPython(client, settings, [
      lookUp('config.json'),
      lookUp('adapter_config.json'),
      lookUp('unheard-of.json'),
    ]);
    expect(found).toEqual([
      { value: path.join(snapshot(user, revs[1]), 'config.json') },
      { value: expect.stringContaining('object') },
      { value: null },
    ]);
  });

  it('loads a selection of a lock without repeating the selection', async () => {
    const manifest = 'models: { tiny: { repo: org/tiny, include: ["*.safetensors"] } }';
    const user = await hfUser(hub.endpoint, manifest);
    await done(user, ['export', 'tiny']);
    const folder = snapshot(user, revs[1]);
    expect(await loadOffline(client, user, { repo_id: MODEL })).toEqual({ value: folder });
    expect(await readdir(folder)).not.toContain('other.bin');
    expect(await readdir(path.join(folder, 'sub'))).toContain('model.safetensors');
  });

  it('downloads the files outside of a selection when it is online', async () => {
    const manifest = 'models: { tiny: { repo: org/tiny, include: ["*.safetensors"] } }';
    const user = await hfUser(hub.endpoint, manifest);
    await done(user, ['export', 'tiny']);
    const settings = {
      home: user.home,
      endpoint: hub.endpoint,
      env: { HF_HUB_CACHE: user.cache },
    };
    const call = { call: 'snapshot_download', args: { repo_id: MODEL } };
    expect(await callPython(client, settings, [call])).toEqual([
      { value: snapshot(user, revs[1]) },
    ]);
    expect(await readdir(snapshot(user, revs[1]))).toContain('other.bin');
  });

  it('writes entries and repositories together', async () => {
    const user = await hfUser(hub.endpoint, 'models: { tiny: { repo: org/tiny, ref: v1.0 } }');
    hub.clearRequests();
    const argv = ['export', 'tiny', MODEL, `datasets/${DATASET}`];
    const { json } = await done(user, [...argv, '--json']);
    expect(json().entries).toMatchObject([
      { name: 'tiny', type: 'model', rev: revs[0], ref: 'v1.0' },
      { name: null, type: 'model', rev: revs[1], ref: 'main' },
      { name: null, type: 'dataset', repo: DATASET },
    ]);
    // What two of them have is downloaded once.
    const weights = hub.requests.filter(({ url }) => url.endsWith('sub/model.safetensors'));
    expect(weights).toHaveLength(1);
    for (const args of [
      { repo_id: MODEL, revision: 'v1.0' },
      { repo_id: MODEL },
      { repo_id: DATASET, repo_type: 'dataset' },
    ]) {
      expect(await loadOffline(client, user, args)).toMatchObject({ value: expect.any(String) });
    }
  });

  it('finds a repository under the id that was asked for, and under its own', async () => {
    const user = await hfUser(hub.endpoint, 'models: { tiny: "hf:tiny" }');
    const { stdout } = await done(user, ['export']);
    expect(stdout).toBe(`${snapshot(user, revs[1], 'models--tiny')}\n`);
    for (const [id, folder] of [
      ['tiny', 'models--tiny'],
      [MODEL, FOLDER],
    ] as const) {
      expect(await loadOffline(client, user, { repo_id: id })).toEqual({
        value: snapshot(user, revs[1], folder),
      });
    }
    // The bytes are there once.
    for (const blob of await readdir(inCache(user, FOLDER, 'blobs'))) {
      expect((await stat(inCache(user, FOLDER, 'blobs', blob))).nlink).toBe(2);
    }
  });

  it('reads an export without links, which has plain files for it', async () => {
    const user = await hfUser(hub.endpoint, 'models: { tiny: org/tiny }');
    const env = { HF_HUB_DISABLE_SYMLINKS: '1' };
    for (const _ of ['new', 'again']) {
      expect((await user.run(['export'], env)).status).toBe(0);
      const facts = Object.entries(await folderFacts(user.cache));
      const files = facts.filter(([name]) => name.includes('/snapshots/'));
      expect(files.filter(([, fact]) => fact.startsWith('f '))).not.toEqual([]);
      expect(files.filter(([, fact]) => fact.startsWith('->'))).toEqual([]);
    }
    const offline = { HF_HUB_CACHE: user.cache, HF_HUB_OFFLINE: '1', ...env };
    const [found] = await callPython(
      client,
      { home: user.home, endpoint: hub.endpoint, env: offline },
      [{ call: 'snapshot_download', args: { repo_id: MODEL } }],
    );
    expect(found).toMatchObject({ value: expect.stringContaining(revs[1]) });
  });

  it('has written caches without links, whose files become blobs without a download', async () => {
    const user = await hfUser(hub.endpoint, 'models: { tiny: org/tiny }');
    const env = { HF_HUB_CACHE: user.cache, HF_HUB_DISABLE_SYMLINKS: '1' };
    await callPython(client, { home: user.home, endpoint: hub.endpoint, env }, [
      { call: 'snapshot_download', args: { repo_id: MODEL } },
    ]);
    hub.clearRequests();
    await done(user, ['export']);
    expect(hub.requests).toEqual([]);
    const expected = await official([{}]);
    expect(await factsIn(user.cache, expected)).toEqual(expected);
  });
});

describeNix('export with Nix', () => {
  it('copies from the store without a network', async () => {
    const store = await isolatedStore();
    const user = await hfUser(hub.endpoint, LOCKED, store.env);
    await done(user, ['fetch']);
    hub.clearRequests();
    const { json } = await done(user, ['export', '--json', '--offline']);
    expect(hub.requests).toEqual([]);
    const sources = json().entries.flatMap(({ files }: { files: { source: string }[] }) =>
      files.map(({ source }) => source),
    );
    expect(new Set(sources)).toEqual(new Set(['store']));
    // A copy: the user may do with it what the store must not see.
    const [blob = ''] = await readdir(inCache(user, FOLDER, 'blobs'));
    const { nlink, mode } = await stat(inCache(user, FOLDER, 'blobs', blob));
    expect([nlink, mode & 0o777]).toEqual([1, 0o644]);
  });

  it('copies from a store below another root, by the path on the disk', async () => {
    const store = await isolatedStore();
    const root = await tempFolder('root');
    const user = await hfUser(hub.endpoint, LOCKED, {
      ...store.env,
      NIX_STORE_DIR: '/nix/store',
      NIX_STATE_DIR: '/nix/var/nix',
      NIX_REMOTE: `local?root=${root}`,
    });
    await done(user, ['fetch']);
    hub.clearRequests();
    const { json } = await done(user, ['export', '--json', '--offline']);
    expect(new Set(Object.values(sourcesOf(json())))).toEqual(new Set(['store']));
    await rm(user.cache, { recursive: true });
    const verified = await done(user, ['verify', '--json', '--strict']);
    const { files } = verified.json().entries[0];
    expect(new Set(files.map((file: { store: string }) => file.store))).toEqual(new Set(['sound']));
    const stored = await readdir(`${root}/nix/store`);
    const name = stored.find((each) => each.endsWith('-new.bin')) ?? '';
    await exec('chmod', ['u+w', `${root}/nix/store/${name}`]);
    await writeFile(`${root}/nix/store/${name}`, 'old');
    const damaged = await user.run(['verify', '--json']);
    expect([damaged.status, damaged.json().problems]).toMatchObject([
      1,
      [
        {
          path: `${root}/nix/store/${name}`,
          repair: expect.stringContaining(`--referrers-closure /nix/store/${name})`),
        },
      ],
    ]);
  });

  it('downloads a file that is damaged in the store, with a warning', async () => {
    const store = await isolatedStore();
    const user = await hfUser(hub.endpoint, 'models: { tiny: org/tiny }', store.env);
    const { json } = await done(user, ['fetch', '--json']);
    const { storePath } = json().entries[0].files.find(
      ({ path: file }: { path: string }) => file === 'new.bin',
    );
    await exec('chmod', ['u+w', storePath]);
    await writeFile(storePath, 'old');
    const { stderr, ...rest } = await done(user, ['export', '--json']);
    expect(stderr).toContain(`${storePath} has the digest sha256-`);
    expect(sourcesOf(rest.json())).toMatchObject({ 'new.bin': 'hub', 'other.bin': 'store' });
    expect(await readFile(path.join(snapshot(user, revs[1]), 'new.bin'), 'utf8')).toBe('new');
  });

  it('continues without a store when Nix fails', async () => {
    const user = await hfUser(hub.endpoint, 'models: { tiny: org/tiny }');
    const bin = path.join(user.home, 'bin');
    await mkdir(bin);
    await writeFile(path.join(bin, 'nix-instantiate'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const { stderr } = await done(user, ['export'], { PATH: bin });
    expect(stderr).toContain('warning: the Nix store is not used: nix-instantiate');
  });
});

/** Where the files of the first entry came from. */
function sourcesOf({
  entries: [{ files }],
}: {
  entries: [{ files: { path: string; source: string }[] }];
}) {
  return Object.fromEntries(files.map(({ path: file, source }) => [file, source]));
}

describe('export', () => {
  it('asks the Hub that a manifest names', async () => {
    const user = await hfUser(hub.endpoint, `endpoint: ${hub.endpoint}\n`, { HF_ENDPOINT: '' });
    await done(user, ['export', 'hf:org/weights', `${hub.endpoint}/${MODEL}`]);
    expect(await readdir(user.cache)).toEqual(
      expect.arrayContaining([FOLDER, 'models--org--weights']),
    );
  });

  it('prints the snapshots, and where each file came from', async () => {
    const user = await hfUser(hub.endpoint, 'models: { tiny: org/tiny }');
    const [rev] = revs.slice(1);
    const first = (await done(user, ['export', 'tiny', '--include', 'new*', '--json'])).json();
    expect(first).toEqual({
      entries: [
        {
          name: 'tiny',
          type: 'model',
          repo: MODEL,
          ref: 'main',
          rev,
          folder: snapshot(user, revs[1]),
          files: expect.arrayContaining([{ path: 'new.bin', size: 3, source: 'hub' }]),
        },
      ],
    });
    const second = (await done(user, ['export', 'tiny', '--json'])).json();
    expect(sourcesOf(second)).toMatchObject({ 'new.bin': 'cache', 'other.bin': 'hub' });
    expect((await done(user, ['export'])).stdout).toBe(`${snapshot(user, revs[1])}\n`);
  });

  it('leaves no temporary files, and changes nothing the second time', async () => {
    const user = await hfUser(hub.endpoint, LOCKED);
    await done(user, ['export']);
    const names = await readdir(inCache(user, FOLDER));
    expect(names.toSorted()).toEqual(['.no_exist', 'blobs', 'refs', 'snapshots', 'trees']);
    expect(await readdir(`${user.home}/xdg/nix-hug/downloads`)).toEqual([]);
    const inodes = () => exec('find', [user.cache, '-printf', '%i %C@ %p\n']);
    const before = await inodes();
    hub.clearRequests();
    await done(user, ['export']);
    expect(hub.requests).toEqual([]);
    expect(await inodes()).toEqual(before);
  });

  it('adds files to a snapshot that an earlier selection left out', async () => {
    const user = await hfUser(hub.endpoint);
    const whole = await hfUser(hub.endpoint);
    await done(user, ['export', MODEL, '--file', 'sub/model.safetensors']);
    await done(user, ['export', MODEL]);
    await done(whole, ['export', MODEL]);
    expect(await folderFacts(user.cache)).toEqual(await folderFacts(whole.cache));
  });

  /** A project whose lock has `main` at the older commit, and the text of a lock with the newer. */
  async function projectAtOldCommit() {
    const manifest = (ref: string) => `models: { tiny: { repo: org/tiny, ref: ${ref} } }`;
    const user = await hfUser(hub.endpoint, manifest('main'));
    const other = await hfUser(hub.endpoint, manifest('v1.0'));
    const lock = path.join(user.folder, 'hug.lock.json');
    const newer = await readFile(lock, 'utf8');
    const older = JSON.parse(await readFile(path.join(other.folder, 'hug.lock.json'), 'utf8'));
    older.models.tiny.ref = 'main';
    await writeFile(lock, JSON.stringify(older));
    const main = inCache(user, FOLDER, 'refs', 'main');
    const update = () => writeFile(lock, newer);
    return { user, update, main: () => readFile(main, 'utf8') };
  }

  it('does not move a ref back to an older commit', async () => {
    const { user, main } = await projectAtOldCommit();
    await done(user, ['export', MODEL]);
    for (const argv of [['export'], ['export', '--offline']]) {
      const { stderr } = await done(user, argv);
      expect(stderr).toContain(`warning: models.tiny: main of org/tiny stays at ${revs[1]}`);
      expect(await main()).toBe(revs[1]);
    }
    expect(await readdir(inCache(user, FOLDER, 'snapshots'))).toHaveLength(2);
  });

  it('moves a ref that leads nowhere', async () => {
    const { user, main } = await projectAtOldCommit();
    await done(user, ['export', MODEL]);
    await rm(snapshot(user, revs[1]), { recursive: true });
    await done(user, ['export']);
    expect(await main()).toBe(revs[0]);
  });

  it('moves a ref to the newest commit of the Hub', async () => {
    const { user, main, update } = await projectAtOldCommit();
    await done(user, ['export']);
    expect(await main()).toBe(revs[0]);
    await update();
    expect((await done(user, ['export'])).stderr).not.toContain('warning');
    expect(await main()).toBe(revs[1]);
    const named = await hfUser(hub.endpoint, '', { HF_HUB_CACHE: user.cache });
    await writeFile(inCache(user, FOLDER, 'refs', 'main'), revs[0]);
    await done(named, ['export', MODEL]);
    expect(await main()).toBe(revs[1]);
  });

  const refsIn = (user: HfUser) => readdir(inCache(user, FOLDER, 'refs'));

  it('names a ref by each commit, and main where there is no other revision', async () => {
    const user = await hfUser(hub.endpoint);
    await done(user, ['export', MODEL, '--ref', revs[0]]);
    expect(await refsIn(user)).toEqual([revs[0], 'main']);
    for (const ref of [revs[0], 'main']) {
      expect(await readFile(inCache(user, FOLDER, 'refs', ref), 'utf8')).toBe(revs[0]);
    }
    await done(user, ['export', MODEL]);
    expect(await readFile(inCache(user, FOLDER, 'refs', 'main'), 'utf8')).toBe(revs[1]);
  });

  it('names no main among several revisions that are none', async () => {
    const both = `models: { a: { repo: org/tiny, ref: v1.0 }, b: { repo: org/tiny, ref: ${revs[1]} } }`;
    const user = await hfUser(hub.endpoint, both);
    await done(user, ['export']);
    expect((await refsIn(user)).toSorted()).toEqual([...revs, 'v1.0'].toSorted());
  });

  it('marks the files that loaders look for where a commit lacks them', async () => {
    const user = await hfUser(
      hub.endpoint,
      'models: { tiny: org/tiny, weights: { repo: org/weights, files: [a.bin] } }',
    );
    await done(user, ['export']);
    const marks = await readdir(inCache(user, FOLDER, '.no_exist', revs[1]));
    expect(marks).toContain('adapter_config.json');
    expect(marks).not.toContain('config.json');
    expect(await readdir(inCache(user, 'models--org--weights'))).not.toContain('.no_exist');
  });

  it('exports gated models only with a token', async () => {
    const user = await hfUser(hub.endpoint);
    const refused = await user.run(['export', 'org/gated', '--json']);
    expect(refused.json().error.code).toBe('EHUG_GATED');
    await expect(stat(user.cache)).rejects.toThrow('ENOENT');
    await done(user, ['export', 'org/gated', '--file', 'README.md']);
    // A list without the files that are masked would be all that the client ever downloads.
    expect(await readdir(inCache(user, 'models--org--gated', 'trees'))).toEqual([]);
    await done(user, ['export', 'org/gated'], { HF_TOKEN: TOKEN });
    expect(await readdir(inCache(user, 'models--org--gated', 'blobs'))).toHaveLength(2);
  });

  it('names the missing files offline, and makes no request', async () => {
    const user = await hfUser(hub.endpoint, LOCKED);
    hub.clearRequests();
    const url = await user.run(['export', MODEL, '--offline', '--json']);
    expect(url.json().error.code).toBe('EHUG_OFFLINE');
    const entry = await user.run(['export', 'rows', '--offline', '--json']);
    expect(entry.json().error).toMatchObject({
      code: 'EHUG_OFFLINE',
      message: expect.stringContaining('datasets.rows: "'),
    });
    expect(hub.requests).toEqual([]);
    const folder = inCache(user, 'datasets--org--rows.and_more-x', 'snapshots');
    expect(await readdir(folder)).toEqual([]);
  });

  describe('of a repository, offline', () => {
    /** Exports without a network, and says where the files came from. */
    const offline = async (user: HfUser, ...argv: readonly string[]) => {
      hub.clearRequests();
      const run = await user.run(['export', ...argv, '--offline', '--json']);
      expect(hub.requests).toEqual([]);
      return run;
    };

    it('lists the files by the list in the cache', async () => {
      const user = await hfUser(hub.endpoint);
      await done(user, ['export', MODEL, '--ref', 'v1.0']);
      const before = await folderFacts(user.cache);
      await rm(snapshot(user, revs[0]), { recursive: true });
      await mkdir(snapshot(user, revs[0]));
      for (const ref of ['v1.0', 'main', revs[0]]) {
        const { status, json } = await offline(user, `hf:${MODEL}`, '--ref', ref);
        expect(status).toBe(0);
        expect(json().entries).toMatchObject([{ repo: MODEL, ref, rev: revs[0] }]);
      }
      expect(await folderFacts(user.cache)).toEqual(before);
    });

    it('lists the files by an entry of the lock, and selects among them', async () => {
      const user = await hfUser(hub.endpoint, 'models: { tiny: hf:tiny }');
      await done(user, ['export']);
      await rm(inCache(user, FOLDER), { recursive: true });
      const { status, json } = await offline(user, 'hf:tiny', '--exclude', 'other*');
      expect(status).toBe(0);
      const sources = sourcesOf(json());
      expect(sources).toMatchObject({ 'new.bin': 'cache', 'config.json': 'cache' });
      expect(Object.keys(sources)).not.toContain('other.bin');
    });

    it.each([
      ['of a part of its files', 'models: { tiny: { repo: org/tiny, include: [new*] } }', []],
      ['of another ref', 'models: { tiny: org/tiny }', ['--ref', 'v1.0']],
    ])('needs more than an entry %s', async (_, manifest, argv) => {
      const user = await hfUser(hub.endpoint, manifest);
      const { json } = await offline(user, MODEL, ...argv);
      expect(json().error.code).toBe('EHUG_OFFLINE');
    });

    it('asks which of a model and a dataset is meant', async () => {
      const both = await hub.createRepo({ type: 'dataset', id: 'org/weights' });
      await both.commit({ files: { 'README.md': '' } });
      onTestFinished(() => hub.deleteRepo(both));
      const user = await hfUser(hub.endpoint);
      await done(user, ['export', 'hf:org/weights', 'hf-datasets:org/weights']);
      const { json } = await offline(user, 'org/weights');
      expect(json().error.code).toBe('EHUG_REPO_AMBIGUOUS');
      expect((await offline(user, 'hf-datasets:org/weights')).status).toBe(0);
    });
  });

  it('refuses arguments that contradict each other', async () => {
    const user = await hfUser(hub.endpoint, LOCKED);
    for (const argv of [
      [MODEL, 'hf:org/weights', '--ref', 'v1.0'],
      ['tiny', '--ref', 'v1.0'],
      ['tiny', '--file', 'nope'],
    ]) {
      const { status, json } = await user.run(['export', ...argv, '--json']);
      expect([status, json().error.code]).toEqual(
        argv.includes('nope') ? [1, 'EHUG_SELECTION'] : [2, 'EHUG_USAGE'],
      );
    }
  });
});
