import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Hub, lfs, type Repository, startHub } from './support/hub/index.ts';
import { runCli } from './support/run-cli.ts';
import { tempFolder } from './support/temp.ts';

// A project from its first day to its third model, as somebody lives it who knows npm. After each
// step both files are compared.

let hub: Hub;
let tiny: Repository;
let versioned: Repository;

beforeAll(async () => {
  hub = await startHub();
  const create = async (type: 'model' | 'dataset', id: string, weights: string) => {
    const repo = await hub.createRepo({ type, id });
    await repo.commit({ files: { 'README.md': `# ${id}\n`, [weights]: lfs(`of ${id}`) } });
    return repo;
  };
  tiny = await create('model', 'acme/tiny', 'model.safetensors');
  versioned = await create('model', 'acme/Versioned-v0.1', 'model.safetensors');
  await versioned.tag('v1.2.0', await versioned.commit({ files: { 'config.json': '{}\n' } }));
  await create('model', 'acme/quant', 'q4.gguf');
  await create('dataset', 'acme/rows', 'rows.parquet');
});
afterAll(() => hub.close());

it('a project is begun, filled, kept current and emptied', async () => {
  const folder = await tempFolder('walk through ä');
  const run = (...argv: readonly string[]) =>
    runCli(argv, { cwd: folder, env: { HF_ENDPOINT: hub.endpoint } });
  const read = (name: string) => readFile(path.join(folder, name), 'utf8');
  const locked = async () => JSON.parse(await read('hug.lock.json'));
  const done = async (...argv: readonly string[]) => {
    const { status, stdout, stderr } = await run(...argv);
    expect({ argv, status, stderr }).toMatchObject({ status: 0 });
    return stdout;
  };
  /** The lines of a section that are not comments. */
  const section = async (name: string) => {
    const lines = (await read('hug.yaml')).split('\n');
    const from = lines.indexOf(name);
    const length = lines.slice(from + 1).findIndex((line) => !line.startsWith(' '));
    const all = lines.slice(from + 1, length === -1 ? undefined : from + 1 + length);
    return all.filter((line) => !line.trim().startsWith('#'));
  };

  await done('init');
  const fresh = await read('hug.yaml');
  await expect(read('hug.lock.json')).rejects.toMatchObject({ code: 'ENOENT' });

  await done('add', 'acme/tiny');
  await done('add', 'hf:acme/Versioned-v0.1', '--version', '^1.0');
  await done('add', `${hub.endpoint}/acme/quant/blob/main/q4.gguf`, '--name', 'quant');
  await done('add', 'hf-datasets:acme/rows', '--include', '*.parquet');
  expect(await section('models:')).toEqual([
    '  tiny: acme/tiny',
    '  versioned-v0-1:',
    '    repo: acme/Versioned-v0.1',
    '    version: ^1.0',
    '  quant:',
    '    repo: acme/quant',
    '    files: [q4.gguf]',
  ]);
  expect(await section('datasets:')).toEqual([
    '  rows:',
    '    repo: acme/rows',
    '    include: ["*.parquet"]',
  ]);
  const filled = await read('hug.yaml');
  const first = await locked();
  expect(Object.keys(first.models)).toEqual(['quant', 'tiny', 'versioned-v0-1']);
  expect(first.models['versioned-v0-1']).toMatchObject({ version: '^1.0', ref: 'v1.2.0' });
  expect(Object.keys(first.models.quant.files)).toEqual(['q4.gguf']);

  hub.clearRequests();
  await done('lock', '--check');
  const text = await read('hug.lock.json');
  await done('lock');
  expect(await read('hug.lock.json')).toBe(text);
  expect(hub.requests).toEqual([]);

  // The Hub moves on: a branch has a new commit, and a version in the range is out.
  const moved = await tiny.commit({ files: { 'README.md': '# Better\n' } });
  const newest = await versioned.commit({ files: { 'extra.bin': lfs('more') } });
  await versioned.tag('v1.3.0', newest);
  await done('lock', '--check');

  const report = JSON.parse(await done('outdated', '--json'));
  expect(
    report.entries.map((entry: { name: string; outdated: boolean }) => [
      entry.name,
      entry.outdated,
    ]),
  ).toEqual([
    ['tiny', true],
    ['versioned-v0-1', true],
    ['quant', false],
    ['rows', false],
  ]);
  expect((await run('outdated', '--exit-code')).status).toBe(3);

  const plan = await done('update', '--dry-run');
  expect(plan).toContain('README.md');
  expect(await read('hug.lock.json')).toBe(text);

  await done('update', 'versioned-v0-1');
  expect(await locked()).toEqual({
    ...first,
    models: {
      ...first.models,
      'versioned-v0-1': expect.objectContaining({ ref: 'v1.3.0', rev: newest }),
    },
  });
  await done('update');
  expect((await locked()).models.tiny.rev).toBe(moved);
  expect((await run('outdated', '--exit-code')).status).toBe(0);
  expect(await read('hug.yaml')).toBe(filled);

  const last = await read('hug.lock.json');
  expect(await run('add', 'no/body')).toMatchObject({ status: 1 });
  expect([await read('hug.yaml'), await read('hug.lock.json')]).toEqual([filled, last]);

  await done('remove', 'quant');
  expect(await section('models:')).toEqual([
    '  tiny: acme/tiny',
    '  versioned-v0-1:',
    '    repo: acme/Versioned-v0.1',
    '    version: ^1.0',
  ]);
  expect(Object.keys((await locked()).models)).toEqual(['tiny', 'versioned-v0-1']);
  await done('remove', 'tiny', 'models.versioned-v0-1', 'datasets.rows');
  expect(await read('hug.yaml')).toBe(fresh);
  expect(await locked()).toEqual({ lockfileVersion: 2, models: {}, datasets: {} });
  await done('lock', '--check');
});
