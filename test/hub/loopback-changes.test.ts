import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';
import { callPython, describeClients } from '../support/python.ts';
import { tempFolder } from '../support/temp.ts';

// Repositories that change under their users: forced pushes, renames, removals, gates.

const TOKEN = 'hf_test_reader';

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  hub.addToken(TOKEN);
});
afterAll(() => hub.close());

async function status(path: string): Promise<[number, string | null]> {
  const response = await fetch(`${hub.endpoint}/api/models/${path}`, { redirect: 'manual' });
  await response.arrayBuffer();
  return [response.status, response.headers.get('x-error-code')];
}

const git = async ({ gitDir }: Repository, ...args: readonly string[]) =>
  (await promisify(execFile)('git', ['--git-dir', gitDir, ...args])).stdout.trim();

it('keeps a commit without a ref after a forced push, until it is pruned', async () => {
  const repo = await hub.createRepo({ type: 'model', id: 'org/forced' });
  const first = await repo.commit({ files: { a: '1' } });
  const old = await repo.commit({ files: { a: '2' } });
  const forced = await repo.commit({ parent: null, files: { a: '3' } });
  expect(await git(repo, 'log', '--format=%H', 'main')).toBe(forced);
  expect(await status(`org/forced/revision/${old}`)).toEqual([200, null]);
  await repo.tag('first', first);
  await repo.prune();
  expect(await status(`org/forced/revision/${old}`)).toEqual([404, 'RevisionNotFound']);
  expect(await status(`org/forced/commits/${old}`)).toEqual([404, 'RevisionNotFound']);
  expect(await status(`org/forced/revision/${first}`)).toEqual([200, null]);
  expect(await git(repo, 'fsck', '--strict', '--full')).toBe('');
  await expect(git(repo, 'cat-file', '-e', old)).rejects.toThrow('cat-file');
});

it('removes a branch, and then its commits', async () => {
  const repo = await hub.createRepo({ type: 'model', id: 'org/branches' });
  const kept = await repo.commit({ files: { a: '1' } });
  const lost = await repo.commit({ branch: 'dev', parent: kept, files: { a: '2' } });
  await repo.deleteBranch('dev');
  await repo.prune();
  expect(await status('org/branches/revision/dev')).toEqual([404, 'RevisionNotFound']);
  expect(await status(`org/branches/revision/${lost}`)).toEqual([404, 'RevisionNotFound']);
  expect(await git(repo, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
});

it('gates a repository that was open', async () => {
  const repo = await hub.createRepo({ type: 'model', id: 'org/gate' });
  await repo.commit({ files: { 'w.bin': lfs('w') } });
  repo.gated = 'auto';
  const response = await fetch(`${hub.endpoint}/api/models/org/gate/tree/main`);
  expect(await response.text()).toContain('*'.repeat(64));
});

it('removes a repository with its aliases', async () => {
  const repo = await hub.createRepo({ type: 'model', id: 'org/gone', aliases: ['gone'] });
  await repo.commit({ files: { a: '1' } });
  await hub.deleteRepo(repo);
  expect(await status('org/gone')).toEqual([401, null]);
  expect(await status('gone')).toEqual([401, null]);
  expect(existsSync(repo.gitDir)).toBe(false);
});

it('refuses a new id that is taken', async () => {
  const repo = await hub.createRepo({ type: 'model', id: 'org/one' });
  await hub.createRepo({ type: 'model', id: 'org/two' });
  expect(() => hub.renameRepo(repo, 'Org/Two')).toThrow('already has');
});

describeClients((client) => {
  it('reports what became of a repository', async () => {
    const id = `org/old-${client.version}`;
    const repo = await hub.createRepo({ type: 'model', id });
    const old = await repo.commit({ files: { a: '1' } });
    const sha = await repo.commit({ parent: null, files: { a: '2' } });
    await repo.prune();
    hub.renameRepo(repo, `org/new-${client.version}`);
    const settings = { home: await tempFolder(), endpoint: hub.endpoint, token: TOKEN };
    const ask = (args: object) =>
      callPython(client, settings, [{ call: 'model_info', args: { repo_id: id, ...args } }]);
    expect(await ask({})).toMatchObject([{ value: { id: `org/new-${client.version}`, sha } }]);
    expect(await ask({ revision: old })).toMatchObject([{ error: 'RevisionNotFoundError' }]);
    await hub.deleteRepo(repo);
    expect(await ask({})).toMatchObject([{ error: 'RepositoryNotFoundError' }]);
  });
});
