import { existsSync } from 'node:fs';
import {
  chmod,
  chown,
  lstat,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type HfUser, hfUser } from '../support/hf-user.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { isolatedStore } from '../support/isolated-store.ts';
import { describeNix } from '../support/nix.ts';
import { describeClients } from '../support/python.ts';
import { spawnCli, type SpawnedCli } from '../support/spawn-cli.ts';
import { smallDisk } from '../support/small-disk.ts';
import { tempFolder } from '../support/temp.ts';

// The built command: `npm run build` comes first.

const FOLDER = 'models--org--tiny';
const MANIFEST = `models:
  tiny: org/tiny
  extra: { repo: org/extra, groups: [gpu] }
datasets: { rows: org/rows }
`;
const NOWHERE = 'http://127.0.0.1:9';

let hub: Hub;
/** Commit of `org/tiny`. */
let rev: string;

beforeAll(async () => {
  hub = await startHub();
  const tiny = await hub.createRepo({ type: 'model', id: 'org/tiny' });
  rev = await tiny.commit({
    files: { 'config.json': '{}\n', 'copy.json': '{}\n', 'sub/w ü.safetensors': lfs('weights') },
  });
  const extra = await hub.createRepo({ type: 'model', id: 'org/extra' });
  await extra.commit({ files: { 'w.safetensors': lfs('more weights') } });
  const rows = await hub.createRepo({ type: 'dataset', id: 'org/rows' });
  await rows.commit({ files: { 'data/train.csv': 'a,b\n' } });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

type Env = Readonly<Record<string, string>>;

/** Starts nix-hug in a process of its own. */
function start({ folder, env }: HfUser, argv: readonly string[], more: Env = {}): SpawnedCli {
  const spawned = spawnCli(argv, { cwd: folder, env: { ...env, ...more }, isBuilt: true });
  onTestFinished(() => void spawned.child.kill('SIGKILL'));
  return spawned;
}

/** Runs a script of sh by `nix-hug run`. */
const runScript = (user: HfUser, script: string, more: Env = {}, ...options: readonly string[]) =>
  start(user, ['run', ...options, '--', '/bin/sh', '-c', script], more).ended;

/** The view that a program gets. */
async function viewOf(
  user: HfUser,
  more: Env = {},
  ...options: readonly string[]
): Promise<string> {
  const { stdout, stderr } = await runScript(user, 'printf %s "$HF_HUB_CACHE"', more, ...options);
  if (stdout === '') throw new Error(stderr);
  return stdout;
}

/** Everything in a cache's `blobs` of the model. */
const blobsIn = async (cache: string) => {
  const folder = path.join(cache, FOLDER, 'blobs');
  return (await readdir(folder)).map((name) => path.join(folder, name));
};

describeClients(({ python }) => {
  const script = `
import json, os
from huggingface_hub import snapshot_download, scan_cache_dir
folders = [snapshot_download("org/tiny"), snapshot_download("org/rows", repo_type="dataset"),
           snapshot_download("org/tiny", revision="REV")]
print(json.dumps({
  "files": sorted(os.listdir(folders[0])), "same": folders[0] == folders[2],
  "text": open(folders[0] + "/sub/w ü.safetensors").read(),
  "row": open(folders[1] + "/data/train.csv").read(),
  "warnings": [str(w) for w in scan_cache_dir().warnings],
  "repos": sorted(r.repo_id for r in scan_cache_dir().repos),
}))`;

  it('loads exactly what is locked, offline, without Nix', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const argv = ['run', '--', python, '-c', script.replace('REV', rev)];
    const first = await start(user, argv).ended;
    expect(first).toMatchObject({ status: 0 });
    expect(JSON.parse(first.stdout)).toEqual({
      files: ['config.json', 'copy.json', 'sub'],
      same: true,
      text: 'weights',
      row: 'a,b\n',
      warnings: [],
      repos: ['org/rows', 'org/tiny'],
    });
    hub.clearRequests();
    const again = await start(user, argv, { HF_ENDPOINT: NOWHERE, HF_HUB_OFFLINE: '1' }).ended;
    expect([again.status, again.stdout, hub.requests]).toEqual([0, first.stdout, []]);
  });
});

describeNix('run with Nix', () => {
  it('makes links into the store, which the garbage collector keeps as long as the view', async () => {
    const store = await isolatedStore();
    const user = await hfUser(hub.endpoint, MANIFEST, store.env);
    const view = await viewOf(user);
    expect(existsSync(user.cache)).toBe(false);
    for (const blob of await blobsIn(view)) {
      expect((await readlink(blob)).startsWith(`${store.folder}/`)).toBe(true);
    }
    await store.nix('nix-store', '--gc');
    hub.clearRequests();
    // Complete: neither Nix nor the Hub is asked.
    const alone = { PATH: '/nonexistent', HF_ENDPOINT: NOWHERE };
    const reads = `cat "$HF_HUB_CACHE/${FOLDER}/snapshots/${rev}/sub/w ü.safetensors"`;
    expect(await runScript(user, `PATH=/bin:/usr/bin; ${reads}`, alone)).toMatchObject({
      status: 0,
      stdout: 'weights',
    });
    expect(hub.requests).toEqual([]);
    await rm(view, { recursive: true });
    await store.nix('nix-store', '--gc');
    expect((await readdir(store.folder)).filter((name) => name.includes('safetensors'))).toEqual(
      [],
    );
  });

  it('mends links whose targets are gone', async () => {
    const store = await isolatedStore();
    const user = await hfUser(hub.endpoint, MANIFEST, store.env);
    const view = await viewOf(user);
    await rm(path.join(view, FOLDER, '.nix-hug-roots'), { recursive: true });
    await store.nix('nix-store', '--gc');
    const before = await Promise.all(
      (await blobsIn(view)).map((blob) => stat(blob).catch(() => 0)),
    );
    expect(before).toEqual(before.map(() => 0));
    expect(await viewOf(user)).toBe(view);
    for (const blob of await blobsIn(view)) expect((await stat(blob)).isFile()).toBe(true);
  });

  it('takes what a full cache has, and makes no request for it', async () => {
    const store = await isolatedStore();
    const user = await hfUser(hub.endpoint, MANIFEST, store.env);
    await user.run(['export'], { PATH: '/nonexistent' });
    hub.clearRequests();
    const view = await viewOf(user);
    expect(hub.requests).toEqual([]);
    for (const blob of await blobsIn(view)) expect((await lstat(blob)).isSymbolicLink()).toBe(true);
  });

  it('uses the cache, with a warning, when Nix fails', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const bin = await tempFolder('bin');
    await writeFile(path.join(bin, 'nix-instantiate'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const { status, stderr } = await runScript(user, 'exit 0', { PATH: bin });
    expect(status).toBe(0);
    expect(stderr).toContain('warning: the Nix store is not used: nix-instantiate');
  });
});

describe('a view', () => {
  it('has the refs, marks and folders of a cache that Nix built', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const view = await viewOf(user);
    const repo = path.join(view, FOLDER);
    expect((await readdir(path.join(repo, 'refs'))).toSorted()).toEqual([rev, 'main'].toSorted());
    expect(await readFile(path.join(repo, 'refs', 'main'), 'utf8')).toBe(rev);
    expect(await readdir(path.join(repo, '.no_exist', rev))).toContain('tokenizer.json');
    expect(await readdir(path.join(repo, 'trees'))).toEqual([`${rev}.json`]);
    expect(await readdir(path.join(view, '.locks', FOLDER))).toEqual([]);
    expect((await readdir(view)).toSorted()).toEqual(
      ['.locks', 'CACHEDIR.TAG', 'datasets--org--rows', FOLDER].toSorted(),
    );
    expect((await stat(view)).mode & 0o777).toBe(0o700);
  });

  it('has hard links to the files of the cache, without Nix', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const view = await viewOf(user);
    for (const blob of await blobsIn(view)) {
      const own = await stat(path.join(user.cache, path.relative(view, blob)));
      expect((await lstat(blob)).ino).toBe(own.ino);
    }
    // Whoever empties the cache does not empty the view.
    await rm(user.cache, { recursive: true });
    expect(await viewOf(user, { HF_ENDPOINT: NOWHERE })).toBe(view);
  });

  it('follows a cache whose blobs are links, to the file', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    await user.run(['export']);
    const shared = await tempFolder('shared');
    const [blob = ''] = await blobsIn(user.cache);
    const moved = path.join(shared, path.basename(blob));
    await writeFile(moved, await readFile(blob));
    await rm(blob);
    await symlink(path.relative(path.dirname(blob), moved), blob);
    const view = await viewOf(user);
    const own = (await blobsIn(view)).find((each) => each.endsWith(path.basename(blob)));
    expect(await readlink(own ?? '')).toBe(moved);
    expect((await stat(moved)).nlink).toBe(1);
  });

  it('on another disk has symbolic links to the files of the cache', async ({ skip }) => {
    const { folder } = await smallDisk(1024 * 1024, skip);
    const user = await hfUser(hub.endpoint, MANIFEST, { XDG_CACHE_HOME: folder });
    const view = await viewOf(user);
    for (const blob of await blobsIn(view)) {
      expect(await readlink(blob)).toBe(path.join(user.cache, path.relative(view, blob)));
    }
    // What the owner of the cache removed is there again.
    await rm(user.cache, { recursive: true });
    expect(await viewOf(user)).toBe(view);
    for (const blob of await blobsIn(view)) expect((await stat(blob)).isFile()).toBe(true);
  });

  it('that does not fit on the disk is an error, and is completed when it does', async ({
    skip,
  }) => {
    const { folder } = await smallDisk(16 * 4096, skip);
    const fill = path.join(folder, 'fill');
    const user = await hfUser(hub.endpoint, MANIFEST, { XDG_CACHE_HOME: folder });
    await user.run(['export']);
    await writeFile(fill, Buffer.alloc(15 * 4096)).catch(() => undefined);
    const { status, stdout, stderr } = await runScript(user, 'echo ran');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^error EHUG_(?:DISK_FULL|FILE_SYSTEM): /mu);
    expect(stderr).not.toContain(' at ');
    await rm(fill);
    expect(existsSync(path.join(await viewOf(user), FOLDER, 'refs', 'main'))).toBe(true);
  });

  it('is mended before the program runs, whatever was done to it', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const view = await viewOf(user);
    const snapshot = path.join(view, FOLDER, 'snapshots', rev);
    const [first = '', second = ''] = await blobsIn(view);
    await rm(path.join(snapshot, 'config.json'));
    await writeFile(path.join(snapshot, 'config.json'), 'x');
    await rm(path.join(snapshot, 'sub'), { recursive: true });
    await rm(first);
    await rm(second);
    await symlink('/nowhere', second);
    await rm(path.join(view, FOLDER, 'refs'), { recursive: true });
    await chmod(view, 0o755);
    expect(await viewOf(user)).toBe(view);
    expect(await readFile(path.join(snapshot, 'config.json'), 'utf8')).toBe('{}\n');
    expect(await readFile(path.join(snapshot, 'sub', 'w ü.safetensors'), 'utf8')).toBe('weights');
    expect(await readFile(path.join(view, FOLDER, 'refs', 'main'), 'utf8')).toBe(rev);
    expect((await stat(view)).mode & 0o777).toBe(0o700);
  });

  it('is another one for other entries', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const some = await viewOf(user);
    const all = await viewOf(user, {}, '--group', 'gpu');
    expect(all).not.toBe(some);
    expect(await readdir(all)).toContain('models--org--extra');
    expect(await viewOf(user, {}, '--all-groups')).toBe(all);
    const { stderr } = await runScript(user, 'exit 0');
    expect(stderr).toContain('left out: models.extra (gpu)');
  });

  it('is made by several processes at once', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const script = `PATH=/bin:/usr/bin; cat "$HF_HUB_CACHE/${FOLDER}/snapshots/${rev}/config.json"`;
    const ends = await Promise.all([1, 2, 3].map(() => runScript(user, script)));
    expect(ends.map(({ status, stdout }) => [status, stdout])).toEqual(ends.map(() => [0, '{}\n']));
  });

  it('is removed when nobody used it for 30 days', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const old = await viewOf(user, {}, '--all-groups');
    const recent = await viewOf(user);
    const days = (count: number) => new Date(Date.now() - count * 24 * 60 * 60 * 1_000);
    await utimes(old, days(31), days(31));
    await utimes(recent, days(29), days(29));
    const left = path.join(path.dirname(old), `${'0'.repeat(64)}.old`);
    await writeFile(left, '');
    expect(await viewOf(user)).toBe(recent);
    expect(await readdir(path.dirname(old))).toEqual([path.basename(recent)]);
    expect(Date.now() - (await stat(recent)).mtimeMs).toBeLessThan(24 * 60 * 60 * 1_000);
  });

  it.skipIf(process.getuid?.() !== 0)('of another user is refused', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const view = await viewOf(user);
    await chown(view, 12_345, 12_345);
    const { status, stderr } = await runScript(user, 'echo ran');
    expect(status).toBe(1);
    expect(stderr).toContain(`error EHUG_FILE_SYSTEM: ${view} belongs to another user`);
  });

  it('that is a link is refused', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const view = await viewOf(user);
    await rm(view, { recursive: true });
    await symlink(await tempFolder('elsewhere'), view);
    expect(await runScript(user, 'echo ran')).toMatchObject({ status: 1, stdout: '' });
  });

  it('needs no manifest, as in a container', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const view = await viewOf(user);
    await rm(path.join(user.folder, 'hug.yaml'));
    expect(await viewOf(user)).toBe(view);
  });
});

describe('run', () => {
  it('refuses a lock that is out of date, and says why', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    await writeFile(path.join(user.folder, 'hug.yaml'), 'models: { tiny: org/tiny, new: org/new }');
    const { status, stdout, stderr } = await runScript(user, 'echo ran');
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr).toContain('error EHUG_LOCK_STALE: hug.lock.json is out of date\n  models.new: ');
    expect((await user.run(['env'])).status).toBe(3);
  });

  it('names what is missing offline', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const { status, stderr } = await runScript(user, 'echo ran', { HF_HUB_OFFLINE: '1' });
    expect(status).toBe(1);
    expect(stderr).toContain('error EHUG_OFFLINE: ');
  });
});
