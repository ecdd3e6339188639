import { createHash, hash } from 'node:crypto';
import { mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createNix, type FileToAdd, type Nix } from '../../src/store/nix.ts';
import { storePathOf } from '../../src/store/store-path.ts';
import { type IsolatedStore, isolatedStore, storeObjects } from '../support/isolated-store.ts';
import { smallDisk } from '../support/small-disk.ts';
import { tempFolder } from '../support/temp.ts';

interface SetupOptions {
  /** Added to the environment of Nix. */
  readonly env?: Readonly<Record<string, string>>;
  /** Empty folder for the store. */
  readonly folder?: string;
}

interface Setup {
  readonly store: IsolatedStore;
  readonly nix: Nix;
  /** Writes a file and says where it must go. */
  readonly file: (name: string, content: string, parent?: string) => Promise<FileToAdd>;
}

async function setUp({ env = {}, folder }: SetupOptions = {}): Promise<Setup> {
  const store = await isolatedStore(folder);
  const source = await tempFolder('source');
  const nix = await createNix({ env: { ...store.env, ...env } });
  return {
    store,
    nix,
    file: async (name, content, parent = source) => {
      const file = path.join(parent, createHash('sha1').update(name).digest('hex'));
      await writeFile(file, content);
      return {
        file,
        name,
        storePath: storePathOf(store.folder, { name, sha256: hash('sha256', content) }),
      };
    },
  };
}

describe('Nix', () => {
  it('has a version and a store folder', async () => {
    const { nix, store } = await setUp();
    const { version, storeFolder } = nix;
    expect(storeFolder).toBe(store.folder);
    expect((await store.nix('nix-store', '--version')).trim()).toContain(version);
  });

  it('finds the missing ones of many paths', async () => {
    const { nix, file, store } = await setUp();
    const here = await file('here.txt', 'here');
    await nix.add([here]);
    const others = Array.from({ length: 5_000 }, (_, index) =>
      storePathOf(store.folder, { name: `${index}.txt`, sha256: '0'.repeat(64) }),
    );
    expect(await nix.missing([...others, here.storePath])).toEqual(new Set(others));
    expect(await nix.missing([here.storePath])).toEqual(new Set());
    expect(await nix.missing([])).toEqual(new Set());
  });

  it('adds files under other names than their own, several of one name at once', async () => {
    const { nix, file, store } = await setUp();
    const files = [
      await file('config.json', 'one', await tempFolder()),
      await file('config.json', 'two'),
      await file('-dash and=more'.replaceAll(' ', '_'), 'three'),
    ];
    await nix.add(files);
    expect(await nix.missing(files.map(({ storePath }) => storePath))).toEqual(new Set());
    expect(await readFile(files[1]?.storePath ?? '', 'utf8')).toBe('two');
    expect((await storeObjects(store)).length).toBe(3);
  });

  it('adds what a symbolic link points to, not the link', async () => {
    const { nix, file, store } = await setUp();
    const target = await file('model.bin', 'weights');
    const link = path.join(await tempFolder(), 'link');
    await symlink(target.file, link);
    await nix.add([{ ...target, file: link }]);
    expect(await storeObjects(store)).toEqual([path.basename(target.storePath)]);
  });

  it.each(['with spaces and ümläuts', '${x} "q" \\ \'s\''])(
    'adds from a folder named %s',
    async (name) => {
      const { nix, file } = await setUp();
      const parent = path.join(await tempFolder(), name);
      await mkdir(parent);
      const there = await file('there.bin', 'bytes', parent);
      await nix.add([there]);
      expect(await nix.missing([there.storePath])).toEqual(new Set());
    },
  );

  it('adds and keeps files when the settings restrict evaluation', async () => {
    const { store, file } = await setUp();
    const settings = `${store.env['NIX_CONFIG']}\nrestrict-eval = true\npure-eval = true\n`;
    const nix = await createNix({ env: { ...store.env, NIX_CONFIG: settings } });
    const there = await file('there.bin', 'bytes');
    await nix.add([there]);
    expect(await nix.missing([there.storePath])).toEqual(new Set());
    await nix.addGcRoots(await tempFolder('roots'), new Map([['there', [there.storePath]]]));
    await store.nix('nix-store', '--gc');
    expect(await nix.missing([there.storePath])).toEqual(new Set());
  });

  it('adds from another file system', async ({ skip }) => {
    const { nix, file } = await setUp();
    const disk = await smallDisk(1024 * 1024, skip);
    const there = await file('there.bin', 'x'.repeat(600 * 1024), disk.folder);
    await nix.add([there]);
    expect(await nix.missing([there.storePath])).toEqual(new Set());
    expect(await readdir(disk.folder)).toEqual([path.basename(there.file)]);
  });

  it('adds from a read-only file system', async ({ skip }) => {
    const { nix, file } = await setUp();
    const disk = await smallDisk(1024 * 1024, skip);
    const there = await file('there.bin', 'bytes', disk.folder);
    await disk.makeReadOnly();
    await nix.add([there]);
    expect(await nix.missing([there.storePath])).toEqual(new Set());
  });

  it('deletes a file with the wrong content from the store', async () => {
    const { nix, file, store } = await setUp();
    const good = await file('good.txt', 'good');
    const bad = await file('bad.txt', 'bad');
    await writeFile(bad.file, 'worse');
    await expect(nix.add([bad, good])).rejects.toMatchObject({
      code: 'EHUG_INTEGRITY',
      message: expect.stringContaining(bad.file),
    });
    expect(await storeObjects(store)).toEqual([path.basename(good.storePath)]);
  });

  it('keeps groups of paths from the garbage collector, by one link each', async () => {
    const { nix, file, store } = await setUp();
    const files = await Promise.all(['a', 'b', 'c'].map((name) => file(name, name)));
    const [a = '', b = '', c = ''] = files.map(({ storePath }) => storePath);
    await nix.add(files);
    const roots = path.join(await tempFolder('roots ${x} "q"'), 'not there yet');
    await nix.addGcRoots(
      roots,
      new Map([
        ['models.one', [a, b]],
        ['datasets.none', []],
      ]),
    );
    expect((await readdir(roots)).toSorted()).toEqual(['datasets.none', 'models.one']);
    expect(await readFile(path.join(roots, 'models.one'), 'utf8')).toBe(`${a}\n${b}`);
    expect(await readlink(path.join(roots, 'models.one'))).toContain(store.folder);
    await store.nix('nix-store', '--gc');
    expect(await nix.missing([a, b, c])).toEqual(new Set([c]));
    await nix.addGcRoots(roots, new Map([['models.one', [b]]]));
    await store.nix('nix-store', '--gc');
    expect(await nix.missing([a, b])).toEqual(new Set([a]));
  });
});

describe('errors of Nix', () => {
  it('name a missing Nix', async () => {
    await expect(setUp({ env: { PATH: await tempFolder() } })).rejects.toMatchObject({
      code: 'EHUG_NIX_MISSING',
      hint: expect.stringContaining('Install Nix'),
    });
  });

  it('show the output of Nix', async () => {
    const { nix } = await setUp();
    await expect(nix.missing(['/elsewhere/x'])).rejects.toMatchObject({
      code: 'EHUG_NIX',
      message: 'nix-store --check-validity failed',
      details: expect.arrayContaining([expect.stringContaining('/elsewhere/x')]),
    });
  });

  it('name a store that cannot be written', async ({ skip }) => {
    const disk = await smallDisk(1024 * 1024, skip);
    const { nix, file } = await setUp({ folder: disk.folder });
    const a = await file('a.txt', 'a');
    await disk.makeReadOnly();
    await expect(nix.add([a])).rejects.toMatchObject({
      code: 'EHUG_NIX',
      details: [expect.stringContaining(disk.folder)],
    });
  });

  it('name a file that is missing', async () => {
    const { nix, file } = await setUp();
    const gone = await file('gone.txt', 'gone');
    await rm(gone.file);
    await expect(nix.add([gone])).rejects.toMatchObject({
      code: 'EHUG_FILE_SYSTEM',
      message: expect.stringContaining(gone.file),
    });
  });

  it('name a full disk', async ({ skip }) => {
    const { folder } = await smallDisk(1024 * 1024, skip);
    const { nix, file } = await setUp({ folder });
    const big = await file('big.bin', 'x'.repeat(2 * 1024 * 1024));
    await expect(nix.add([big])).rejects.toMatchObject({
      code: 'EHUG_NIX',
      details: expect.arrayContaining([expect.stringContaining('No space left on device')]),
    });
    expect(await nix.missing([big.storePath])).toEqual(new Set([big.storePath]));
  });
});

describe('a signal', () => {
  it('ends a tool that runs', async () => {
    const { store } = await setUp();
    const controller = new AbortController();
    const running = createNix({ env: store.env, signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  });
});
