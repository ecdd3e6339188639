import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { formatLock, parseLock } from '../../src/lock/codec.ts';
import { type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';
import { createProject } from '../support/project.ts';

let hub: Hub;
let made = 0;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

const FILES = {
  'README.md': '---\nlicense: mit\n---\n',
  'config.json': '{}\n',
  'model.safetensors': lfs('weights'),
};

/** The text of a lock as version 1 of the format had it. */
function asVersion1(text: string): string {
  const { models, ...lock } = parseLock(text, 'hug.lock.json');
  const old = [...models].map(([name, entry]) => {
    const { repoId: _repoId, license: _license, licenseName: _name, ...rest } = entry;
    return [name, rest] as const;
  });
  return formatLock({ ...lock, lockfileVersion: 1, models: new Map(old) });
}

/** A repository, and a project whose lock of it has version 1. */
async function oldProject(
  fields = '',
  files: Parameters<Repository['commit']>[0]['files'] = FILES,
) {
  made += 1;
  const id = `org/old-${made}`;
  const repo = await hub.createRepo({ type: 'model', id });
  const rev = await repo.commit({ files });
  const project = await createProject(hub.endpoint, `models: { a: { repo: ${id}${fields} } }\n`);
  await project.run(['lock']);
  const current = (await project.lockText()) ?? '';
  const old = asVersion1(current);
  await project.writeLock(old);
  hub.clearRequests();
  return { ...project, id, repo, rev, current, old };
}

/** Requested paths, without host, query and redirects. */
const asked = () =>
  hub.requests
    .filter(({ url }) => !url.includes('/resolve-cache/'))
    .map(({ url }) => (url.split('?')[0] ?? '').replace(/^\/api\/models\/org\/[^/]+\//u, ''));

describe('a lock of version 1', () => {
  it('is old for lock --check, not wrong', async () => {
    const { run } = await oldProject();
    const { status, stdout, stderr } = await run(['lock', '--check']);
    expect([status, stderr]).toEqual([3, '']);
    expect(stdout).toBe(
      'hug.lock.json is out of date; run nix-hug lock\n' +
        '  has version 1 of the format; version 2 is current\n',
    );
    expect((await run(['lock', '--check', '--json'])).json()).toEqual({
      upToDate: false,
      reasons: [
        { entry: null, type: null, reason: 'has version 1 of the format; version 2 is current' },
      ],
    });
    expect(hub.requests).toEqual([]);
  });

  it('is upgraded by lock at the locked commit, with no file again but the README and what may name others', async () => {
    const { run, repo, rev, id, current, lockText } = await oldProject();
    await repo.commit({ files: { 'config.json': '{"newer":1}\n' } });
    const { status, stdout, stderr } = await run(['lock']);
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    expect(stdout).toBe('hug.lock.json written, upgraded from version 1, 1 entry\n');
    expect(await lockText()).toBe(current);
    expect(asked().toSorted()).toEqual([
      `/${id}/resolve/${rev}/README.md`,
      `/${id}/resolve/${rev}/config.json`,
      `revision/${rev}`,
    ]);
    expect((await run(['lock', '--check'])).status).toBe(0);
    hub.clearRequests();
    expect((await run(['lock'])).stdout).toContain('is up to date');
    expect(hub.requests).toEqual([]);
  });

  it('is upgraded with the list of files where the selection drops the README', async () => {
    const { run, rev, id, current, lockText } = await oldProject(', files: [config.json]');
    expect((await run(['lock'])).status).toBe(0);
    expect(await lockText()).toBe(current);
    expect(asked().toSorted()).toEqual([
      `/${id}/resolve/${rev}/README.md`,
      `/${id}/resolve/${rev}/config.json`,
      `revision/${rev}`,
      `tree/${rev}`,
    ]);
  });

  it('is upgraded without asking for a README that is not there', async () => {
    const { run, rev, current, lockText } = await oldProject('', { 'vocab.json': '{}\n' });
    expect((await run(['lock'])).status).toBe(0);
    expect(await lockText()).toBe(current);
    expect(asked()).toEqual([`revision/${rev}`]);
  });

  it('is not written by a dry run', async () => {
    const { run, old, lockText } = await oldProject();
    const { status, stdout } = await run(['lock', '--dry-run']);
    expect([status, stdout]).toEqual([0, expect.stringContaining('upgraded from version 1')]);
    expect(await lockText()).toBe(old);
  });

  it('is refused by a README that is not the locked one', async () => {
    const { run, old, lockText } = await oldProject();
    const fault = { kind: 'corrupt' as const };
    const injection = hub.inject({ match: '/README.md', fault, times: Infinity });
    onTestFinished(() => injection.remove());
    expect((await run(['lock'])).stderr).toContain('EHUG_INTEGRITY');
    expect(await lockText()).toBe(old);
  });

  it('is upgraded together with entries that are new or changed', async () => {
    const { run, rev, id, manifest, lockText } = await oldProject();
    const repo = await hub.createRepo({ type: 'model', id: `${id}-more` });
    await repo.commit({ files: FILES });
    await manifest(`models: { a: ${id}, b: ${id}-more, c: { repo: ${id}, exclude: ["*.bin"] } }\n`);
    const { status, stdout } = await run(['lock']);
    expect(status).toBe(0);
    expect(stdout).toContain('written, upgraded from version 1, 2 entries added (3 in all)');
    expect(stdout).not.toContain('models.a');
    const { lockfileVersion, models } = JSON.parse((await lockText()) ?? '');
    expect(lockfileVersion).toBe(2);
    expect(models).toMatchObject({
      a: { rev, license: ['mit'] },
      b: { repoId: repo.internalId, license: ['mit'] },
      c: { rev, license: ['mit'] },
    });
  });

  it('without entries needs no network', async () => {
    const { run, writeLock, lockText } = await createProject(hub.endpoint, 'models: {}\n');
    await writeLock('{\n  "lockfileVersion": 1,\n  "models": {},\n  "datasets": {}\n}\n');
    expect((await run(['lock', '--offline'])).status).toBe(0);
    expect(await lockText()).toContain('"lockfileVersion": 2');
  });

  it('whose sides of a conflict have both versions is upgraded', async () => {
    const { run, old, current, lockText, writeLock } = await oldProject();
    await writeLock(`<<<<<<< HEAD\n${old}=======\n${current}>>>>>>> other\n`);
    expect((await run(['lock'])).status).toBe(0);
    expect(await lockText()).toBe(current);
  });
});

describe('an entry that the Hub no longer gives', () => {
  it('stays as it was, with a warning; update fills it when the Hub gives it again', async () => {
    const { run, repo, rev, id, lockText } = await oldProject();
    repo.private = true;
    const { status, stderr } = await run(['lock']);
    expect(status).toBe(0);
    expect(stderr).toContain(
      'warning: models.a: kept as it was, without the id of its repository, its licence and what it needs: ',
    );
    expect(stderr).toContain('nix-hug update models.a asks again');
    const before = JSON.parse((await lockText()) ?? '');
    expect(before.lockfileVersion).toBe(2);
    expect(before.models.a).toEqual(expect.objectContaining({ repo: id, rev }));
    expect(before.models.a).not.toHaveProperty('repoId');
    repo.private = false;
    expect((await run(['update', 'a'])).status).toBe(0);
    expect(JSON.parse((await lockText()) ?? '').models.a).toMatchObject({
      rev,
      repoId: repo.internalId,
      license: ['mit'],
    });
  });

  it('does so also where another repository has its name', async () => {
    const { run, repo, rev, id, lockText } = await oldProject();
    await hub.deleteRepo(repo);
    const other = await hub.createRepo({ type: 'model', id });
    await other.commit({ files: { 'config.json': 'other\n' } });
    expect((await run(['lock'])).stderr).toContain('kept as it was');
    const { models } = JSON.parse((await lockText()) ?? '');
    expect(models.a.rev).toBe(rev);
    expect(models.a).not.toHaveProperty('repoId');
  });
});

describe('without a network', () => {
  it('lock leaves a current lock as it is and says so', async () => {
    const { run, old, lockText } = await oldProject();
    const { status, stdout, stderr } = await run(['lock', '--offline']);
    expect([status, stdout]).toEqual([0, 'hug.lock.json is up to date, 1 entry\n']);
    expect(stderr).toContain(
      'warning: hug.lock.json stays at version 1: upgrading hug.lock.json to version 2 needs the network\n',
    );
    expect(await lockText()).toBe(old);
    expect(hub.requests).toEqual([]);
  });

  it('lock fails where the manifest asks for more', async () => {
    const { run, id, old, manifest, lockText } = await oldProject();
    await manifest(`models: { a: ${id}, b: { repo: ${id}, exclude: ["*.bin"] } }\n`);
    const { status, stderr } = await run(['lock', '--offline']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_OFFLINE')]);
    expect(await lockText()).toBe(old);
  });
});

describe('other commands', () => {
  it.each([['add', 'org/other', '--model'], ['remove', 'a'], ['update'], ['update', 'a']])(
    '%s says that lock comes first',
    async (...argv) => {
      const { run, old, folder, lockText } = await oldProject();
      const manifest = await readFile(path.join(folder, 'hug.yaml'), 'utf8');
      const { status, stderr } = await run(argv);
      expect(status).toBe(2);
      expect(stderr).toContain('error EHUG_LOCK_OLD: hug.lock.json has version 1 of the format');
      expect(stderr).toContain('nix-hug lock');
      expect(await lockText()).toBe(old);
      expect(await readFile(path.join(folder, 'hug.yaml'), 'utf8')).toBe(manifest);
      expect(hub.requests).toEqual([]);
    },
  );

  it.each([['ls'], ['outdated'], ['fetch', '--dry-run', 'a'], ['verify']])(
    '%s work from it',
    async (...argv) => {
      const { run } = await oldProject();
      expect((await run(argv)).stderr).not.toContain('EHUG_LOCK');
    },
  );
});
