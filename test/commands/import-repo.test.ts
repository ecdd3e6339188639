import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { blobOf, cachedProject, fillCache, put } from '../support/cached-project.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { storeObjects } from '../support/isolated-store.ts';
import { NIXPKGS } from '../support/nix.ts';

const NIX_PATH = `nixpkgs=${NIXPKGS}`;

let hub: Hub;
let first: string;
let newest: string;

beforeAll(async () => {
  hub = await startHub();
  const tiny = await hub.createRepo({ type: 'model', id: 'org/tiny', aliases: ['tiny'] });
  first = await tiny.commit({
    files: {
      'config.json': '{}\n',
      'model.safetensors': lfs('weights'),
      'unet/model.bin': lfs('more weights'),
    },
  });
  newest = await tiny.commit({ files: { 'model.safetensors': lfs('newer weights') } });
  for (const type of ['model', 'dataset'] as const) {
    const both = await hub.createRepo({ type, id: 'org/both' });
    await both.commit({ files: { 'a.bin': lfs(type) } });
  }
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

/** A store, and a cache with the first commit, which `main` has left behind. */
async function project(isWanted?: (name: string) => boolean) {
  const made = await cachedProject(hub, `models: { tiny: { repo: org/tiny, ref: ${first} } }`);
  const files = await fillCache(made, isWanted);
  const refs = path.join(made.cache, 'models--org--tiny', 'refs');
  await rm(path.join(refs, first));
  await writeFile(path.join(refs, 'main'), first);
  hub.clearRequests();
  return { ...made, files };
}

const downloads = () => hub.requests.filter(({ url }) => url.includes('/resolve'));

describe('import <url>', () => {
  it('builds the commit that the cache has, and prints the same as fetch', async () => {
    const { run } = await project();
    const { status, stdout, json } = await run(['import', 'org/tiny', '--json'], { NIX_PATH });
    expect(status, stdout).toBe(0);
    expect(downloads()).toEqual([]);
    const { storePath, expression, rev, obstacle } = json();
    expect([rev, obstacle]).toEqual([first, null]);
    expect(await readFile(path.join(storePath, 'unet', 'model.bin'), 'utf8')).toBe('more weights');
    const fetched = await run(['fetch', 'org/tiny', '--ref', first], { NIX_PATH });
    expect(fetched.stdout).toBe(`${storePath}\n\n${expression}\n`);
  });

  it('asks the Hub that a manifest names', async () => {
    const made = await cachedProject(
      hub,
      `endpoint: ${hub.endpoint}\nmodels: { tiny: org/tiny }\n`,
    );
    await fillCache(made);
    for (const url of ['hf:org/tiny', `${hub.endpoint}/org/tiny`]) {
      const { status, stderr } = await made.run(['import', url], { NIX_PATH, HF_ENDPOINT: '' });
      expect(status, stderr).toBe(0);
      expect(stderr).toMatch(/next: paste the expression into your Nix code\n$/u);
    }
  });

  it('selects as fetch does', async () => {
    const { run } = await project((name) => name !== 'model.safetensors');
    const argv = ['import', 'hf:org/tiny', '--ref', first, '--include', '*.bin'];
    const { status, stdout } = await run(argv, { NIX_PATH });
    expect(status).toBe(0);
    expect(stdout).toContain(String.raw`filters = { include = [ ".*\\.bin" ]; };`);
    expect(await readdir(stdout.split('\n')[0] ?? '')).toEqual(['config.json', 'unet']);
    const byFormat = ['import', 'hf:org/tiny', '--ref', first, '--format', 'pytorch'];
    const second = await run(byFormat, { NIX_PATH });
    expect(second.stdout).toContain('filters = { files = [ "config.json" "unet/model.bin" ]; };');
    expect(await readdir(second.stdout.split('\n')[0] ?? '')).toEqual(['config.json', 'unet']);
    expect(downloads()).toEqual([]);
  });

  it('takes one file, and none that the repository does not have', async () => {
    const { run, store } = await project();
    const argv = ['import', 'hf:org/tiny', '--ref', first, '--file'];
    const { status, stdout } = await run([...argv, 'unet/model.bin'], { NIX_PATH });
    expect(status).toBe(0);
    expect(stdout).toContain('filters = { files = [ "unet/model.bin" ]; };');
    const weights = (await storeObjects(store)).filter((name) =>
      /\.(?:bin|safetensors)$/u.test(name),
    );
    expect(weights.map((name) => name.slice(33))).toEqual(['model.bin']);
    const none = await run([...argv, 'x'], { NIX_PATH });
    expect([none.status, none.stderr]).toEqual([1, expect.stringContaining('EHUG_SELECTION')]);
  });

  it('names the weights that are missing from the cache, and downloads none', async () => {
    const { run, store } = await project((name) => name !== 'model.safetensors');
    const { status, stderr } = await run(['import', 'org/tiny'], { NIX_PATH });
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_NOT_CACHED')]);
    expect(stderr).toContain(
      '1 of 2 files is neither in the Nix store nor in the Hugging Face cache: "model.safetensors"',
    );
    expect(stderr).toContain('hint: Run nix-hug fetch instead');
    expect((await storeObjects(store)).map((name) => name.slice(33))).toEqual(['model.bin']);
    expect(downloads()).toEqual([]);
  });

  it('names a repository or ref that is missing, and an ambiguous id', async () => {
    const { run, cache } = await project();
    const none = await run(['import', 'org/none']);
    expect([none.status, none.stderr]).toEqual([
      1,
      expect.stringContaining('EHUG_NOT_CACHED: the Hugging Face cache has no repository org/none'),
    ]);
    const dataset = await run(['import', 'org/tiny', '--dataset']);
    expect(dataset.stderr).toContain('the Hugging Face cache has no dataset org/tiny');
    const other = await run(['import', 'org/tiny', '--ref', 'v2']);
    expect(other.stderr).toContain(
      `the Hugging Face cache has model org/tiny at ${first}, not at "v2"`,
    );
    const moved = await run(['import', 'org/tiny', '--ref', newest]);
    expect(moved.stderr).toContain(
      `the Hugging Face cache has model org/tiny at ${first}, not at "${newest}"`,
    );
    const both = await cachedProject(
      hub,
      'models: { a: hf:org/both }\ndatasets: { b: hf-datasets:org/both }',
      { cache },
    );
    await fillCache(both);
    const two = await run(['import', 'org/both']);
    expect([two.status, two.stderr]).toEqual([2, expect.stringContaining('EHUG_REPO_AMBIGUOUS')]);
    expect((await run(['import', 'hf:org/both'], { NIX_PATH })).status).toBe(0);
  });
});

describe('import under another id', () => {
  it('finds the repository under the id that the Hub answers with', async () => {
    const { run } = await project();
    const { status, stdout } = await run(['import', 'hf:tiny'], { NIX_PATH });
    expect([status, downloads()]).toEqual([0, []]);
    expect(stdout).toContain('url = "org/tiny";');
  });

  it('finds the repository under the id as it was typed', async () => {
    const { run, cache } = await project();
    await rename(path.join(cache, 'models--org--tiny'), path.join(cache, 'models--tiny'));
    expect((await run(['import', 'hf:tiny'], { NIX_PATH })).status).toBe(0);
    expect(downloads()).toEqual([]);
  });

  it.each(['the newest commit', 'a commit by its name'])(
    'finds %s under an id that the repository had before',
    async (what) => {
      const isNamed = what === 'a commit by its name';
      const rev = isNamed ? first : newest;
      const made = await cachedProject(hub, `models: { tiny: { repo: org/tiny, ref: ${rev} } }`);
      await fillCache(made);
      const { run, cache } = made;
      await rename(path.join(cache, 'models--org--tiny'), path.join(cache, 'models--tiny'));
      hub.clearRequests();
      const argv = ['import', 'hf:org/tiny', ...(isNamed ? ['--ref', rev] : [])];
      const { status, stdout, stderr } = await run(argv, { NIX_PATH });
      expect(status, stderr).toBe(0);
      expect(stdout).toContain('url = "org/tiny";');
      expect(downloads()).toEqual([]);
    },
  );

  it('finds the ref under the id of the Hub when the typed id has other refs', async () => {
    const { run, cache } = await project();
    await put(path.join(cache, 'models--tiny', 'refs', 'dev'), first);
    await mkdir(path.join(cache, 'models--tiny', 'snapshots', first), { recursive: true });
    expect((await run(['import', 'hf:tiny'], { NIX_PATH })).status).toBe(0);
    const neither = await run(['import', 'hf:tiny', '--ref', 'v2']);
    expect(neither.stderr).toContain(
      `the Hugging Face cache has model tiny at ${first}, not at "v2"`,
    );
  });
});

describe('import of several', () => {
  it('adds entries and repositories, and reports each', async () => {
    const { run, cache, store } = await project();
    const rows = 'datasets: { both: hf-datasets:org/both }';
    await fillCache(await cachedProject(hub, rows, { cache }));
    hub.clearRequests();
    const argv = ['import', 'tiny', 'hf:org/tiny', 'hf-datasets:org/both'];
    const { status, stdout, stderr } = await run(argv, { NIX_PATH });
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    expect(downloads()).toEqual([]);
    const [entries = '', ...repositories] = stdout.split('\n\n');
    expect(entries).toMatch(/^added to the Nix store: 3 files .*; 3 files of 1 entry are there$/u);
    expect(repositories).toEqual([
      expect.stringMatching(`^${store.folder}/[^/]+-tiny$`),
      expect.stringContaining('nix-hug-lib.fetchModel {'),
      expect.stringMatching(`^${store.folder}/[^/]+-both$`),
      expect.stringContaining('nix-hug-lib.fetchDataset {'),
    ]);
    const { json } = await run([...argv, '--json'], { NIX_PATH });
    expect(json()).toMatchObject({
      entries: [{ name: 'tiny', files: [{ source: 'store' }, {}, {}] }],
      repositories: [
        { repo: 'org/tiny', type: 'model', rev: first },
        { repo: 'org/both', type: 'dataset' },
      ],
    });
    const alone = await run(['import', 'hf:org/tiny', '--json'], { NIX_PATH });
    expect(json().repositories[0]).toEqual(alone.json());
  });

  it('selects in each, and needs no lock', async () => {
    const { run, cache, folder, store } = await project();
    await fillCache(await cachedProject(hub, 'models: { both: hf:org/both }', { cache }));
    await rm(path.join(folder, 'hug.lock.json'));
    hub.clearRequests();
    const argv = ['import', 'hf:org/tiny', 'hf:org/both', '--include', 'unet/', '--include', 'a.*'];
    const { status, stdout, stderr } = await run(argv, { NIX_PATH });
    expect([status, stderr]).toEqual([0, expect.stringContaining('warning: org/tiny: ')]);
    expect(stdout.match(/^nix-hug-lib\.fetchModel \{/gmu)).toHaveLength(2);
    const weights = (await storeObjects(store)).filter((name) => name.endsWith('.bin'));
    expect(weights.map((name) => name.slice(33)).toSorted()).toEqual(['a.bin', 'model.bin']);
    expect(downloads()).toEqual([]);
  });

  it('names all that cannot be found, and adds nothing then', async () => {
    const { run, store } = await project();
    const { status, stderr } = await run([
      'import',
      'tiny',
      'hf:org/none',
      'org/tiny',
      'hf:org/no',
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain('org/none: the Hugging Face cache has no model org/none');
    expect(stderr).toContain('org/no: the Hugging Face cache has no model org/no');
    expect(await storeObjects(store)).toEqual([]);
  });
});

describe('import <url>', () => {
  it('stores no damaged weights', async () => {
    const name = 'model.safetensors';
    const { run, files, store } = await project();
    await writeFile(blobOf(files, name), 'damaged');
    const { status, stderr } = await run(['import', 'org/tiny'], { NIX_PATH });
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining(`the Hugging Face cache has no undamaged copy of "${name}"`),
    ]);
    expect(stderr).toContain(`warning: ${blobOf(files, name)} has the digest sha256-`);
    expect(await readFile(blobOf(files, name), 'utf8')).toBe('damaged');
    expect((await storeObjects(store)).filter((object) => object.endsWith(name))).toEqual([]);
  });

  it.each([
    ['--offline', {}],
    ['HF_HUB_OFFLINE', { HF_HUB_OFFLINE: '1' }],
  ])('fails with %s, and names a command that works', async (option, env) => {
    const { run, store } = await project();
    const argv = ['import', 'org/tiny', ...(option.startsWith('--') ? [option] : [])];
    const { status, stderr } = await run(argv, env);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_OFFLINE')]);
    expect(stderr).toContain('nix-hug import-all');
    expect([await storeObjects(store), hub.requests]).toEqual([[], []]);
    const all = await run(['import-all', '-y', '--offline']);
    expect([all.status, hub.requests]).toEqual([0, []]);
  });
});
