import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseLock } from '../../src/lock/codec.ts';
import { type HfUser, hfUser, inCache } from '../support/hf-user.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { isolatedStore } from '../support/isolated-store.ts';
import { callPython, describeClients, type PythonCall } from '../support/python.ts';
import { serve } from '../support/served.ts';
import { tempFolder } from '../support/temp.ts';

const FILES: Readonly<Record<string, string>> = {
  'README.md': '---\nlicense: mit\n---\n',
  'config.json': '{}\n',
  'empty.txt': '',
  'nested/deep/tokenizer.json': '{"a":1}',
  'with space/ünïcode#%+&.txt': 'größe',
};
const WEIGHTS = 'weights '.repeat(100_000);
const MANIFEST = `models:
  tiny: tiny
  part: { repo: org/part, ref: v1, include: ["a.bin"] }
  old: { repo: org/two, ref: REV }
  new: { repo: org/two, ref: dev }
  pr: { repo: org/pr, ref: refs/pr/1 }
datasets:
  rows: org/rows
`;

let hub: Hub;
let main: string;
let old: string;
let pr: string;
let part: string;
let user: HfUser;
let address: string;

beforeAll(async () => {
  hub = await startHub();
  const tiny = await hub.createRepo({ type: 'model', id: 'org/tiny', aliases: ['tiny'] });
  main = await tiny.commit({
    files: [...Object.entries(FILES), ['model.safetensors', lfs(WEIGHTS)] as const],
  });
  const partial = await hub.createRepo({ type: 'model', id: 'org/part' });
  part = await partial.commit({
    files: { 'config.json': '{"p":1}', 'a.bin': lfs('a'), 'b.bin': lfs('b') },
  });
  await partial.tag('v1', part);
  const two = await hub.createRepo({ type: 'model', id: 'org/two' });
  old = await two.commit({ files: { 'config.json': 'old' } });
  await two.commit({ branch: 'dev', parent: old, files: { 'config.json': 'new' } });
  const pulled = await hub.createRepo({ type: 'model', id: 'org/pr' });
  const first = await pulled.commit({ files: { 'config.json': 'first' } });
  pr = await pulled.commit({ branch: 'x', parent: first, files: { 'config.json': 'pulled' } });
  await pulled.pullRequest(1, pr);
  const rows = await hub.createRepo({ type: 'dataset', id: 'org/rows' });
  await rows.commit({ files: { 'data/rows.csv': '1\n2\n', 'data/train.parquet': lfs('rows') } });
  const large = await hub.createRepo({ type: 'model', id: 'org/large' });
  await large.commit({
    files: { 'w.safetensors': lfs.generated({ size: 64 * 1024 * 1024, seed: 'large' }) },
  });
  const licensed = await hub.createRepo({ type: 'model', id: 'org/licensed' });
  await licensed.commit({ files: { 'README.md': FILES['README.md'] ?? '', 'config.json': '{}' } });
  const unlocked = await hub.createRepo({ type: 'model', id: 'org/unlocked' });
  await unlocked.commit({ files: { 'config.json': '{}' } });
});
afterAll(() => hub.close());

beforeEach(async () => {
  user = await hfUser(hub.endpoint, MANIFEST.replace('REV', old));
  const { status, stderr } = await user.run(['export']);
  if (status !== 0) throw new Error(stderr);
  hub.clearRequests();
});

const start = () => serve({ cwd: user.folder, env: user.env });

async function contentsOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  const contents = await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const file = path.join(parentPath, name);
      return [path.relative(folder, file), await readFile(file, 'utf8')] as const;
    }),
  );
  return Object.fromEntries(contents);
}

describeClients((client) => {
  beforeEach(async () => {
    ({ address } = await start());
  });

  /** Calls the client, which has the server for a Hub and an empty cache. */
  async function call(calls: readonly PythonCall[]) {
    const home = await tempFolder('client');
    const outcomes = await callPython(client, { home, endpoint: address }, calls);
    expect(hub.requests).toEqual([]);
    return outcomes;
  }

  /** Commit and contents of snapshots, each downloaded into a cache of its own. */
  const snapshotsOf = async (wanted: readonly Readonly<Record<string, unknown>>[]) => {
    const calls = await Promise.all(
      wanted.map(async (args) => ({
        call: 'snapshot_download',
        args: { ...args, cache_dir: await tempFolder('cache') },
      })),
    );
    return Promise.all(
      (await call(calls)).map(async (outcome) => {
        if (!('value' in outcome)) return outcome;
        const folder = String(outcome.value);
        return { rev: path.basename(folder), files: await contentsOf(folder) };
      }),
    );
  };

  it('downloads snapshots by main, commit, tag and pull request, of models and datasets', async () => {
    const whole = { rev: main, files: { ...FILES, 'model.safetensors': WEIGHTS } };
    const partial = { rev: part, files: { 'config.json': '{"p":1}', 'a.bin': 'a' } };
    const snapshots = await snapshotsOf([
      { repo_id: 'org/tiny' },
      { repo_id: 'org/tiny', revision: main },
      // The id that the manifest asks for.
      { repo_id: 'tiny', revision: 'main' },
      { repo_id: 'org/part', revision: 'v1' },
      // There is one commit, so it is main, too.
      { repo_id: 'org/part' },
      { repo_id: 'org/pr', revision: 'refs/pr/1' },
      { repo_id: 'org/rows', repo_type: 'dataset' },
    ]);
    expect(snapshots).toEqual([
      whole,
      whole,
      whole,
      partial,
      partial,
      { rev: pr, files: { 'config.json': 'pulled' } },
      expect.objectContaining({
        files: { 'data/rows.csv': '1\n2\n', 'data/train.parquet': 'rows' },
      }),
    ]);
  });

  it('tells what is not there as the Hub does', async () => {
    const outcomes = await call([
      { call: 'snapshot_download', args: { repo_id: 'org/two' } },
      { call: 'snapshot_download', args: { repo_id: 'org/two', revision: main } },
      { call: 'snapshot_download', args: { repo_id: 'org/unlocked' } },
      { call: 'snapshot_download', args: { repo_id: 'org/rows' } },
      { call: 'hf_hub_download', args: { repo_id: 'org/tiny', filename: 'absent.json' } },
      { call: 'hf_hub_download', args: { repo_id: 'org/two', filename: 'config.json' } },
      { call: 'model_info', args: { repo_id: 'org/unlocked' } },
    ]);
    expect(outcomes.map((outcome) => ('error' in outcome ? outcome.error : outcome))).toEqual([
      'RevisionNotFoundError',
      'RevisionNotFoundError',
      'RepositoryNotFoundError',
      'RepositoryNotFoundError',
      expect.stringMatching(/^(?:Remote)?EntryNotFoundError$/u),
      'RevisionNotFoundError',
      'RepositoryNotFoundError',
    ]);
  });

  it('asks about files, trees, refs and paths, and downloads single files', async () => {
    const tiny = { repo_id: 'org/tiny' };
    const [isThere, isAbsent, files, tree, refs, paths, info, ...downloads] = await call([
      { call: 'file_exists', args: { ...tiny, filename: 'nested/deep/tokenizer.json' } },
      { call: 'file_exists', args: { ...tiny, filename: 'absent.json' } },
      { call: 'list_repo_files', args: tiny },
      { call: 'list_repo_tree', args: { ...tiny, path_in_repo: 'nested' } },
      { call: 'list_repo_refs', args: { repo_id: 'org/part' } },
      { call: 'get_paths_info', args: { ...tiny, paths: ['model.safetensors', 'nested', 'none'] } },
      { call: 'model_info', args: { ...tiny, files_metadata: true } },
      ...['dev', old].map((revision) => ({
        call: 'hf_hub_download',
        args: { repo_id: 'org/two', filename: 'config.json', revision },
      })),
    ]);
    expect([isThere, isAbsent]).toEqual([{ value: true }, { value: false }]);
    const names = [...Object.keys(FILES), 'model.safetensors'];
    expect(files).toEqual({ value: expect.arrayContaining(names) });
    expect(tree).toMatchObject({ value: [{ path: 'nested/deep' }] });
    expect(refs).toMatchObject({ value: { branches: [{ name: 'v1' }, { name: 'main' }] } });
    expect(paths).toMatchObject({
      value: [{ path: 'model.safetensors', size: WEIGHTS.length }, { path: 'nested' }],
    });
    expect(info).toMatchObject({ value: { id: 'org/tiny', sha: main, tags: ['license:mit'] } });
    const contents = downloads.map(async (outcome) =>
      'value' in outcome ? readFile(String(outcome.value), 'utf8') : outcome.error,
    );
    expect(await Promise.all(contents)).toEqual(['new', 'old']);
  });
});

describe('nix-hug with the server for a Hub', () => {
  const other = async (endpoint: string) => {
    const made = await hfUser(endpoint);
    await writeFile(
      path.join(made.folder, 'hug.yaml'),
      await readFile(path.join(user.folder, 'hug.yaml')),
    );
    return made;
  };

  it('locks the same', async () => {
    const served = await start();
    const { folder, run } = await other(served.address);
    const { status, stderr } = await run(['lock']);
    expect(status, stderr).toBe(0);
    const lockIn = (where: string) => readFile(path.join(where, 'hug.lock.json'), 'utf8');
    expect(await lockIn(folder)).toBe(await lockIn(user.folder));
    expect((await run(['update', '--dry-run'])).stdout).toContain('up to date');
  });

  it('locks an entry whose selection leaves README.md out the same, but for its licence', async () => {
    const manifest = 'models: { part: { repo: org/licensed, files: [config.json] } }';
    const mine = await hfUser(hub.endpoint, manifest);
    await mine.run(['export']);
    const served = await serve({ cwd: mine.folder, env: mine.env });
    const theirs = await hfUser(served.address, manifest);
    const lockOf = async ({ folder }: HfUser) =>
      parseLock(await readFile(path.join(folder, 'hug.lock.json'), 'utf8'), 'hug.lock.json');
    const { license, ...rest } = (await lockOf(mine)).models.get('part') ?? {};
    expect(license).toEqual(['mit']);
    expect((await lockOf(theirs)).models.get('part')).toEqual(rest);
  });

  it('exports and fetches what is locked', async () => {
    const { env } = await isolatedStore();
    const served = await start();
    const { run, folder, cache } = await other(served.address);
    await writeFile(
      path.join(folder, 'hug.lock.json'),
      await readFile(path.join(user.folder, 'hug.lock.json')),
    );
    hub.clearRequests();
    const fetched = await run(['fetch'], env);
    expect(fetched.status, fetched.stderr).toBe(0);
    expect(fetched.stdout).toContain('from the Hub');
    expect((await run(['export'])).status).toBe(0);
    const snapshot = inCache({ cache }, 'models--tiny', 'snapshots', main);
    expect(await contentsOf(snapshot)).toEqual({ ...FILES, 'model.safetensors': WEIGHTS });
    expect(hub.requests).toEqual([]);
  });
});

describe('serve', () => {
  it('warns of files that are not on this machine, and answers them by 404', async () => {
    const alone = await hfUser(hub.endpoint, 'models: { tiny: org/tiny }');
    await alone.run(['export']);
    const lock = parseLock(
      await readFile(path.join(alone.folder, 'hug.lock.json'), 'utf8'),
      'hug.lock.json',
    );
    const oid = lock.models.get('tiny')?.files.get('config.json')?.oid ?? '';
    await rm(inCache(alone, 'models--org--tiny', 'blobs', oid));
    const served = await serve({ cwd: alone.folder, env: alone.env });
    const at = (name: string) => fetch(`${served.address}/org/tiny/resolve/main/${name}`);
    const missing = await at('config.json');
    expect([missing.status, missing.headers.get('x-error-code')]).toEqual([404, 'EntryNotFound']);
    // A client would remember that the commit has no such file.
    expect(missing.headers.get('x-repo-commit')).toBeNull();
    expect((await at('absent.json')).headers.get('x-repo-commit')).toBe(main);
    expect((await at('empty.txt')).status).toBe(200);
    served.child.kill('SIGTERM');
    const { status, stderr } = await served.ended;
    expect(status).toBe(0);
    expect(stderr).toContain(
      'warning: models.tiny: 1 of 6 files not on this machine, and answered by 404: config.json; ' +
        'add them with nix-hug fetch models.tiny, or without Nix nix-hug export models.tiny',
    );
    expect(stderr).toContain('serving 6 files of 1 entry; Ctrl-C ends it\n');
  });

  it('serves from the Nix store', async () => {
    const { env } = await isolatedStore();
    const alone = await hfUser(hub.endpoint, 'models: { tiny: org/tiny }', env);
    expect((await alone.run(['fetch'])).status).toBe(0);
    const served = await serve({ cwd: alone.folder, env: alone.env });
    const answer = await fetch(`${served.address}/org/tiny/resolve/${main}/model.safetensors`);
    expect(await answer.text()).toBe(WEIGHTS);
  });

  it('serves the entries of a group, and main of what is left then', async () => {
    const alone = await hfUser(
      hub.endpoint,
      `models: { old: { repo: org/two, ref: ${old}, groups: [a] }, new: { repo: org/two, ref: dev, groups: [b] } }`,
    );
    await alone.run(['export', '--all-groups']);
    const served = await serve({ cwd: alone.folder, env: alone.env }, [
      '--listen',
      'localhost:0',
      '--group',
      'a',
    ]);
    const at = async (rev: string) => {
      const answer = await fetch(`${served.address}/org/two/resolve/${rev}/config.json`);
      return answer.ok ? answer.text() : answer.headers.get('x-error-code');
    };
    expect(await Promise.all(['main', 'dev', old].map(at))).toEqual([
      'old',
      'RevisionNotFound',
      'old',
    ]);
  });

  it('refuses an address of other machines without --allow-remote, and one that is taken', async () => {
    const remote = await user.run(['serve', '--listen', '0.0.0.0:0', '--json']);
    expect([remote.status, remote.json().error.code]).toEqual([2, 'EHUG_USAGE']);
    const served = await start();
    const { port } = new URL(served.address);
    const taken = await user.run(['serve', '--listen', `127.0.0.1:${port}`, '--json']);
    expect([taken.status, taken.json().error]).toEqual([
      1,
      {
        code: 'EHUG_LISTEN',
        message: expect.stringContaining('EADDRINUSE'),
        hint: expect.stringContaining('--listen'),
      },
    ]);
  });

  it('with --allow-remote warns that gated files become readable', async () => {
    const served = await serve({ cwd: user.folder, env: user.env }, [
      '--listen',
      '0.0.0.0:0',
      '--allow-remote',
    ]);
    const { port } = new URL(served.address);
    expect((await fetch(`http://127.0.0.1:${port}/api/models/org/tiny`)).status).toBe(200);
    served.child.kill('SIGINT');
    expect((await served.ended).stderr).toContain(
      `warning: whoever reaches ${served.address} can read every file of the lock, those of gated repositories too`,
    );
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ends by %s with open downloads, as asked',
    async (name) => {
      const large = await hfUser(hub.endpoint, 'models: { large: org/large }');
      await large.run(['export']);
      const served = await serve({ cwd: large.folder, env: large.env });
      const downloads = await Promise.all(
        Array.from({ length: 8 }, () =>
          fetch(`${served.address}/org/large/resolve/main/w.safetensors`),
        ),
      );
      served.child.kill(name);
      // A command that does not end after a signal is ended with 130.
      expect(await served.ended).toMatchObject({ status: 0 });
      const bodies = await Promise.allSettled(downloads.map((download) => download.arrayBuffer()));
      expect(bodies.map(({ status }) => status)).toContain('rejected');
    },
  );

  it('tells each request with --debug, without what commands a terminal', async () => {
    const served = await serve({ cwd: user.folder, env: user.env }, [
      '--debug',
      '--listen',
      '127.0.0.1:0',
    ]);
    await fetch(`${served.address}/api/models/org/tiny`);
    await fetch(`${served.address}/%1b[31m/\u009b`);
    served.child.kill('SIGTERM');
    const { stderr } = await served.ended;
    expect(stderr).toContain('GET /api/models/org/tiny 200\n');
    expect(stderr).not.toMatch(/[\u001b\u009b]/u);
  });

  it('works where there is a lock and no manifest', async () => {
    const cwd = await tempFolder('container');
    await writeFile(
      path.join(cwd, 'hug.lock.json'),
      await readFile(path.join(user.folder, 'hug.lock.json')),
    );
    const served = await serve({ cwd, env: user.env });
    expect((await fetch(`${served.address}/api/datasets/org/rows`)).status).toBe(200);
  });
});
