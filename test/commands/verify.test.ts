import { execFile } from 'node:child_process';
import { chmod, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  blobOf,
  type CachedProject,
  cachedProject,
  fillCache,
  put,
  realiseAll,
} from '../support/cached-project.ts';
import { formatLock } from '../../src/lock/codec.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { hexOfSri, sriOfContent } from '../../src/digest.ts';
import { lockOf } from '../support/locks.ts';
import { spawnCli } from '../support/spawn-cli.ts';
import { tempFolder } from '../support/temp.ts';

const exec = promisify(execFile);

const MANIFEST = 'models: { tiny: org/tiny }\ndatasets: { rows: org/rows }';

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  const tiny = await hub.createRepo({ type: 'model', id: 'org/tiny' });
  await tiny.commit({ files: { 'config.json': '{}\n', 'model.safetensors': lfs('weights') } });
  const rows = await hub.createRepo({ type: 'dataset', id: 'org/rows' });
  await rows.commit({ files: { 'config.json': '{}\n', 'train.parquet': lfs('rows') } });
});
afterAll(() => hub.close());

/** A project whose files are in the store, and in the cache too. */
async function stored() {
  const made = await cachedProject(hub, MANIFEST);
  const files = await fillCache(made);
  const { json } = await made.run(['import', '--json']);
  const entries: { files: { path: string; storePath: string }[] }[] = json().entries;
  const paths = new Map(
    entries.flatMap((entry) => entry.files).map((file) => [file.path, file.storePath]),
  );
  hub.clearRequests();
  return { ...made, files, storePathOf: (name: string) => paths.get(name) ?? '' };
}

/** Writes into the store, as a broken disk does. */
async function overwrite(file: string, content: string): Promise<void> {
  await chmod(file, 0o644);
  await writeFile(file, content);
}

/** What it says of each file, and what differs. */
async function verified(made: CachedProject, ...names: readonly string[]) {
  const { status, json } = await made.run(['verify', ...names, '--json']);
  const { entries, problems, store } = json();
  return {
    status,
    store,
    problems,
    states: entries.map((entry: { files: { store: string; cache: string }[] }) =>
      entry.files.map((file) => `${file.store} ${file.cache}`),
    ),
  };
}

describe('verify', () => {
  it('reads each copy in store and cache once, without a request', async () => {
    const made = await stored();
    const { status, stdout, stderr } = await made.run(['verify', '--verbose']);
    expect([status, stdout]).toEqual([
      0,
      [
        'models.tiny    2 files  store: 2 sound; cache: 2 sound',
        'datasets.rows  2 files  store: 2 sound; cache: 2 sound',
        'nothing differs from the lock; 7 files read',
        '',
      ].join('\n'),
    ]);
    // Both `config.json` are one in the store, and two in the cache.
    expect(stderr.split('\n').toSorted()).toEqual([
      '',
      'cache datasets.rows config.json: 3 B',
      'cache datasets.rows train.parquet: 4 B',
      'cache models.tiny config.json: 3 B',
      'cache models.tiny model.safetensors: 7 B',
      'store datasets.rows train.parquet: 4 B',
      'store models.tiny config.json: 3 B',
      'store models.tiny model.safetensors: 7 B',
    ]);
    expect(hub.requests).toEqual([]);
  });

  it('says what is not on this machine, and fails for it with --strict', async () => {
    const made = await cachedProject(hub, MANIFEST);
    const empty = await made.run(['verify']);
    expect([empty.status, empty.stdout]).toEqual([
      0,
      expect.stringContaining('models.tiny    2 files  not in store or cache\n'),
    ]);
    expect(empty.stdout).toContain('not on this machine, or only in part: 2 entries\n');
    expect(empty.stdout).toContain('  download: nix-hug fetch models.tiny datasets.rows\n');
    expect((await made.run(['verify', '--strict'])).status).toBe(1);
    await fillCache(made, (name) => name === 'train.parquet');
    const part = await made.run(['verify', 'rows']);
    expect([part.status, part.stdout]).toEqual([
      0,
      expect.stringContaining('datasets.rows  2 files  store: none; cache: 1 sound\n'),
    ]);
    expect(part.stdout).toContain('not on this machine, or only in part: 1 entry\n');
    const strict = await made.run(['verify', '--strict', '--json']);
    const entries: { incomplete: boolean }[] = strict.json().entries;
    expect([strict.status, entries.map(({ incomplete }) => incomplete)]).toEqual([1, [true, true]]);
    await fillCache(made, (name) => name !== 'train.parquet');
    expect((await made.run(['verify', '--strict'])).status).toBe(0);
  });

  it('takes little memory for many files that are not there', async () => {
    const folder = await tempFolder();
    const file = (index: number) => {
      const hash = sriOfContent(String(index));
      return { size: 1, hash, oid: hexOfSri(hash).slice(0, 40), lfs: true as const };
    };
    const files = new Map(Array.from({ length: 100_000 }, (_, index) => [`${index}`, file(index)]));
    const lock = lockOf({ m: { repo: 'org/m', ref: 'main', rev: 'c'.repeat(40), files } });
    await writeFile(path.join(folder, 'hug.lock.json'), formatLock(lock));
    await writeFile(path.join(folder, 'hug.yaml'), 'models: { m: org/m }\n');
    const env = { PATH: '/nonexistent', HF_HOME: folder, NODE_OPTIONS: '--max-old-space-size=400' };
    const { status, stdout } = await spawnCli(['verify'], { cwd: folder, env }).ended;
    expect([status, stdout]).toEqual([0, expect.stringContaining('100000 files')]);
  });

  it('names a damaged store path, and a command that repairs it', async () => {
    const made = await stored();
    const file = made.storePathOf('model.safetensors');
    await overwrite(file, 'Weights');
    const { status, stdout } = await made.run(['verify']);
    expect(status).toBe(1);
    expect(stdout).toContain('models.tiny    2 files  store: 1 sound, 1 damaged; cache: 2 sound');
    expect(stdout).toContain(`models.tiny model.safetensors: ${file} has the digest sha256-`);
    expect(stdout).toContain('1 file differs from the lock\n');
    const repair = /repair: (?<command>.+)/u.exec(stdout)?.groups?.['command'] ?? '';
    await repairWith(repair, made);
    expect(await readFile(file, 'utf8')).toBe('weights');
    expect((await made.run(['verify'])).status).toBe(0);
  });

  it('repairs a store path that a model was built of', async () => {
    const made = await stored();
    await realiseAll(made);
    const file = made.storePathOf('train.parquet');
    const builder = 'args = [ "-c" "echo ${file} > $out" ]; builder = "/bin/sh"';
    const model = `let file = builtins.storePath ${file}; in derivation {
      name = "model"; system = builtins.currentSystem; ${builder}; }`;
    await made.store.nix('nix-build', '--no-out-link', '--expr', model);
    await overwrite(file, 'ROWS');
    const { problems, states } = await verified(made, 'rows');
    expect(states).toEqual([['sound sound', 'damaged sound']]);
    await repairWith(problems[0].repair, made);
    expect(await verified(made)).toMatchObject({ status: 0, problems: [] });
  });

  it('finds a valid store path that is missing or cut short', async () => {
    const made = await stored();
    await rm(made.storePathOf('model.safetensors'), { force: true });
    await chmod(made.storePathOf('train.parquet'), 0o644);
    await truncate(made.storePathOf('train.parquet'), 2);
    const { status, problems } = await verified(made);
    expect(status).toBe(1);
    expect(problems).toEqual([
      expect.objectContaining({
        entry: 'tiny',
        type: 'model',
        file: 'model.safetensors',
        where: 'store',
        reason: 'is not there',
      }),
      expect.objectContaining({ entry: 'rows', reason: 'has 2 bytes, expected 4' }),
    ]);
    for (const { repair } of problems) await repairWith(repair, made);
    expect((await made.run(['verify'])).status).toBe(0);
  });

  it('names damaged files of the cache, also behind wrong links', async () => {
    const made = await stored();
    const blob = blobOf(made.files, 'train.parquet');
    await writeFile(blob, 'Rows');
    const { tiny } = Object.fromEntries((await made.lock()).models);
    const link = path.join(
      made.cache,
      'models--org--tiny/snapshots',
      tiny?.rev ?? '',
      'config.json',
    );
    await rm(link);
    await symlink('nowhere', link);
    const stray = await put(path.join(made.cache, 'models--org--tiny', 'blobs', 'stray'), '[]\n');
    await rm(link);
    await symlink('../../blobs/stray', link);
    const { status, problems, states } = await verified(made);
    expect(status).toBe(1);
    expect(states).toEqual([
      ['sound damaged', 'sound sound'],
      ['sound sound', 'sound damaged'],
    ]);
    expect(problems).toEqual([
      expect.objectContaining({
        path: stray,
        where: 'cache',
        repair: 'nix-hug export models.tiny',
      }),
      expect.objectContaining({
        path: blob,
        reason: expect.stringContaining('has the digest'),
        repair: 'nix-hug export datasets.rows',
      }),
    ]);
    expect(await readFile(blob, 'utf8')).toBe('Rows');
  });

  it('verifies only the cache without Nix, with a warning', async () => {
    const made = await stored();
    const { status, stdout, stderr } = await made.run(['verify'], { PATH: await tempFolder() });
    expect([status, stderr]).toEqual([0, expect.stringContaining('warning: Nix is not on PATH')]);
    expect(stdout).toContain('models.tiny    2 files  cache: 2 sound\n');
    const { json } = await made.run(['verify', '--json'], { PATH: await tempFolder() });
    expect(json().store).toBeNull();
    expect(json().entries[0].files[0].store).toBeNull();
  });

  it('ends when it is interrupted, in the middle of a file', async () => {
    const big = await hub.createRepo({ type: 'model', id: 'org/big' });
    const weights = lfs.generated({ size: 256 * 1024 * 1024, seed: 1 });
    await big.commit({ files: { 'config.json': '{}', 'w.safetensors': weights } });
    const made = await cachedProject(hub, 'models: { big: org/big }');
    await fillCache(made);
    const { folder, env } = made;
    const { child, ended } = spawnCli(['-C', folder, 'verify', '-v'], { cwd: folder, env });
    child.stderr?.once('data', () => child.kill('SIGINT'));
    expect(await ended).toMatchObject({ status: 130, stdout: '' });
  });
});

/** Runs a command of the hint; `nix-hug` is not on PATH in a test. */
async function repairWith(command: string, made: CachedProject): Promise<void> {
  const [nix = '', ...nixHug] = command.split(' && nix-hug ');
  await exec('/bin/sh', ['-c', nix], { env: { ...made.env } });
  for (const argv of nixHug) {
    const { status, stderr } = await made.run(argv.split(' '));
    if (status !== 0) throw new Error(stderr);
  }
}
