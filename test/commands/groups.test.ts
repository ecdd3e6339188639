import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';
import { createProject, lockedProject } from '../support/project.ts';
import { tempFolder } from '../support/temp.ts';

let hub: Hub;
let repo: Repository;

beforeAll(async () => {
  hub = await startHub();
  repo = await hub.createRepo({ type: 'model', id: 'org/grouped' });
  await repo.commit({ files: { 'config.json': '{}\n', 'model.safetensors': lfs('weights') } });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

const MANIFEST = `models:
  always: org/grouped
  big: { repo: org/grouped, groups: [gpu, Dev] }
  both: { repo: org/grouped, groups: [gpu] }
  test: { repo: org/grouped, groups: [ci] }
`;

async function locked(manifest = MANIFEST) {
  const project = await lockedProject(hub, manifest);
  return { ...project, models: async () => (await project.lock()).models };
}

describe('the groups of an entry', () => {
  it('are locked, sorted', async () => {
    const { models } = await locked();
    expect((await models()).big.groups).toEqual(['Dev', 'gpu']);
    expect((await models()).always).not.toHaveProperty('groups');
  });

  it('change with no request and no other commit', async () => {
    const { run, manifest, models } = await locked();
    const before = await models();
    await repo.commit({ files: { 'config.json': '{"newer":1}\n' } });
    await manifest(MANIFEST.replace('[gpu, Dev]', '[tpu]').replace(', groups: [ci]', ''));
    const check = await run(['lock', '--check']);
    expect(check.status).toBe(3);
    expect(check.stdout).toContain(
      '  models.big: groups changed from ["Dev","gpu"] to ["tpu"]\n' +
        '  models.test: groups changed from ["ci"] to none\n',
    );
    expect((await run(['lock', '--offline'])).status).toBe(0);
    expect(hub.requests).toEqual([]);
    const { groups: _ci, ...test } = before.test;
    expect(await models()).toEqual({ ...before, big: { ...before.big, groups: ['tpu'] }, test });
    expect((await run(['lock', '--check'])).status).toBe(0);
  });

  it('in another order are the same', async () => {
    const { run, manifest } = await locked();
    await manifest(MANIFEST.replace('[gpu, Dev]', '[Dev, gpu]'));
    expect((await run(['lock', '--check'])).status).toBe(0);
  });

  it.each([
    ['groups: [g pu]', 'is not a group'],
    ['groups: []', 'is an empty list: leave it out for an entry that is always taken'],
    ['groups: gpu', 'must be a list: write ["gpu"]'],
    ['groups: [gpu, gpu]', '"gpu" is listed twice'],
    ['groups: [constructor]', 'is not a group'],
    ['group: [gpu]', 'did you mean "groups"?'],
  ])('cannot be %s', async (field, problem) => {
    const { run } = await createProject(hub.endpoint, `models: { a: { repo: org/x, ${field} } }\n`);
    const { status, stderr } = await run(['lock']);
    expect([status, stderr]).toEqual([2, expect.stringContaining(problem)]);
  });
});

describe('add', () => {
  it('puts an entry into groups, and changes them where they stand', async () => {
    const { run, folder, models } = await locked('models: {}\n');
    const manifest = () => readFile(path.join(folder, 'hug.yaml'), 'utf8');
    const add = async (...argv: string[]) => (await run(['add', 'hf:org/grouped', ...argv])).status;
    expect(await add('--group', 'gpu', '--group', 'Dev', '--group', 'gpu')).toBe(0);
    expect(await manifest()).toContain('grouped: {repo: org/grouped, groups: [gpu, Dev]}');
    expect((await models()).grouped.groups).toEqual(['Dev', 'gpu']);
    const before = await manifest();
    hub.clearRequests();
    expect(await add('--group', 'Dev', '--group', 'gpu')).toBe(0);
    expect(await add()).toBe(0);
    expect(await manifest()).toBe(before);
    expect(await add('--group', 'ci')).toBe(0);
    expect(await manifest()).toContain('grouped: {repo: org/grouped, groups: [ci]}');
    expect((await models()).grouped.groups).toEqual(['ci']);
    expect(hub.requests).toEqual([]);
    expect(await add('--group', 'c i')).toBe(2);
  });
});

describe('export', () => {
  async function exported(...argv: string[]) {
    const { run } = await locked();
    const home = await tempFolder();
    const env = { HOME: home, HF_HUB_CACHE: `${home}/hub`, XDG_CACHE_HOME: `${home}/cache` };
    const { status, stderr, stdout, json } = await run(['export', ...argv, '--json'], { env });
    const names =
      status === 0 ? json().entries.map(({ name }: { name: string }) => name) : undefined;
    return { status, stderr, stdout, names, run, env };
  }

  it('takes the entries without groups, and names the others', async () => {
    const { names, run, env } = await exported();
    expect(names).toEqual(['always']);
    const { stderr } = await run(['export'], { env });
    expect(stderr).toContain(
      'left out: models.big (Dev, gpu), models.both (gpu), models.test (ci); --group NAME or --all-groups takes them\n',
    );
    expect((await run(['export', '--quiet'], { env })).stderr).not.toContain('left out');
  });

  it.each([
    [
      ['--group', 'gpu'],
      ['always', 'big', 'both'],
    ],
    [
      ['--group', 'ci', '--group', 'Dev'],
      ['always', 'big', 'test'],
    ],
    [['--all-groups'], ['always', 'big', 'both', 'test']],
    [['big'], ['big']],
    [
      ['test', 'always'],
      ['always', 'test'],
    ],
  ])('%j takes %j', async (argv, expected) => {
    expect((await exported(...argv)).names).toEqual(expected);
  });

  it.each([
    [['--group', 'nope'], 'EHUG_GROUP_UNKNOWN', 'no entry is in the group \\"nope\\"'],
    [['--group', 'GPU'], 'EHUG_GROUP_UNKNOWN', 'The groups are: Dev, ci, gpu'],
    [['big', '--group', 'gpu'], 'EHUG_USAGE', 'cannot be combined'],
    [['big', '--all-groups'], 'EHUG_USAGE', 'cannot be combined'],
    [['org/grouped', '--group', 'gpu'], 'EHUG_USAGE', 'not a repository'],
  ])('%j is refused', async (argv, code, problem) => {
    const { status, stdout } = await exported(...argv);
    expect([status, stdout]).toEqual([2, expect.stringContaining(code)]);
    expect(stdout).toContain(problem);
  });
});

describe('fetch', () => {
  it('takes the same entries', async () => {
    const { run } = await locked();
    const names = async (...argv: string[]) =>
      (await run(['fetch', '--dry-run', '--json', ...argv]))
        .json()
        .entries.map(({ name }: { name: string }) => name);
    expect(await names()).toEqual(['always']);
    expect(await names('--group', 'gpu')).toEqual(['always', 'big', 'both']);
    expect(await names('--all-groups')).toEqual(['always', 'big', 'both', 'test']);
    expect(await names('test')).toEqual(['test']);
    expect((await run(['fetch', '--dry-run'])).stderr).toContain('left out: models.big');
  });
});

describe('commands that take all groups', () => {
  it('take fewer with --group', async () => {
    const { run } = await locked();
    const names = async (...argv: string[]) =>
      (await run([...argv, '--json'])).json().entries.map(({ name }: { name: string }) => name);
    expect(await names('ls')).toEqual(['always', 'big', 'both', 'test']);
    expect(await names('ls', '--group', 'gpu')).toEqual(['always', 'big', 'both']);
    expect(await names('verify')).toEqual(['always', 'big', 'both', 'test']);
    expect(await names('verify', '--group', 'ci')).toEqual(['always', 'test']);
  });

  it('move only those of the group', async () => {
    const other = await hub.createRepo({ type: 'model', id: 'org/of-gpu' });
    const rev = await other.commit({ files: { 'config.json': '{}\n' } });
    const { run, models } = await locked(`models:
  always: org/grouped
  gpu: { repo: org/of-gpu, groups: [gpu] }
  test: { repo: org/grouped, ref: main, groups: [ci] }
`);
    const next = await repo.commit({ files: { 'config.json': `{"at":"${Date.now()}"}\n` } });
    await other.commit({ files: { 'config.json': '{"newer":1}\n' } });
    expect((await run(['update', '--group', 'ci'])).status).toBe(0);
    expect(await models()).toMatchObject({
      always: { rev: next },
      gpu: { rev },
      test: { rev: next },
    });
  });
});
