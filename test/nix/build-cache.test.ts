import { mkdir, mkdtemp, readdir, readFile, readlink, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { markAbsent } from '../../src/cache/trees.ts';
import { formatLock } from '../../src/lock/codec.ts';
import type { LockedEntry } from '../../src/lock/schema.ts';
import { lockOf } from '../support/locks.ts';
import { describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';
import { type FileServer, serveFiles } from './file-server.ts';
import { makeRepository, type Repository } from './repository.ts';

const first = await makeRepository({
  files: { 'config.json': '{}', 'a "b" ü.txt': 'odd' },
  lfs: { 'model.safetensors': 'weights', 'empty.bin': '' },
});
const second = await makeRepository({
  commit: 'second',
  files: { 'config.json': '{ }' },
  lfs: { 'model.safetensors': 'weights' },
});
const dataset = await makeRepository({
  repo: 'org/name',
  type: 'dataset',
  files: { 'README.md': 'data' },
});

/** An entry with some of its files and other values. */
function partOf({ entry }: Repository, names: readonly string[], over: Partial<LockedEntry> = {}) {
  const files = new Map([...entry.files].filter(([name]) => names.includes(name)));
  return { ...entry, files, ...over };
}

/** What the client's list of a commit's files says about one file. */
function listed({ entry }: Repository, name: string) {
  const { size, oid, hash, lfs } = entry.files.get(name) ?? {};
  const sha256 = Buffer.from(hash?.slice('sha256-'.length) ?? '', 'base64').toString('hex');
  return {
    size,
    blob_id: oid,
    ...(lfs === undefined ? {} : { lfs_sha256: sha256, lfs_size: size }),
  };
}

describeNix('buildCache', (nix) => {
  let server: FileServer;
  beforeAll(async () => {
    server = await serveFiles(
      new Map([first, second, dataset].flatMap(({ addresses }) => [...addresses])),
    );
  });
  afterAll(() => server.close());

  let written = 0;
  /** The expression of a lock's models and datasets. */
  const imported = async (
    models: Readonly<Record<string, LockedEntry>>,
    datasets: Readonly<Record<string, LockedEntry>> = {},
  ) => {
    const folder = path.join(nix().folder, `lock-${(written += 1)}`);
    await mkdir(folder);
    const file = path.join(folder, 'hug.lock.json');
    const lock = lockOf(models, { datasets: new Map(Object.entries(datasets)) });
    await writeFile(file, formatLock(lock));
    return `((${LIBRARY} { pkgs = ${PKGS}; endpoint = "${server.endpoint}"; }).importLock ${nixString(file)})`;
  };
  /** Paths of the marks for the files that a commit of `org/name` lacks. */
  const marksIn = async (cache: string, { entry: { rev } }: Repository, type = 'model') => {
    const folder = `${type}s--org--name/.no_exist/${rev}`;
    const names = await readdir(path.join(cache, folder));
    return Object.fromEntries(names.map((name) => [`${folder}/${name}`, '']));
  };
  const refsIn = async (cache: string) =>
    (await readdir(path.join(cache, 'models--org--name', 'refs'))).toSorted();
  const buildCache = `(${LIBRARY} { pkgs = ${PKGS}; }).buildCache`;

  /** Every path that is no folder, with the target of a link or else the text. */
  const layoutOf = async (cache: string) => {
    const names = await readdir(cache, { recursive: true, withFileTypes: true });
    const layout = await Promise.all(
      names
        .filter((name) => !name.isDirectory())
        .map(async (name) => {
          const file = path.join(name.parentPath, name.name);
          const read = name.isSymbolicLink() ? readlink(file) : readFile(file, 'utf8');
          return [path.relative(cache, file), await read] as const;
        }),
    );
    return Object.fromEntries(layout);
  };
  const filesOf = async (cache: string, tree: string) => {
    const list = JSON.parse(await readFile(path.join(cache, tree), 'utf8'));
    expect(list.format_version).toBe(1);
    return list.files;
  };

  it('makes the layout of the official client', async () => {
    const hug = await imported({ m: first.entry }, { d: dataset.entry });
    const cache = await nix().build(`${hug}.cache`);
    const { rev } = first.entry;
    const tree = `models--org--name/trees/${rev}.json`;
    const data = dataset.entry.rev;
    expect(await layoutOf(cache)).toEqual({
      'models--org--name/refs/main': rev,
      [`models--org--name/refs/${rev}`]: rev,
      ...(await marksIn(cache, first)),
      ...(await marksIn(cache, dataset, 'dataset')),
      [`datasets--org--name/refs/${data}`]: data,
      [`models--org--name/snapshots/${rev}`]: await nix().build(`${hug}.models.m`),
      [tree]: expect.any(String),
      'datasets--org--name/refs/main': data,
      [`datasets--org--name/snapshots/${data}`]: await nix().build(`${hug}.datasets.d`),
      [`datasets--org--name/trees/${data}.json`]: expect.any(String),
    });
    const snapshot = path.join(cache, 'models--org--name', 'snapshots', rev);
    expect(await readFile(path.join(snapshot, 'a "b" ü.txt'), 'utf8')).toBe('odd');
    expect(await filesOf(cache, tree)).toEqual(
      Object.fromEntries([...first.contents.keys()].map((name) => [name, listed(first, name)])),
    );
  });

  it.each(['v1.0', 'refs/pr/1', 'feature/x y', 'abc1234'])(
    'finds the only revision as %s and as main',
    async (ref) => {
      const hug = await imported({ m: { ...first.entry, ref } });
      const refs = path.join(await nix().build(`${hug}.cache`), 'models--org--name', 'refs');
      expect(await readFile(path.join(refs, ref), 'utf8')).toBe(first.entry.rev);
      expect(await readFile(path.join(refs, 'main'), 'utf8')).toBe(first.entry.rev);
    },
  );

  it('has the folders that clients make, and the marks that an export writes', async () => {
    const hug = await imported({
      m: { ...first.entry, requested: 'old/name', files: new Map() },
      part: { ...partOf(second, ['config.json']), ref: 'v2', select: { files: ['config.json'] } },
    });
    const cache = await nix().build(`${hug}.cache`);
    const repository = path.join(cache, 'models--org--name');
    expect(await readdir(path.join(repository, 'blobs'))).toEqual([]);
    for (const name of ['models--org--name', 'models--old--name']) {
      expect(await readdir(path.join(cache, '.locks', name))).toEqual([]);
    }
    const exported = await mkdtemp(path.join(nix().folder, 'marks-'));
    await markAbsent(exported, []);
    const marks = path.join(repository, '.no_exist');
    expect(await readdir(marks)).toEqual([first.entry.rev]);
    expect(await readdir(path.join(marks, first.entry.rev))).toEqual(await readdir(exported));
  });

  it('marks no file that a commit has, and none of a part', async () => {
    const hug = await imported({
      whole: first.entry,
      part: { ...partOf(first, ['model.safetensors']), ref: 'v1', select: { include: ['m*'] } },
    });
    const cache = await nix().build(`${hug}.cache`);
    const marks = Object.keys(await marksIn(cache, first)).map((name) => path.basename(name));
    expect(marks).toContain('generation_config.json');
    expect(marks).not.toContain('config.json');
    expect(marks).not.toContain('model.safetensors');
  });

  it('names a ref by the commit alone where the entry does', async () => {
    const hug = await imported({
      m: { ...first.entry, ref: first.entry.rev },
      n: { ...second.entry, ref: second.entry.rev },
    });
    const cache = await nix().build(`${hug}.cache`);
    expect(await refsIn(cache)).toEqual([first.entry.rev, second.entry.rev].toSorted());
  });

  it('merges two entries of one commit', async () => {
    const hug = await imported({
      a: partOf(first, ['config.json', 'model.safetensors']),
      b: partOf(first, ['model.safetensors', 'empty.bin'], { ref: 'v1' }),
    });
    const cache = await nix().build(`${hug}.cache`);
    const { rev } = first.entry;
    const repository = path.join(cache, 'models--org--name');
    const names = ['config.json', 'empty.bin', 'model.safetensors'];
    expect((await readdir(path.join(repository, 'snapshots', rev))).toSorted()).toEqual(names);
    expect(await filesOf(cache, `models--org--name/trees/${rev}.json`)).toEqual(
      Object.fromEntries(names.map((name) => [name, listed(first, name)])),
    );
    expect(await refsIn(cache)).toEqual([rev, 'main', 'v1'].toSorted());
  });

  it('keeps two commits of one repository', async () => {
    const hug = await imported({
      a: { ...first.entry, ref: 'v1' },
      b: { ...second.entry, ref: 'v2' },
    });
    const cache = await nix().build(`${hug}.cache`);
    const repository = path.join(cache, 'models--org--name');
    const read = (...names: string[]) => readFile(path.join(repository, ...names), 'utf8');
    const revs = [first.entry.rev, second.entry.rev];
    expect(await refsIn(cache)).toEqual([...revs, 'v1', 'v2'].toSorted());
    expect(await read('refs', 'v1')).toBe(first.entry.rev);
    expect(await read('refs', 'v2')).toBe(second.entry.rev);
    expect(await read('snapshots', first.entry.rev, 'config.json')).toBe('{}');
    expect(await read('snapshots', second.entry.rev, 'config.json')).toBe('{ }');
  });

  it('takes values of several locks', async () => {
    const one = await imported({ m: first.entry });
    const other = await imported({ m: { ...second.entry, ref: 'dev' } }, { d: dataset.entry });
    const cache = await nix().build(
      `${buildCache} { models = [ ${one}.models.m ${other}.models.m ]; datasets = [ ${other}.datasets.d ]; }`,
    );
    expect((await readdir(cache)).toSorted()).toEqual([
      '.locks',
      'datasets--org--name',
      'models--org--name',
    ]);
    expect(await refsIn(cache)).toEqual(
      [first.entry.rev, second.entry.rev, 'dev', 'main'].toSorted(),
    );
  });

  it('of nothing is an empty folder', async () => {
    expect(await readdir(await nix().build(`${buildCache} { }`))).toEqual([]);
  });

  it('of an entry without files has an empty snapshot', async () => {
    const hug = await imported({ m: { ...first.entry, files: new Map() } });
    const cache = await nix().build(`${hug}.cache`);
    const { rev } = first.entry;
    expect(await filesOf(cache, `models--org--name/trees/${rev}.json`)).toEqual({});
    expect(await readdir(path.join(cache, 'models--org--name', 'snapshots', rev))).toEqual([]);
  });

  describe('a requested id', () => {
    it('is an alias of the repository', async () => {
      const hug = await imported({
        a: { ...first.entry, requested: 'old/name' },
        b: { ...first.entry, requested: 'name' },
      });
      const cache = await nix().build(`${hug}.cache`);
      expect((await readdir(cache)).toSorted()).toEqual([
        '.locks',
        'models--name',
        'models--old--name',
        'models--org--name',
      ]);
      expect(await readlink(path.join(cache, 'models--name'))).toBe('models--org--name');
      expect(await realpath(path.join(cache, 'models--old--name'))).toBe(
        path.join(cache, 'models--org--name'),
      );
    });

    it.each([
      ['to two repositories', { ...first.entry, repo: 'org/other', requested: 'old/name' }],
      ['to one, and is another', { ...first.entry, repo: 'old/name' }],
    ])('is refused when it leads %s', async (_, other) => {
      const hug = await imported({ a: { ...first.entry, requested: 'old/name' }, b: other });
      const message = await nix().evaluationError(`${hug}.cache.outPath`);
      expect(message).toMatch(
        /repository old\/name is .* in models\.[ab], but .* in models\.[ab];/u,
      );
    });
  });

  it('refuses one ref at two commits, and names both entries', async () => {
    const hug = await imported({ a: first.entry, b: second.entry });
    expect(await nix().evaluationError(`${hug}.cache.outPath`)).toContain(
      `nix-hug: buildCache: ref main of org/name is ${first.entry.rev} in models.a, ` +
        `but ${second.entry.rev} in models.b; leave one of them out`,
    );
  });

  it('has no main where a ref needs the name for a folder', async () => {
    const hug = await imported({ a: { ...first.entry, ref: 'main/v1' } });
    const refs = path.join(await nix().build(`${hug}.cache`), 'models--org--name', 'refs');
    const names = await readdir(refs, { recursive: true });
    expect(names.toSorted()).toEqual([first.entry.rev, 'main', 'main/v1']);
  });

  it('refuses a ref that would be a file and a folder', async () => {
    const hug = await imported({
      a: { ...first.entry, ref: 'dev' },
      b: { ...second.entry, ref: 'dev/x' },
    });
    expect(await nix().evaluationError(`${hug}.cache.outPath`)).toContain(
      'nix-hug: buildCache: refs dev and dev/x of org/name cannot be in one cache',
    );
  });

  it('refuses one file with two contents, and names both entries', async () => {
    const other = partOf(second, ['config.json'], { rev: first.entry.rev });
    const hug = await imported({ a: first.entry, b: other });
    expect(await nix().evaluationError(`${hug}.cache.outPath`)).toContain(
      `nix-hug: buildCache: "config.json" of org/name at ${first.entry.rev} has several hashes ` +
        'in models.a, models.b; leave all but one of them out',
    );
  });

  it('refuses a value that importLock did not return', async () => {
    expect(await nix().evaluationError(`(${buildCache} { models = [ { } ]; }).outPath`)).toContain(
      'nix-hug: buildCache takes values that importLock, fetchModel or fetchDataset returned',
    );
  });
});
