import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { blobOf, cachedProject, fillCache, put, realiseAll } from '../support/cached-project.ts';
import { ended } from '../support/ended.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { storeObjects } from '../support/isolated-store.ts';
import { callPython, describeClients } from '../support/python.ts';
import { runCli } from '../support/run-cli.ts';
import { BIN } from '../support/spawn-cli.ts';

/** Runs a command at a terminal of its own (util-linux). */
const TERMINAL = 'script';

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  const tiny = await hub.createRepo({ type: 'model', id: 'org/tiny' });
  const shared = { 'model.safetensors': lfs('weights'), 'copy.json': '{}\n' };
  const old = await tiny.commit({ files: { ...shared, 'config.json': 'old' } });
  await tiny.tag('v1', old);
  await tiny.commit({ files: { 'config.json': '{}\n', 'größe & co.csv': 'a,b\n', '-x': 'x' } });
  const rows = await hub.createRepo({ type: 'dataset', id: 'org/rows' });
  await rows.commit({ files: { 'config.json': '{}\n', 'data/train.parquet': lfs('rows') } });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

const MANIFEST =
  'models: { tiny: org/tiny, older: { repo: org/tiny, ref: v1 } }\ndatasets: { rows: org/rows }';

describeClients((client) => {
  it.each([{}, { HF_HUB_DISABLE_SYMLINKS: '1' }])(
    'has filled a cache that is enough for a lock (%j)',
    async (env) => {
      const made = await cachedProject(hub, MANIFEST);
      const settings = { home: `${made.home}/hf`, endpoint: hub.endpoint, env };
      await callPython(client, settings, [
        { call: 'snapshot_download', args: { repo_id: 'org/tiny' } },
        { call: 'snapshot_download', args: { repo_id: 'org/tiny', revision: 'v1' } },
        { call: 'snapshot_download', args: { repo_id: 'org/rows', repo_type: 'dataset' } },
      ]);
      hub.clearRequests();
      const { status, stdout, stderr } = await made.run(['import-all', '-y']);
      expect([status, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
      expect(stderr).toMatch(/\nnext: nix build, which downloads none of these files\n$/u);
      expect(stdout).toMatch(/^added to the Nix store:\n {2}datasets\.org\/rows@[0-9a-f]{12} /u);
      expect((await realiseAll(made)).length).toBe(10);
      expect((await made.run(['import-all', '-y'])).stdout).toBe(
        'in the Nix store already: 3 snapshots\n',
      );
      expect(hub.requests).toEqual([]);
    },
  );
});

/** A project whose cache has everything. */
async function filled() {
  const made = await cachedProject(hub, MANIFEST);
  const files = await fillCache(made);
  hub.clearRequests();
  return { ...made, files };
}

describe('import-all', () => {
  it('lists the missing snapshots with --dry-run, and adds none', async () => {
    const { run, store } = await filled();
    const { status, stdout } = await run(['import-all', '--dry-run']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^not in the Nix store:\n/u);
    expect(stdout).toMatch(/ {2}datasets\.org\/rows@[0-9a-f]{12} +2 files +7 B\n/u);
    expect(await storeObjects(store)).toEqual([]);
  });

  it('prints as JSON where each file is', async () => {
    const { run } = await filled();
    await run(['import', 'rows']);
    const { json } = await run(['import-all', '-y', '--json']);
    const { changed, snapshots } = json();
    expect([changed, snapshots.length]).toEqual([true, 3]);
    const sources = new Map(
      snapshots.flatMap(({ repo, files }: any) =>
        files.map((file: any) => [`${repo} ${file.path}`, file.source]),
      ),
    );
    expect(sources.get('org/rows data/train.parquet')).toBe('store');
    expect(sources.get('org/tiny model.safetensors')).toBe('cache');
    for (const { path: name, storePath, size } of snapshots.flatMap(({ files }: any) => files)) {
      expect([name, (await readFile(storePath)).length]).toEqual([name, size]);
    }
  });

  it('adds all files but the damaged ones, which it does not change', async () => {
    const { run, files, store } = await filled();
    const damaged = ['config.json', 'data/train.parquet'].map((name) => blobOf(files, name));
    for (const blob of damaged) await writeFile(blob, 'damaged');
    const { status, stdout, stderr } = await run(['import-all', '-y']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/ {2}datasets\.org\/rows@[0-9a-f]{12} .* 1 damaged\n/u);
    expect(stdout).toMatch(/ {2}models\.org\/tiny@[0-9a-f]{12} .* 1 damaged\n/u);
    expect(stderr).toContain(`warning: ${damaged[0]} has the git blob id `);
    expect(stderr).toContain(`warning: ${damaged[1]} has the digest sha256-`);
    for (const blob of damaged) expect(await readFile(blob, 'utf8')).toBe('damaged');
    const names = (await storeObjects(store)).map((name) => name.slice(33));
    expect(names).toContain('model.safetensors');
    expect(names).not.toContain('train.parquet');
  });

  it('adds files without a known digest as they are, and nothing but models and datasets', async () => {
    const made = await cachedProject(hub, 'datasets: { rows: org/rows }');
    const rev = (await made.lock()).datasets.get('rows')?.rev ?? '';
    const folder = path.join(made.cache, 'datasets--org--rows', 'snapshots', rev);
    await put(path.join(folder, 'data', 'train.parquet'), 'rows');
    await put(path.join(folder, 'config.json'), '{}\n');
    await put(path.join(made.cache, 'spaces--org--app', 'snapshots', rev, 'app.py'), 'x');
    await put(path.join(made.cache, 'stray'), 'x');
    expect((await made.run(['import-all', '-y'])).status).toBe(0);
    expect((await realiseAll(made)).length).toBe(2);
    expect((await storeObjects(made.store)).length).toBe(2);
  });

  it('adds no file from outside of the cache without a known digest', async () => {
    const made = await cachedProject(hub, 'datasets: { rows: org/rows }');
    const files = await fillCache(made);
    const secret = await put(path.join(made.home, 'id_ed25519'), 'secret');
    const folder = path.join(made.cache, 'models--org--evil', 'snapshots', 'a'.repeat(40));
    await mkdir(folder, { recursive: true });
    await symlink(secret, path.join(folder, 'config.json'));
    const blob = blobOf(files, 'data/train.parquet');
    const vouched = await put(path.join(made.home, 'elsewhere'), 'rows');
    await rm(blob);
    await symlink(vouched, blob);
    const { status, stderr } = await made.run(['import-all', '-y']);
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining(
        `warning: ${secret} is outside of the cache, and nothing gives its digest`,
      ),
    ]);
    expect((await realiseAll(made)).length).toBe(2);
    expect((await storeObjects(made.store)).length).toBe(2);
  });

  it('warns of a snapshot that is not whole', async () => {
    const { run, files } = await filled();
    await rm(blobOf(files, 'data/train.parquet'));
    const { status, stderr } = await run(['import-all', '-y']);
    expect([status, stderr]).toEqual([0, expect.stringMatching(/rows@[0-9a-f]+ is not whole/u)]);
  });

  it('does nothing when there is no cache', async () => {
    const { run } = await cachedProject(hub, MANIFEST);
    expect((await run(['import-all', '-y'])).stdout).toBe(
      'the Hugging Face cache has no snapshots\n',
    );
  });
});

describe('the confirmation of import-all', () => {
  /** Runs it at a terminal. */
  async function at(typed: Readable, signal?: AbortSignal) {
    const made = await filled();
    const { status, stdout, stderr } = await runCli(['import-all', '--no-color'], {
      cwd: made.folder,
      env: { ...made.env, TERM: 'dumb' },
      typed,
      ...(signal === undefined ? {} : { signal }),
    });
    return { status, stdout, stderr, stored: await storeObjects(made.store) };
  }

  it.each(['y\n', 'Yes\n'])('is given by %j', async (answer) => {
    const { status, stderr, stored } = await at(Readable.from([answer]));
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('error')]);
    expect(stderr).toMatch(/models\.org\/tiny@[0-9a-f]{12} .+\nImport 3 snapshots, \d+ B, /u);
    expect(stored.length).toBe(7);
  });

  it.each(['n\n', '\n', 'yesterday\n', ''])('is not given by %j', async (answer) => {
    const { status, stdout, stored } = await at(Readable.from([answer]));
    expect([status, stored]).toEqual([0, []]);
    expect(stdout).toContain('not in the Nix store:');
  });

  it('is not given by an interruption', async () => {
    const controller = new AbortController();
    const typed = new PassThrough();
    const running = at(typed, controller.signal);
    setTimeout(() => controller.abort(), 2_000);
    expect(await running).toMatchObject({ status: 130, stdout: '', stored: [] });
  });

  it('is not given by Ctrl-C at a real terminal, which ends the program in order', async () => {
    const made = await filled();
    const argv = [process.execPath, '--import', import.meta.resolve('tsx'), BIN, 'import-all'];
    const command = `stty columns 80; cd "$PROJECT"; ${argv.map((arg) => `'${arg}'`).join(' ')}`;
    const terminal = spawn(TERMINAL, ['--quiet', '--return', '--command', command, '/dev/null'], {
      env: { ...process.env, ...made.env, PROJECT: made.folder, TERM: 'xterm' },
    });
    let shown = '';
    terminal.stdout.on('data', (chunk) => {
      if (!shown.includes('[y/N]') && (shown += String(chunk)).includes('[y/N]')) {
        terminal.stdin.write('\u0003');
      }
    });
    const { status, stdout } = await ended(terminal);
    expect([status, stdout]).toEqual([130, expect.stringContaining('EHUG_INTERRUPTED')]);
    expect(await storeObjects(made.store)).toEqual([]);
  });

  it.each([[['import-all']], [['import-all', '--json']]])(
    'cannot be given without a terminal, or as JSON: %j',
    async (argv) => {
      const { run, store } = await filled();
      const { status, stdout, stderr } = await run(argv);
      expect([status, stdout + stderr]).toEqual([2, expect.stringContaining('EHUG_USAGE')]);
      expect(stdout + stderr).toContain('Pass -y to import all');
      expect(await storeObjects(store)).toEqual([]);
    },
  );
});
