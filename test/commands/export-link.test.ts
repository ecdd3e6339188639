import { existsSync } from 'node:fs';
import { lstat, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { folderFacts } from '../support/folder-facts.ts';
import { type HfUser, hfUser, inCache } from '../support/hf-user.ts';
import { type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';
import { isolatedStore } from '../support/isolated-store.ts';
import { describeNix } from '../support/nix.ts';
import { callPython, describeClients } from '../support/python.ts';
import { tempFolder } from '../support/temp.ts';

const FOLDER = 'models--org--tiny';
const MANIFEST = 'models: { tiny: org/tiny }';

let hub: Hub;
let rev: string;

beforeAll(async () => {
  hub = await startHub();
  rev = await addTiny('org/tiny').then(({ commit }) => commit);
  const other = await hub.createRepo({ type: 'model', id: 'org/other' });
  await other.commit({ files: { 'config.json': '{"other":1}', 'w.safetensors': lfs('other') } });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

/** Adds a model of two plain files and one large file. */
async function addTiny(id: string): Promise<{ repo: Repository; commit: string }> {
  const repo = await hub.createRepo({ type: 'model', id });
  const files = { 'config.json': '{}\n', 'sub/ä b.txt': 'text', 'w.safetensors': lfs(`w ${id}`) };
  return { repo, commit: await repo.commit({ files }) };
}

/** Runs nix-hug, and fails unless it ends well. */
async function done(user: HfUser, argv: readonly string[], env?: Readonly<Record<string, string>>) {
  const run = await user.run(argv, env);
  if (run.status !== 0) throw new Error(run.stderr);
  return run;
}

/** A user with a store, and a cache of links into it. */
async function linkedUser(manifest = MANIFEST) {
  const store = await isolatedStore();
  const user = await hfUser(hub.endpoint, manifest, store.env);
  const run = await done(user, ['export', '--link', '--json']);
  return { store, user, run };
}

const blobsIn = async (user: HfUser, folder = FOLDER) =>
  (await readdir(inCache(user, folder, 'blobs'))).map((name) =>
    inCache(user, folder, 'blobs', name),
  );

const isLink = async (file: string) => (await lstat(file)).isSymbolicLink();

/** Which blobs are links. */
const linksOf = async (user: HfUser, folder?: string) =>
  Promise.all((await blobsIn(user, folder)).map(isLink));

const roots = (user: HfUser) => inCache(user, FOLDER, '.nix-hug-roots');

describeNix('export --link', () => {
  it('links blobs into the store, and copies nothing', async () => {
    const { store, user, run } = await linkedUser();
    const [{ files, folder }] = run.json().entries;
    expect(files.map(({ source }: { source: string }) => source)).toEqual(['hub', 'hub', 'hub']);
    for (const blob of await blobsIn(user)) {
      expect(path.dirname(await readlink(blob))).toBe(store.folder);
    }
    expect(await readlink(path.join(folder, 'sub', 'ä b.txt'))).toMatch(
      /^\.\.\/\.\.\/\.\.\/blobs\//u,
    );
    expect(await readFile(path.join(folder, 'sub', 'ä b.txt'), 'utf8')).toBe('text');
    const again = await done(user, ['export', '--link', '--json', '--offline']);
    const sources = again.json().entries[0].files.map(({ source }: { source: string }) => source);
    expect(sources).toEqual(['store', 'store', 'store']);
  });

  it('replaces the copies that an earlier export made', async () => {
    const store = await isolatedStore();
    const user = await hfUser(hub.endpoint, MANIFEST, store.env);
    await done(user, ['export']);
    expect(await linksOf(user)).toEqual([false, false, false]);
    await done(user, ['export', '--link']);
    expect(await linksOf(user)).toEqual([true, true, true]);
  });

  it('is kept by the garbage collector as long as the repository is in the cache', async () => {
    const { store, user } = await linkedUser();
    await store.nix('nix-store', '--gc');
    expect(await readFile(inCache(user, FOLDER, 'snapshots', rev, 'config.json'), 'utf8')).toBe(
      '{}\n',
    );
    await rm(inCache(user, FOLDER), { recursive: true });
    await store.nix('nix-store', '--gc');
    expect((await readdir(store.folder)).filter((name) => name.endsWith('.json'))).toEqual([]);
  });

  it('keeps the files of several selections of a commit', async () => {
    const { store, user } = await linkedUser();
    await done(user, ['export', 'tiny', '--link', '--file', 'config.json']);
    await store.nix('nix-store', '--gc');
    for (const blob of await blobsIn(user)) expect((await stat(blob)).isFile()).toBe(true);
  });

  it('counts a link whose target is gone as missing, everywhere', async () => {
    const { store, user } = await linkedUser();
    await rm(roots(user), { recursive: true });
    await store.nix('nix-store', '--gc');
    for (const blob of await blobsIn(user)) expect(existsSync(blob)).toBe(false);
    const scan = (await done(user, ['scan', '--json'])).json();
    expect(scan.problems.map(({ kind }: { kind: string }) => kind)).toEqual([
      'broken-link',
      'broken-link',
      'broken-link',
    ]);
    const verified = await user.run(['verify', '--strict', '--json']);
    expect([verified.status, verified.json()]).toMatchObject([
      1,
      { problems: [], entries: [{ incomplete: true }] },
    ]);
    const imported = await user.run(['import']);
    expect(imported.stderr).toContain('error EHUG_NOT_CACHED');
    const offline = await user.run(['export', '--offline']);
    expect(offline.stderr).toContain('error EHUG_OFFLINE');
    await done(user, ['export']);
    expect(await linksOf(user)).toEqual([false, false, false]);
    expect((await done(user, ['scan', '--json'])).json().problems).toEqual([]);
  });

  it('makes links again whose targets are gone', async () => {
    const { store, user } = await linkedUser();
    await rm(roots(user), { recursive: true });
    await store.nix('nix-store', '--gc');
    await done(user, ['export', '--link']);
    expect(await linksOf(user)).toEqual([true, true, true]);
    await store.nix('nix-store', '--gc');
    for (const blob of await blobsIn(user)) expect((await stat(blob)).isFile()).toBe(true);
  });

  it('is no problem for scan, verify and import', async () => {
    const { user } = await linkedUser();
    const scan = (await done(user, ['scan', '--json'])).json();
    expect(scan).toMatchObject({ problems: [], revisions: [{ files: 3, inStore: true }] });
    const verified = (await done(user, ['verify', '--strict', '--json'])).json();
    expect(verified.problems).toEqual([]);
    const states = verified.entries[0].files.map(({ cache }: { cache: string }) => cache);
    expect(new Set(states)).toEqual(new Set(['sound']));
    hub.clearRequests();
    expect((await done(user, ['import', '--json'])).json()).toMatchObject({ changed: false });
    expect(hub.requests).toEqual([]);
  });

  it('leaves links to export without an option, and makes copies with --copy', async () => {
    const { store, user } = await linkedUser();
    const before = await folderFacts(user.cache);
    await done(user, ['export', '--offline']);
    expect(await folderFacts(user.cache)).toMatchObject(before);
    expect(await linksOf(user)).toEqual([true, true, true]);
    await done(user, ['export', '--copy', '--offline']);
    expect(await linksOf(user)).toEqual([false, false, false]);
    expect(existsSync(roots(user))).toBe(false);
    await store.nix('nix-store', '--gc');
    expect(await readFile(inCache(user, FOLDER, 'snapshots', rev, 'w.safetensors'), 'utf8')).toBe(
      'w org/tiny',
    );
    const [blob = ''] = await blobsIn(user);
    expect((await stat(blob)).mode & 0o777).toBe(0o644);
  });

  it('writes nothing through a link', async () => {
    const { store, user } = await linkedUser();
    const [blob = ''] = await blobsIn(user);
    const other = path.join(await tempFolder('elsewhere'), 'file');
    await writeFile(other, 'x'.repeat((await stat(blob)).size));
    await rm(blob);
    await symlink(other, blob);
    const before = await readFile(other, 'utf8');
    const stored = await folderFacts(store.folder);
    await done(user, ['export']);
    expect(await readFile(other, 'utf8')).toBe(before);
    expect(await isLink(blob)).toBe(false);
    await done(user, ['export', '--copy']);
    await done(user, ['export', '--link']);
    expect(await folderFacts(store.folder)).toMatchObject(stored);
  });

  it('links the large files of a repository that no lock has, and copies the small ones', async () => {
    const store = await isolatedStore();
    const user = await hfUser(hub.endpoint, '', store.env);
    await done(user, ['export', 'hf:org/tiny', '--link']);
    const targets = await Promise.all(
      (await blobsIn(user)).map((blob) => readlink(blob).catch(() => '')),
    );
    expect(targets.filter((target) => target !== '')).toEqual([
      expect.stringMatching(/-w\.safetensors$/u),
    ]);
    await store.nix('nix-store', '--gc');
    expect(await readFile(inCache(user, FOLDER, 'snapshots', rev, 'w.safetensors'), 'utf8')).toBe(
      'w org/tiny',
    );
  });

  describeClients((client) => {
    /** What the client makes of a download. */
    async function download(
      { home, cache }: HfUser,
      args: Readonly<Record<string, unknown>>,
      env: Readonly<Record<string, string>> = {},
    ): Promise<unknown> {
      const settings = { home, endpoint: hub.endpoint, env: { HF_HUB_CACHE: cache, ...env } };
      const [outcome] = await callPython(client, settings, [{ call: 'snapshot_download', args }]);
      if (outcome === undefined || !('value' in outcome)) throw new Error(JSON.stringify(outcome));
      return outcome.value;
    }

    it('loads offline and online, follows a moved branch, and downloads beside links', async () => {
      const id = `org/moves-${client.version}`;
      const { repo, commit } = await addTiny(id);
      const { store, user } = await linkedUser(`models: { tiny: ${id} }`);
      const folder = `models--${id.replace('/', '--')}`;
      const args = { repo_id: id };
      const expected = inCache(user, folder, 'snapshots', commit);
      expect(await download(user, args, { HF_HUB_OFFLINE: '1' })).toBe(expected);
      expect(await download(user, args)).toBe(expected);
      expect(await linksOf(user, folder)).toEqual([true, true, true]);
      const moved = await repo.commit({ files: { 'config.json': '{"moved":1}' } });
      const stored = await folderFacts(store.folder);
      const next = String(await download(user, args));
      expect(next).toBe(inCache(user, folder, 'snapshots', moved));
      expect(await readFile(path.join(next, 'config.json'), 'utf8')).toBe('{"moved":1}');
      expect(await readFile(path.join(next, 'w.safetensors'), 'utf8')).toBe(`w ${id}`);
      await download(user, { repo_id: 'org/other' });
      expect(await folderFacts(store.folder)).toEqual(stored);
      // After the collector, without roots: the client downloads what is gone.
      await rm(inCache(user, folder, '.nix-hug-roots'), { recursive: true });
      await store.nix('nix-store', '--gc');
      const again = String(await download(user, { ...args, force_download: false }));
      expect(await readFile(path.join(again, 'w.safetensors'), 'utf8')).toBe(`w ${id}`);
    });
  });
});

describe('export --link', () => {
  it('needs Nix', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const { status, stderr } = await user.run(['export', '--link']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('error EHUG_NIX_MISSING: ')]);
    expect(existsSync(user.cache)).toBe(false);
  });

  it('contradicts --copy, and a cache without links', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    for (const [argv, env] of [
      [['export', '--link', '--copy'], {}],
      [['export', '--link'], { HF_HUB_DISABLE_SYMLINKS: '1' }],
    ] as const) {
      const { status, stderr } = await user.run(argv, env);
      expect([status, stderr]).toEqual([2, expect.stringContaining('error EHUG_USAGE: --link ')]);
    }
  });
});
