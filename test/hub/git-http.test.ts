import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';
import { describeNix, nixString } from '../support/nix.ts';
import { tempFolder } from '../support/temp.ts';

// The loopback hub serves its repositories to the real git, and to Nix through it.

const TOKEN = 'test-token-of-the-owner';

let hub: Hub;
let repo: Repository;
let first: string;
let second: string;
let onlyInRequest: string;

beforeAll(async () => {
  hub = await startHub();
  hub.addToken(TOKEN);
  hub.addToken('test-token-of-a-stranger', { repos: [] });
  repo = await hub.createRepo({ type: 'model', id: 'org/name', aliases: ['name', 'old/name'] });
  first = await repo.commit({ files: { 'config.json': '{}', 'model.bin': lfs('weights') } });
  second = await repo.commit({ files: { 'config.json': '{"two":2}', 'ä b.txt': 'odd' } });
  await repo.branch('side', first);
  onlyInRequest = await repo.commit({ branch: 'request', files: { 'new.txt': 'new' } });
  await repo.pullRequest(1, onlyInRequest);
  const rows = await hub.createRepo({ type: 'dataset', id: 'org/name' });
  await rows.commit({ files: { 'README.md': '# rows\n' } });
  const gated = await hub.createRepo({ type: 'model', id: 'org/gated', gated: 'auto' });
  await gated.commit({ files: { 'config.json': '{}' } });
  const hidden = await hub.createRepo({ type: 'model', id: 'org/hidden', private: true });
  await hidden.commit({ files: { 'config.json': '{}' } });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

/** Runs git without the configuration of the machine and the user, and without asking for a password. */
async function git(...args: readonly string[]) {
  const env = {
    PATH: process.env['PATH'],
    LC_ALL: 'C',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
  };
  return promisify(execFile)('git', args, { env }).then(
    (output) => ({ status: 0, ...output }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      status: code,
      stdout,
      stderr,
    }),
  );
}

/** Clones, and returns the result of git and the folder. */
async function clone(address: string, ...options: readonly string[]) {
  const folder = path.join(await tempFolder(), 'clone');
  return { folder, ...(await git('clone', '--quiet', ...options, address, folder)) };
}

const withPassword = (password: string) =>
  `${hub.endpoint.replace('://', `://user:${password}@`)}/org/gated`;

describe('git clone', () => {
  it.each(['org/name', 'org/name.git'])('reads %s', async (id) => {
    const { folder, stderr, status } = await clone(`${hub.endpoint}/${id}`);
    expect([status, stderr]).toEqual([0, '']);
    expect(await readFile(path.join(folder, 'config.json'), 'utf8')).toBe('{"two":2}');
    expect(await readFile(path.join(folder, 'ä b.txt'), 'utf8')).toBe('odd');
    expect(await readFile(path.join(folder, 'model.bin'), 'utf8')).toMatch(/^version https:.*lfs/u);
    expect((await git('-C', folder, 'rev-parse', 'HEAD')).stdout.trim()).toBe(second);
    expect(hub.requests.map(({ method, url, status: answer }) => [method, url, answer])).toEqual([
      ['GET', `/${id}/info/refs?service=git-upload-pack`, 200],
      ['POST', `/${id}/git-upload-pack`, 200],
      ['POST', `/${id}/git-upload-pack`, 200],
    ]);
  });

  it('reads a dataset of the same id', async () => {
    const { folder } = await clone(`${hub.endpoint}/datasets/org/name`);
    expect(await readFile(path.join(folder, 'README.md'), 'utf8')).toBe('# rows\n');
  });

  it.each(['name', 'old/name.git', 'ORG/Name'])('follows %s to its canonical id', async (id) => {
    const { status } = await clone(`${hub.endpoint}/${id}`);
    expect(status).toBe(0);
    expect(hub.requests.at(0)).toMatchObject({ status: 307 });
    expect(hub.requests.at(-1)?.url).toMatch(/^\/org\/name(?:\.git)?\/git-upload-pack$/u);
  });

  it.each([
    ['org/gated', 'Authentication failed|could not read Username'],
    ['org/hidden', 'Authentication failed|could not read Username'],
    ['org/none', 'Authentication failed|could not read Username'],
  ])('is refused %s without a token', async (id, message) => {
    const { status, stderr } = await clone(`${hub.endpoint}/${id}`);
    expect(stderr).toMatch(new RegExp(message, 'u'));
    expect(status).toBe(128);
    expect(hub.requests.at(0)).toMatchObject({ status: 401, authorization: undefined });
  });

  it('accepts a token as the password', async () => {
    const { folder } = await clone(withPassword(TOKEN));
    expect(await readFile(path.join(folder, 'config.json'), 'utf8')).toBe('{}');
    expect((await clone(withPassword('test-token-of-a-stranger'))).stderr).toContain('403');
    expect((await clone(withPassword('unknown'))).stderr).toContain('Authentication failed');
  });

  it('fails by an injected fault', async () => {
    hub.inject({ match: 'info/refs', fault: { kind: 'status', status: 503 } });
    const { stderr } = await clone(`${hub.endpoint}/org/name`);
    expect(stderr).toContain('503');
  });

  it('is read-only: a push is refused', async () => {
    const { folder } = await clone(`${hub.endpoint}/org/name`);
    const { stderr, status } = await git('-C', folder, 'push', 'origin', 'HEAD:refs/heads/x');
    expect(stderr).toContain('403');
    expect(status).toBe(128);
  });
});

it('accepts a token as a password from git alone', async () => {
  const authorization = `Basic ${Buffer.from(`user:${TOKEN}`).toString('base64')}`;
  const { status } = await fetch(`${hub.endpoint}/api/models/org/gated`, {
    headers: { authorization },
  });
  expect(status).toBe(401);
});

describe('git fetch', () => {
  it('fetches a single commit that no ref names', async () => {
    const folder = await tempFolder();
    await git('init', '--quiet', folder);
    const address = `${hub.endpoint}/org/name`;
    const fetched = await git('-C', folder, 'fetch', '--quiet', '--depth=1', address, first);
    expect([fetched.status, fetched.stderr]).toEqual([0, '']);
    expect((await git('-C', folder, 'rev-list', '--all', 'FETCH_HEAD')).stdout.trim()).toBe(first);
  });

  it('sends a long request compressed', async () => {
    const { folder } = await clone(`${hub.endpoint}/org/name`);
    const many = Array.from({ length: 40 }, (_, index) => `side${index}`);
    for (const name of many) await repo.branch(name, onlyInRequest);
    const fetched = await git('-C', folder, 'fetch', '--quiet', 'origin', 'refs/*:refs/hub/*');
    expect([fetched.status, fetched.stderr]).toEqual([0, '']);
  });
});

describeNix('builtins.fetchGit', (nix) => {
  const fetchGit = (rev: string, more: string) =>
    nix().run(
      'nix-instantiate',
      '--eval',
      '--strict',
      '--json',
      '--pure-eval',
      '--expr',
      `builtins.readFile ((builtins.fetchGit { url = ${nixString(`${hub.endpoint}/org/name`)}; rev = "${rev}"; ${more} }) + "/config.json")`,
    );

  it('fetches any commit of any ref with allRefs', async () => {
    for (const [rev, content] of [
      [first, '{}'],
      [second, '{"two":2}'],
      [onlyInRequest, undefined],
    ] as const) {
      const { stdout, stderr } = await fetchGit(rev, 'ref = "HEAD"; allRefs = true;');
      if (content === undefined) expect(stderr).toContain('config.json');
      else expect(JSON.parse(stdout)).toBe(content);
    }
  });

  it('sends no request for a commit that it already has', async () => {
    await fetchGit(second, 'ref = "HEAD"; allRefs = true;');
    hub.clearRequests();
    await fetchGit(second, 'ref = "HEAD"; allRefs = true;');
    expect(hub.requests).toEqual([]);
  });
});
