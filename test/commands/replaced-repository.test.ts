import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';
import { lockedProject } from '../support/project.ts';

let hub: Hub;
let made = 0;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

const FILES = { 'config.json': '{}\n', 'model.safetensors': lfs('weights') };

/** A repository of its own, and a project that has it locked. */
async function locked(fields = '') {
  made += 1;
  const id = `org/name-${made}`;
  const repo = await hub.createRepo({ type: 'model', id });
  const first = await repo.commit({ files: FILES });
  const project = await lockedProject(hub, `models: { a: { repo: ${id}${fields} } }\n`);
  return { ...project, id, repo, first };
}

/** Deletes a repository, and gives its name to another one. */
async function replace(repo: Repository) {
  const { id } = repo;
  await hub.deleteRepo(repo);
  const other = await hub.createRepo({ type: 'model', id });
  return { other, rev: await other.commit({ files: { ...FILES, 'config.json': '{"evil":1}\n' } }) };
}

/** Answers of a mirror that passes no `_id` on. */
function withoutIds() {
  const fault = {
    kind: 'json' as const,
    body: ({ _id, ...rest }: { _id?: string }) => rest,
  };
  const injection = hub.inject({ match: '/revision/', fault, times: Infinity });
  onTestFinished(() => injection.remove());
  return injection;
}

describe('another repository under the locked name', () => {
  it.each([['update'], ['update', 'a'], ['outdated'], ['outdated', 'a']])(
    'stops %s',
    async (...argv) => {
      const { run, repo, id, lockText } = await locked();
      const before = await lockText();
      const { other } = await replace(repo);
      const { status, stderr } = await run(argv);
      expect(status).toBe(1);
      expect(stderr).toContain(
        `error EHUG_REPO_REPLACED: models.a: model ${id} is another repository than the one that models.a is locked to: ` +
          `the Hub has ${other.internalId} under this name, and the lock has ${repo.internalId}\n`,
      );
      expect(stderr).toContain('nix-hug update models.a --accept-repository');
      expect(await lockText()).toBe(before);
    },
  );

  it('stops lock when the entry has to be resolved, and not otherwise', async () => {
    const { run, repo, id, manifest, lockText } = await locked();
    const before = await lockText();
    await replace(repo);
    expect((await run(['lock'])).status).toBe(0);
    expect(hub.requests).toEqual([]);
    await manifest(`models: { a: { repo: ${id}, include: ["*.safetensors"] } }\n`);
    const { status, stderr } = await run(['lock']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_REPO_REPLACED')]);
    expect(await lockText()).toBe(before);
  });

  it('stops add of a second entry, whatever the case of the id', async () => {
    const { run, repo, id, lockText } = await locked();
    const before = await lockText();
    await replace(repo);
    for (const form of [id, id.toUpperCase()]) {
      const argv = ['add', form, '--model', '--name', 'b', '--ref', 'refs/heads/main'];
      const { status, stderr } = await run(argv);
      expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_REPO_REPLACED')]);
      expect(stderr).toContain('nix-hug update models.a --accept-repository');
    }
    expect(await lockText()).toBe(before);
  });

  it('is accepted by name', async () => {
    const { run, repo, lock } = await locked();
    const { other, rev } = await replace(repo);
    const { status, stderr } = await run(['update', 'a', '--accept-repository']);
    expect(status).toBe(0);
    expect(stderr).toContain(
      `warning: models.a: accepted ${other.id} (${other.internalId}) in place of ${repo.id} (${repo.internalId})\n`,
    );
    expect((await lock()).models.a).toMatchObject({ rev, repoId: other.internalId });
    expect((await run(['update', '--json'])).json().changed).toBe(false);
  });

  it('is accepted for the named entry, and those that move with it', async () => {
    const { run, repo, id, first, manifest, lock } = await locked();
    await repo.tag('v1', first);
    await manifest(`models: { a: ${id}, b: ${id}, c: { repo: ${id}, ref: v1 } }\n`);
    await run(['lock']);
    const { other, rev: next } = await replace(repo);
    await other.tag('v1', next);
    await run(['update', 'a', '--accept-repository']);
    expect((await run(['update', 'c'])).stderr).toContain('EHUG_REPO_REPLACED');
    expect((await lock()).models).toMatchObject({
      a: { repoId: other.internalId },
      b: { repoId: other.internalId },
      c: { repoId: repo.internalId },
    });
  });

  it('is not accepted without names', async () => {
    const { run } = await locked();
    const { status, stderr } = await run(['update', '--accept-repository']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('needs the names')]);
    expect(hub.requests).toEqual([]);
  });

  it('is found where the name only redirected before', async () => {
    const { run, repo, id, lock } = await locked();
    hub.renameRepo(repo, `${id}-new`);
    await run(['update']);
    expect((await lock()).models.a).toMatchObject({ repo: `${id}-new`, requested: id });
    const other = await hub.createRepo({ type: 'model', id });
    await other.commit({ files: FILES });
    expect((await run(['update'])).stderr).toContain('EHUG_REPO_REPLACED');
  });
});

describe('the same repository', () => {
  it('is followed under its new name', async () => {
    const { run, repo, id, lock } = await locked();
    const { repoId } = (await lock()).models.a;
    hub.renameRepo(repo, `${id}-new`);
    const { status, stderr } = await run(['update']);
    expect([status, stderr]).toEqual([0, expect.stringContaining(`is now ${id}-new`)]);
    expect((await lock()).models.a).toMatchObject({ repo: `${id}-new`, requested: id, repoId });
  });

  it('keeps its id when a mirror sends none, and has it compared again later', async () => {
    const { run, repo, lock } = await locked();
    const mirror = withoutIds();
    const rev = await repo.commit({ files: { 'config.json': '1' } });
    expect((await run(['update'])).status).toBe(0);
    expect((await lock()).models.a).toMatchObject({ rev, repoId: repo.internalId });
    mirror.remove();
    await replace(repo);
    expect((await run(['update'])).stderr).toContain('EHUG_REPO_REPLACED');
  });

  it('gets its id as soon as the Hub sends one', async () => {
    const mirror = withoutIds();
    const { run, repo, lock } = await locked();
    expect((await lock()).models.a).not.toHaveProperty('repoId');
    mirror.remove();
    expect((await run(['update'])).status).toBe(0);
    expect((await lock()).models.a.repoId).toBe(repo.internalId);
    hub.clearRequests();
    expect((await run(['update', '--json'])).json().changed).toBe(false);
    expect(hub.requests).toHaveLength(1);
  });

  it('has no id where the Hub sends something else', async () => {
    const fault = { kind: 'json' as const, body: (info: object) => ({ ...info, _id: 'x"\n' }) };
    const injection = hub.inject({ match: '/revision/', fault, times: Infinity });
    const { lock } = await locked();
    injection.remove();
    expect((await lock()).models.a).not.toHaveProperty('repoId');
  });
});

describe('an entry', () => {
  it('that now asks for another id is compared with that one', async () => {
    const { run, manifest, lock } = await locked();
    const other = await hub.createRepo({ type: 'model', id: `org/other-${made}` });
    await other.commit({ files: FILES });
    await manifest(`models: { a: org/other-${made} }\n`);
    expect((await run(['lock'])).status).toBe(0);
    expect((await lock()).models.a.repoId).toBe(other.internalId);
  });

  it('of another Hub is not compared', async () => {
    const { run, repo, id, manifest, lock } = await locked();
    const { other } = await replace(repo);
    await manifest(
      `endpoint: https://hub.example\nmodels: { a: { repo: ${id}, include: ["*.safetensors"] } }\n`,
    );
    expect((await run(['lock'])).status).toBe(0);
    expect((await lock()).models.a.repoId).toBe(other.internalId);
  });

  it('costs no request for its id', async () => {
    const { run } = await locked();
    await run(['update']);
    expect(hub.requests.map(({ url }) => url)).toEqual([
      expect.stringMatching(/\/revision\/main$/u),
    ]);
  });
});
