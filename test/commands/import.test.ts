import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hexOfSri } from '../../src/digest.ts';
import { blobOf, cachedProject, fillCache, put, realiseAll } from '../support/cached-project.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { storeObjects } from '../support/isolated-store.ts';
import { callPython, describeClients } from '../support/python.ts';
import { createProject } from '../support/project.ts';
import { tempFolder } from '../support/temp.ts';

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  const tiny = await hub.createRepo({ type: 'model', id: 'org/tiny', aliases: ['tiny'] });
  const shared = { 'model.safetensors': lfs('weights'), 'copy.json': '{}\n' };
  const old = await tiny.commit({ files: { ...shared, 'config.json': 'old' } });
  await tiny.tag('v1', old);
  await tiny.commit({
    files: {
      'config.json': '{}\n',
      'sub/config.json': '{ "sub": true }\n',
      'empty.txt': '',
      'größe & co.csv': 'a,b\n',
      '-dash --flag': 'x',
    },
  });
  const rows = await hub.createRepo({ type: 'dataset', id: 'org/rows' });
  await rows.commit({ files: { 'config.json': '{}\n', 'data/train.parquet': lfs('rows') } });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

const BOTH = 'models: { tiny: org/tiny }\ndatasets: { rows: org/rows }';
const THREE =
  'models: { tiny: org/tiny, older: { repo: org/tiny, ref: v1 } }\ndatasets: { rows: org/rows }';

describeClients((client) => {
  it.each([{}, { HF_HUB_DISABLE_SYMLINKS: '1' }])(
    'has filled a cache that is enough for a build (%j)',
    async (env) => {
      const made = await cachedProject(hub, THREE);
      const settings = { home: `${made.home}/hf`, endpoint: hub.endpoint, env };
      // Without links, two downloads of one content at once can take each other's file away.
      const download = (args: Readonly<Record<string, string>>) => ({
        call: 'snapshot_download' as const,
        args: { ...args, max_workers: 1 },
      });
      const outcomes = await callPython(client, settings, [
        download({ repo_id: 'org/tiny' }),
        download({ repo_id: 'org/tiny', revision: 'v1' }),
        download({ repo_id: 'org/rows', repo_type: 'dataset' }),
      ]);
      expect(outcomes.filter((outcome) => 'error' in outcome)).toEqual([]);
      hub.clearRequests();
      const { status, stdout, stderr } = await made.run(['import']);
      expect([status, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
      expect(stderr).toMatch(/\nnext: nix build, which downloads none of these files\n$/u);
      expect(stdout).toContain('from the Hugging Face cache; 12 files of 3 entries are there');
      expect((await realiseAll(made)).length).toBe(12);
      expect(hub.requests).toEqual([]);
    },
  );
});

describe('import', () => {
  it('adds the cached files without a request, and none the second time', async () => {
    const made = await cachedProject(hub, BOTH);
    await fillCache(made);
    hub.clearRequests();
    const { status, json } = await made.run(['import', '--json']);
    expect(status).toBe(0);
    const { changed, entries } = json();
    expect([changed, entries.map(({ name }: { name: string }) => name)]).toEqual([
      true,
      ['tiny', 'rows'],
    ]);
    for (const { path: name, size, storePath, source } of entries[0].files) {
      expect([name, (await readFile(storePath)).length, source]).toEqual([name, size, 'cache']);
    }
    expect((await made.run(['import'])).stdout).toBe(
      'in the Nix store already: 9 files of 2 entries\n',
    );
    expect(hub.requests).toEqual([]);
    expect(await readdir(made.home)).toEqual(['hf']);
  });

  it('adds only the named entries', async () => {
    const made = await cachedProject(hub, BOTH);
    await fillCache(made);
    const { json } = await made.run(['import', '--json', 'datasets.rows']);
    expect(json().entries.map(({ name }: { name: string }) => name)).toEqual(['rows']);
    expect((await storeObjects(made.store)).length).toBe(2);
  });

  it('finds a repository under the id that was asked for, and a blob that is a link', async () => {
    const made = await cachedProject(hub, 'models: { tiny: hf:tiny }');
    const blob = blobOf(await fillCache(made), 'model.safetensors');
    const shared = path.join(made.cache, 'blobs', 'ab', 'cdef');
    await mkdir(path.dirname(shared), { recursive: true });
    await rename(blob, shared);
    await symlink(path.relative(path.dirname(blob), shared), blob);
    const repo = path.join(made.cache, 'models--org--tiny');
    await rename(repo, path.join(made.cache, 'models--tiny'));
    hub.clearRequests();
    expect((await made.run(['import'])).status).toBe(0);
    expect(hub.requests).toEqual([]);
  });

  it.each(['another spelling of its id', 'another repository'])(
    'finds the files of %s by their digests, with and without links',
    async (what) => {
      const id = what === 'another repository' ? 'other/one' : 'ORG/Tiny';
      for (const isPlain of [false, true]) {
        const made = await cachedProject(hub, 'models: { tiny: org/tiny }');
        await fillCache(made);
        const { tiny } = Object.fromEntries((await made.lock()).models);
        const repo = path.join(made.cache, `models--${id.replace('/', '--')}`);
        await rename(path.join(made.cache, 'models--org--tiny'), repo);
        const snapshot = path.join(repo, 'snapshots', tiny?.rev ?? '');
        const [blob = ''] = await readdir(path.join(repo, 'blobs'));
        const shared = path.join(made.cache, 'blobs', 'ab', 'ab'.padEnd(64, '0'));
        await mkdir(path.dirname(shared), { recursive: true });
        await rename(path.join(repo, 'blobs', blob), shared);
        await symlink(`../../blobs/ab/${path.basename(shared)}`, path.join(repo, 'blobs', blob));
        if (isPlain) {
          const copy = `${snapshot}.copy`;
          await cp(snapshot, copy, { recursive: true, dereference: true });
          await rm(snapshot, { recursive: true });
          await rm(path.join(repo, 'blobs'), { recursive: true });
          await rename(copy, snapshot);
        }
        if (what === 'another repository') {
          const list = {
            format_version: 1,
            files: Object.fromEntries(
              [...(tiny?.files ?? [])].map(([name, { size, oid, hash, ...more }]) => [
                name,
                {
                  size,
                  blob_id: oid,
                  ...(more.lfs === true ? { lfs_sha256: hexOfSri(hash) } : {}),
                },
              ]),
            ),
          };
          await rename(snapshot, path.join(path.dirname(snapshot), 'e'.repeat(40)));
          await put(path.join(repo, 'trees', `${'e'.repeat(40)}.json`), JSON.stringify(list));
        }
        hub.clearRequests();
        const imported = await made.run(['import']);
        expect(imported.status, imported.stderr).toBe(0);
        const exported = await made.run(['export', '--json', '--offline']);
        expect(exported.status, exported.stderr).toBe(0);
        const verified = await made.run(['verify', '--strict']);
        expect(verified.status, verified.stdout).toBe(0);
        expect(hub.requests).toEqual([]);
      }
    },
  );

  it('warns of a damaged file of another repository, and leaves it alone', async () => {
    const made = await cachedProject(hub, 'datasets: { rows: org/rows }');
    const files = await fillCache(made);
    await writeFile(blobOf(files, 'data/train.parquet'), 'Rows');
    const other = path.join(made.cache, 'datasets--org--other');
    await rename(path.join(made.cache, 'datasets--org--rows'), other);
    const { status, stderr } = await made.run(['export']);
    expect(status).toBe(0);
    expect(stderr).toMatch(/warning: .+datasets--org--other\/blobs\/\w+ has .+; it was not used/u);
    const blob = blobOf(files, 'data/train.parquet').replace('--rows', '--other');
    expect(await readFile(blob, 'utf8')).toBe('Rows');
  });

  it('names the commit that the cache has where it is another one', async () => {
    const made = await cachedProject(hub, 'models: { tiny: org/tiny }');
    const old = await cachedProject(hub, 'models: { tiny: { repo: org/tiny, ref: v1 } }', {
      cache: made.cache,
    });
    await fillCache(old);
    const [locked, cached] = await Promise.all(
      [made, old].map(async ({ lock }) => (await lock()).models.get('tiny')?.rev ?? ''),
    );
    const { status, stderr } = await made.run(['import']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_NOT_CACHED')]);
    expect(stderr).toContain(`; the cache has ${cached}, and ${locked} is asked for\n`);
    expect(stderr).toContain(
      `hint: Run nix-hug fetch models.tiny, which downloads the rest of ${locked}. `,
    );
    expect((await made.run(['fetch', 'models.tiny'])).status).toBe(0);
    expect((await made.run(['import'])).status).toBe(0);
  });

  it('adds the cached files, and names the missing ones with a hint', async () => {
    const made = await cachedProject(hub, BOTH);
    await fillCache(made, (name) => name === 'config.json');
    hub.clearRequests();
    const { status, stderr } = await made.run(['import']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_NOT_CACHED')]);
    const where = 'neither in the Nix store nor in the Hugging Face cache';
    expect(stderr).toContain(`models.tiny: 5 of 7 files are ${where}: "-dash`);
    expect(stderr).toContain(`datasets.rows: 1 of 2 files is ${where}: "data/train.parquet"`);
    expect(stderr).toContain('added to the Nix store: 1 other file\n');
    expect(stderr).toContain('hint: Run nix-hug fetch instead');
    // `copy.json` has the content of `config.json`.
    expect((await storeObjects(made.store)).length).toBe(2);
    expect(hub.requests).toEqual([]);
    expect((await made.run(['fetch'])).status).toBe(0);
    expect((await made.run(['import'])).status).toBe(0);
  });

  it('does not add or change a damaged blob, and warns of it', async () => {
    const made = await cachedProject(hub, BOTH);
    const blob = blobOf(await fillCache(made), 'data/train.parquet');
    await writeFile(blob, 'Rows');
    const { status, stderr } = await made.run(['import']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_NOT_CACHED')]);
    expect(stderr).toContain(`warning: ${blob} has the digest sha256-`);
    expect(stderr).toContain(
      'datasets.rows: the Hugging Face cache has no undamaged copy of "data/train.parquet"',
    );
    expect(await readFile(blob, 'utf8')).toBe('Rows');
    const names = await storeObjects(made.store);
    expect(names.filter((name) => name.includes('parquet'))).toEqual([]);
    expect(names.length).toBe(7);
  });

  it('names all files as missing when there is no cache folder', async () => {
    const made = await cachedProject(hub, BOTH);
    const { status, stderr } = await made.run(['import', 'rows']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('2 of 2 files are neither in')]);
  });

  it('needs Nix, a lock, and names of the lock', async () => {
    const made = await cachedProject(hub, BOTH);
    const nixless = await made.run(['import'], { PATH: await tempFolder() });
    expect([nixless.status, nixless.stderr]).toEqual([
      1,
      expect.stringContaining('EHUG_NIX_MISSING'),
    ]);
    const unknown = await made.run(['import', 'tyni']);
    expect([unknown.status, unknown.stderr]).toEqual([2, expect.stringContaining('mean "tiny"')]);
    const bare = await (await createProject(hub.endpoint, BOTH)).run(['import']);
    expect([bare.status, bare.stderr]).toEqual([2, expect.stringContaining('EHUG_LOCK_MISSING')]);
  });
});
