import { mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import { pathNames } from '../../src/lock/names.ts';
import type { Lock } from '../../src/lock/schema.ts';
import { lockedEntry, lockedFile, lockOf } from '../support/locks.ts';
import { createNix, describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';
import { type FileServer, serveFiles } from './file-server.ts';
import { commitOf, makeRepository } from './repository.ts';

/** Names that a shell, an address, a store path or a Nix expression could stumble over. */
const ODD_NAMES = [
  'a b.txt',
  ' lead and trail ',
  'c++.txt',
  'x#y',
  '100%.txt',
  '%2e%2e',
  'größe/ü.txt',
  'u\u0308 decomposed',
  '日本語.bin',
  '🤗',
  '.gitattributes',
  '.hidden/.x',
  '...',
  '..a/...b',
  '-dash',
  '--help',
  '-d/-e',
  '~',
  '@',
  '*',
  'a=b?c',
  'semi;colon',
  'a&b|c',
  '<>',
  '[x]{y,z}',
  "it's",
  'say "hi"',
  '`touch x`',
  '$(touch x)',
  '$(touch y)/$(touch z)',
  '${out}',
  'outPath',
  '__toString',
  '__functor',
  'type',
  'x.drv',
  'n'.repeat(200),
  'n'.repeat(255),
  `${'d/'.repeat(50)}deep`,
];

const model = await makeRepository({
  files: {
    'config.json': '{}',
    empty: '',
    ...Object.fromEntries(ODD_NAMES.map((name, index) => [name, `content ${index}`])),
  },
  lfs: { 'model.safetensors': 'weights\0\u0001', 'onnx/empty.onnx': '' },
});
const dataset = await makeRepository({
  repo: 'squad',
  type: 'dataset',
  ref: 'refs/pr/1',
  files: { 'README.md': 'text' },
  lfs: { 'data/train-00000-of-00001.parquet': 'rows' },
});
const lock = lockOf({ m: model.entry }, { datasets: new Map([['d', dataset.entry]]) });

/** Relative path → content of every file below a folder of links. */
async function contentsOf(folder: string) {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  return new Map(
    await Promise.all(
      names
        .filter((name) => !name.isDirectory())
        .map(async ({ parentPath, name }) => {
          const file = path.join(parentPath, name);
          return [path.relative(folder, file), await readFile(file)] as const;
        }),
    ),
  );
}

const sorted = <T>(map: ReadonlyMap<string, T>) =>
  [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));

describeNix('importLock', (nix) => {
  let server: FileServer;
  beforeAll(async () => {
    server = await serveFiles(new Map([...model.addresses, ...dataset.addresses]));
  });
  afterAll(() => server.close());

  let written = 0;
  /** The expression of an imported lock; `args` are further ones of the library. */
  const imported = async (
    content: Lock,
    args = `endpoint = "${server.endpoint}";`,
    pkgs = PKGS,
  ) => {
    const folder = path.join(nix().folder, `lock-${(written += 1)}`);
    await mkdir(folder);
    await writeFile(path.join(folder, 'hug.lock.json'), formatLock(content));
    const file = nixString(path.join(folder, 'hug.lock.json'));
    return `(${LIBRARY} { pkgs = ${pkgs}; ${args} }).importLock ${file}`;
  };

  describe('a model', () => {
    it('has all its files, byte for byte, whatever they are called', async () => {
      const built = await nix().build(`(${await imported(lock)}).models.m`);
      expect(sorted(await contentsOf(built))).toEqual(sorted(model.contents));
      expect(server.requests.toSorted()).toEqual([...model.addresses.keys()].toSorted());
    });

    it('consists of links to the store and of folders', async () => {
      const built = await nix().build(`(${await imported(lock)}).models.m`);
      const target = await readlink(path.join(built, 'onnx', 'empty.onnx'));
      expect(path.dirname(target)).toBe(nix().storeDir);
      expect(target).toMatch(/-empty\.onnx$/u);
    });

    it('says what it is', async () => {
      const hug = await imported(lock);
      const attributes =
        'value: { inherit (value) entry name org ref repo rev revision type; of = value.passthru.type; }';
      expect(
        await nix().evaluate(`let hug = ${hug}; f = ${attributes}; in [
        (f hug.models.m) (f hug.datasets.d) ]`),
      ).toEqual([
        {
          entry: 'models.m',
          name: 'name',
          org: 'org',
          ref: 'main',
          repo: 'org/name',
          rev: model.entry.rev,
          revision: model.entry.rev,
          type: 'derivation',
          of: 'model',
        },
        {
          entry: 'datasets.d',
          name: 'squad',
          org: null,
          ref: 'refs/pr/1',
          repo: 'squad',
          rev: dataset.entry.rev,
          revision: dataset.entry.rev,
          type: 'derivation',
          of: 'dataset',
        },
      ]);
    });

    it('has another derivation name when that of the repository ends in .drv', async () => {
      const hug = await imported(lockOf({ m: { ...model.entry, repo: 'org/x.drv' } }));
      const value = `(${hug}).models.m`;
      expect(await nix().evaluate(`[ ${value}.passthru.name ${value}.repo ]`)).toEqual([
        'x.drv',
        'org/x.drv',
      ]);
      expect(await nix().evaluate(`(${value}).outPath`)).toMatch(/-x\.drv_$/u);
    });

    it('gives each file on its own', async () => {
      const built = await nix().build(
        `(${await imported(lock)}).datasets.d.files."data/train-00000-of-00001.parquet"`,
      );
      expect(await readFile(built, 'utf8')).toBe('rows');
    });

    it('is refused when a server sends other bytes', async () => {
      const other = await makeRepository({ repo: 'org/other', files: { 'config.json': 'right' } });
      const liar = await serveFiles(
        new Map([...other.addresses.keys()].map((address) => [address, Buffer.from('wrong')])),
      );
      onTestFinished(() => liar.close());
      const hug = await imported(lockOf({ m: other.entry }), `endpoint = "${liar.endpoint}";`);
      await expect(nix().build(`(${hug}).models.m`)).rejects.toThrow('hash mismatch');
    });

    it('of 10,000 files builds', { timeout: 180_000 }, async () => {
      const paths = Array.from({ length: 10_000 }, (_, index) => `data/${index % 7}/part ${index}`);
      const files = paths.map((name) => [name, lockedFile('a', pathNames(name))] as const);
      const entry = lockedEntry({ files: new Map(files) });
      const args = 'fetchFile = { name, url, hash, ... }: builtins.toFile name "part";';
      const built = await nix().build(`(${await imported(lockOf({ m: entry }), args)}).models.m`);
      const names = await readdir(built, { recursive: true });
      expect(names).toHaveLength(10_000 + '1234567'.length + 'd'.length);
      expect(names).toEqual(expect.arrayContaining(paths));
    });
  });

  describe('a file', () => {
    it('has the store path that its name and hash give', async () => {
      const folder = path.join(nix().folder, 'plain');
      await mkdir(folder);
      const files = [...model.contents].map(([name, content]) => {
        const { storeName = path.basename(name) } = model.entry.files.get(name) ?? {};
        return { name, content, storeName };
      });
      const unique = [...new Map(files.map((file) => [file.storeName, file])).values()];
      await Promise.all(
        unique.map(({ storeName, content }) => writeFile(path.join(folder, storeName), content)),
      );
      const added = await nix().run(
        'nix-store',
        '--add-fixed',
        'sha256',
        ...unique.map(({ storeName }) => path.join(folder, storeName)),
      );
      const expected = await nix().evaluate(
        `let inherit ((${await imported(lock)}).models.m) files; in
        map (name: files.\${name}.outPath) [ ${unique.map(({ name }) => nixString(name)).join(' ')} ]`,
      );
      expect(added.stdout.trim().split('\n')).toEqual(expected);
    });

    it('is downloaded from the endpoint, in this order: argument, lock, the Hub', async () => {
      const urls = async (content: Lock, args: string) =>
        nix().evaluate(
          `let hug = ${await imported(content, args)}; in
          [ hug.models.m.files."x#y".url hug.datasets.d.files."README.md".url ]`,
        );
      const expected = (endpoint: string) => [
        `${endpoint}/org/name/resolve/${model.entry.rev}/x%23y`,
        `${endpoint}/datasets/squad/resolve/${dataset.entry.rev}/README.md`,
      ];
      const mirrored = { ...lock, endpoint: 'https://mirror.example/hf/' };
      expect(await urls(lock, '')).toEqual(expected('https://huggingface.co'));
      expect(await urls(mirrored, '')).toEqual(expected('https://mirror.example/hf'));
      expect(await urls(mirrored, 'endpoint = "http://own.example//";')).toEqual(
        expected('http://own.example'),
      );
      expect(await urls(mirrored, 'endpoint = "";')).toEqual(expected('https://mirror.example/hf'));
    });

    it.each(['"/"', '"huggingface.co"', '"https://me:password@hub.example"', '5'])(
      'is downloaded from no endpoint such as %s',
      async (endpoint) => {
        const hug = await imported(lock, `endpoint = ${endpoint};`);
        const error = await nix().evaluationError(`(${hug}).datasets.d.files."README.md".url`);
        expect(error).toContain('nix-hug: endpoint is not the address of a Hub: ');
      },
    );

    it('keeps its store path, and that of its model, when the endpoint changes', async () => {
      const paths = async (args: string) =>
        nix().evaluate(
          `let inherit ((${await imported(lock, args)}).models) m; in
          [ m.outPath m.files."config.json".outPath ]`,
        );
      expect(await paths('endpoint = "https://mirror.example";')).toEqual(await paths(''));
    });

    it('comes from another fetcher when there is one', async () => {
      const args = `fetchFile = { name, url, hash, entry, path }:
        builtins.toFile name "\${builtins.substring 0 7 hash} \${url} \${entry} \${path}";`;
      const built = await nix().build(`(${await imported(lock, args)}).datasets.d`);
      const url = `https://huggingface.co/datasets/squad/resolve/${dataset.entry.rev}/README.md`;
      expect(await readFile(path.join(built, 'README.md'), 'utf8')).toBe(
        `sha256- ${url} datasets.d README.md`,
      );
    });
  });

  it('is what examples/minimal evaluates to', async () => {
    const example = path.join(import.meta.dirname, '..', '..', 'examples', 'minimal');
    const { models } = JSON.parse(await readFile(path.join(example, 'hug.lock.json'), 'utf8'));
    const hug = `import ${nixString(example)} { pkgs = ${PKGS}; }`;
    expect(
      await nix().evaluate(`builtins.mapAttrs (name: model: model.rev) (${hug}).models`),
    ).toEqual(Object.fromEntries(Object.keys(models).map((name) => [name, models[name].rev])));
  });

  describe('evaluation', () => {
    it('uses pkgs for models and caches only', async () => {
      const pkgs = '{ bash = throw "bash"; coreutils = throw "coreutils"; }';
      const hug = await imported(lock, '', pkgs);
      expect(
        await nix().evaluate(`let hug = ${hug}; in builtins.deepSeq
          [ (map (file: file.outPath) (builtins.attrValues hug.models.m.files)) hug.models.m.passthru.locked
            hug.datasets.d.repo hug.cache.name ] true`),
      ).toBe(true);
      expect(await nix().evaluationError(`(${hug}).models.m.outPath`)).toMatch(
        /error: (bash|coreutils)/u,
      );
      expect(await nix().evaluationError(`(${hug}).cache.outPath`)).toMatch(
        /error: (bash|coreutils)/u,
      );
    });

    it('is not led astray by entries with names that mean something to Nix', async () => {
      const names = ['outPath', 'drvPath', '__toString', '__functor', 'type', 'name', 'meta'];
      const entries = Object.fromEntries(names.map((name) => [name, lockedEntry({ repo: name })]));
      const hug = await imported(lockOf(entries));
      expect(
        await nix().evaluate(`let hug = ${hug}; in
          [ (map (name: hug.models.\${name}.repo) (builtins.attrNames hug.models))
            (builtins.isString hug.cache.drvPath) ]`),
      ).toEqual([names.toSorted(), true]);
    });

    it('of 1,000 models with 20 files makes no request and builds nothing', async () => {
      const files = new Map(
        Array.from({ length: 20 }, (_, index) => [`file-${index}.bin`, lockedFile(`${index}`)]),
      );
      const models = Array.from({ length: 1_000 }, (_, index) => {
        const repo = `org/m${index}`;
        return [`m${index}`, lockedEntry({ repo, rev: commitOf(repo), files })] as const;
      });
      const fresh = await createNix();
      onTestFinished(() => fresh.close());
      const before = server.requests.length;
      const file = path.join(fresh.folder, 'hug.lock.json');
      await writeFile(file, formatLock(lockOf(Object.fromEntries(models))));
      const library = `${LIBRARY} { pkgs = ${PKGS}; endpoint = "${server.endpoint}"; }`;
      const paths = await fresh.evaluate(
        `let hug = (${library}).importLock ${nixString(file)}; in
        map (value: value.outPath) ([ hug.cache ] ++ builtins.attrValues hug.models)`,
      );
      expect(new Set(paths as unknown[]).size).toBe(1_001);
      expect(server.requests.length).toBe(before);
      const stored = await readdir(fresh.storeDir);
      expect(stored.filter((name) => !name.startsWith('.'))).toEqual([]);
    });
  });
});
