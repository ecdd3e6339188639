import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';
import { createProject } from '../support/project.ts';

let hub: Hub;
let made = 0;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

/** Noon of a day of March 2025. */
const noonOf = (day: number) => Date.UTC(2025, 2, day, 12);

/** A commit at an hour of a day of March 2025. */
const commitOn = (repo: Repository, day: number, hour = 0, files: object = { 'a.txt': `${day}` }) =>
  repo.commit({
    files: files as Record<string, string>,
    date: new Date(Date.UTC(2025, 2, day, hour)),
  });

/** A repository with a commit at the beginning of each day. */
async function repository(...days: number[]) {
  made += 1;
  const id = `org/aged-${made}`;
  const repo = await hub.createRepo({ type: 'model', id });
  const revs: string[] = [];
  for (const day of days) revs.push(await commitOn(repo, day));
  return { repo, id, revs };
}

const withAge = (entries: string, age = '3d') =>
  `policy: { minimumAge: ${age} }\nmodels: ${entries}\n`;

async function project(text: string) {
  const { run, ...rest } = await createProject(hub.endpoint, text);
  return {
    ...rest,
    run,
    /** Runs a command at noon of a day. */
    on: (day: number, ...argv: readonly string[]) => run(argv, { now: noonOf(day) }),
    entry: async (name: string) => (await rest.lock()).models[name],
  };
}

describe('minimumAge', () => {
  it('takes the newest commit of a branch that is old enough, with its date', async () => {
    const { id, revs } = await repository(1, 5, 9);
    const { on, entry } = await project(withAge(`{ a: ${id} }`));
    expect((await on(8, 'lock')).status).toBe(0);
    expect(await entry('a')).toMatchObject({ rev: revs[1], date: '2025-03-05T00:00:00.000Z' });
    expect(Object.keys(await entry('a')).slice(0, 6)).toEqual(
      'repo repoId ref rev date files'.split(' '),
    );
    expect(await on(8, 'lock', '--check')).toMatchObject({ status: 0 });
  });

  it('counts to the last midnight, so that a day has one lock', async () => {
    const { repo, id, revs } = await repository(1);
    revs.push(await commitOn(repo, 5, 1));
    const { on, run, entry } = await project(withAge(`{ a: ${id} }`));
    const at = async (ms: number) => {
      await run(['update'], { now: ms });
      return (await entry('a')).rev;
    };
    expect(await at(Date.UTC(2025, 2, 8))).toBe(revs[0]);
    expect(await at(Date.UTC(2025, 2, 8, 23, 59))).toBe(revs[0]);
    expect(await at(Date.UTC(2025, 2, 9))).toBe(revs[1]);
    expect((await on(9, 'lock', '--check')).status).toBe(0);
  });

  it.each([
    ['12h', 6, 1],
    ['36h', 6, 0],
    ['36h', 7, 1],
    ['1w', 12, 0],
    ['1w', 13, 1],
  ])('of %s, on day %i, takes commit %i', async (age, day, index) => {
    const { repo, id, revs } = await repository(1);
    revs.push(await commitOn(repo, 5, 12));
    const { on, entry } = await project(withAge(`{ a: ${id} }`, age));
    await on(day, 'lock');
    expect((await entry('a')).rev).toBe(revs[index]);
  });

  it('reads further pages of a history', async () => {
    const { id, revs } = await repository(1, 20, 21, 22, 23);
    hub.options.pageSize = 2;
    onTestFinished(() => void (hub.options.pageSize = 1000));
    const { on, entry } = await project(withAge(`{ a: ${id} }`));
    await on(22, 'lock');
    expect((await entry('a')).rev).toBe(revs[0]);
  });

  it('refuses a repository without a commit that is old enough, and writes nothing', async () => {
    const { id } = await repository(7, 8);
    const { on, lockText } = await project(withAge(`{ a: ${id} }`));
    const { status, stderr } = await on(8, 'lock');
    expect([status, await lockText()]).toEqual([1, undefined]);
    expect(stderr).toContain(
      `error EHUG_POLICY: models.a: no commit of model ${id} at main is as old as minimumAge asks: the newest is of 2025-03-08T00:00:00.000Z`,
    );
    expect(stderr).toContain('2025-03-11T00:00:00.000Z');
  });

  it('refuses a tag and a commit that are too young, with the line of the entry', async () => {
    const { repo, id, revs } = await repository(1, 8);
    await repo.tag('v1', revs[1] ?? '', { annotated: true });
    for (const ref of ['v1', 'refs/tags/v1', revs[1]]) {
      const { on, lockText } = await project(withAge(`{ a: { repo: ${id}, ref: ${ref} } }`));
      const { status, stderr } = await on(8, 'lock');
      expect([status, await lockText()]).toEqual([1, undefined]);
      expect(stderr).toContain(
        'hug.yaml:2: models.a breaks the rule minimumAge: it has a commit of 2025-03-08T00:00:00.000Z, which is old enough at 2025-03-11T00:00:00.000Z',
      );
      expect((await on(11, 'lock')).status).toBe(0);
    }
  });

  it('takes the highest version that is old enough', async () => {
    const { repo, id, revs } = await repository(1, 5, 8);
    for (const [index, tag] of ['v1.0.0', 'v1.1.0', 'v1.2.0'].entries()) {
      await repo.tag(tag, revs[index] ?? '');
    }
    const { on, entry } = await project(withAge(`{ a: { repo: ${id}, version: ^1 } }`));
    await on(8, 'lock');
    expect(await entry('a')).toMatchObject({ ref: 'v1.1.0', rev: revs[1] });
    expect((await on(3, 'update')).stderr).toContain('EHUG_POLICY: models.a: no commit of model');
    await on(11, 'update');
    expect(await entry('a')).toMatchObject({ ref: 'v1.2.0' });
  });

  it('exempts an entry that allows it, and gives it no date', async () => {
    const { id, revs } = await repository(1, 8);
    const { on, entry } = await project(withAge(`{ a: { repo: ${id}, allow: [minimumAge] } }`));
    await on(8, 'lock');
    expect((await entry('a')).rev).toBe(revs[1]);
    expect(await entry('a')).not.toHaveProperty('date');
  });

  it('asks for the dates of a lock that has none, and keeps its commits', async () => {
    const { repo, id, revs } = await repository(1, 5);
    const { on, entry, manifest } = await project(`models: { a: ${id} }\n`);
    await on(8, 'lock');
    await commitOn(repo, 6);
    await manifest(withAge(`{ a: ${id} }`));
    expect(await on(30, 'lock', '--check')).toMatchObject({
      status: 3,
      stdout: expect.stringContaining('models.a: has no date, which minimumAge needs'),
    });
    hub.clearRequests();
    expect((await on(30, 'lock')).status).toBe(0);
    expect(await entry('a')).toMatchObject({ rev: revs[1], date: '2025-03-05T00:00:00.000Z' });
    expect(hub.requests.map(({ url }) => url.split('/').at(-2))).toEqual(['commits']);
    // And without the rule, the dates go, without a request.
    await manifest(`models: { a: ${id} }\n`);
    expect((await on(30, 'lock', '--check')).stdout).toContain(
      'models.a: has a date, which only minimumAge needs',
    );
    hub.clearRequests();
    expect((await on(30, 'lock')).status).toBe(0);
    expect(await entry('a')).not.toHaveProperty('date');
    expect(hub.requests).toEqual([]);
  });

  it('refuses a locked commit that is too young, offline too', async () => {
    const { id } = await repository(1, 8);
    const { on, manifest } = await project(`models: { a: ${id} }\n`);
    await on(8, 'lock');
    await manifest(withAge(`{ a: ${id} }`));
    const { status, stderr } = await on(8, 'lock');
    expect([status, stderr]).toEqual([1, expect.stringContaining('breaks the rule minimumAge')]);
    // `update` leads out of it.
    expect((await on(8, 'update')).status).toBe(0);
    hub.clearRequests();
    expect((await on(8, 'lock', '--check')).status).toBe(0);
    expect(await on(3, 'lock', '--check')).toMatchObject({ status: 3 });
    expect(hub.requests).toEqual([]);
  });

  it('moves by update to the newest that is old enough, and outdated tells what waits', async () => {
    const { repo, id, revs } = await repository(1);
    const { on, entry } = await project(withAge(`{ a: ${id} }`));
    await on(8, 'lock');
    const [second, third] = [await commitOn(repo, 9), await commitOn(repo, 11)];
    const before = await on(11, 'outdated', '--json');
    expect(before.json().entries).toMatchObject([
      {
        outdated: false,
        wanted: { rev: revs[0] },
        latest: { rev: third },
        waiting: {
          ref: 'main',
          rev: third,
          date: '2025-03-11T00:00:00.000Z',
          until: '2025-03-14T00:00:00.000Z',
        },
      },
    ]);
    expect((await on(11, 'outdated')).stdout).toContain(
      `models.a: main ${third.slice(0, 12)} is old enough at 2025-03-14T00:00:00.000Z`,
    );
    await on(12, 'update');
    expect((await entry('a')).rev).toBe(second);
    expect((await on(14, 'outdated', '--json')).json().entries).toMatchObject([
      { outdated: true, wanted: { rev: third } },
    ]);
  });

  it('holds for what entries need, unless all that need it allow it', async () => {
    const base = await repository(1, 8);
    made += 1;
    const adapter = await hub.createRepo({ type: 'model', id: `org/adapter-${made}` });
    const config = JSON.stringify({ base_model_name_or_path: base.id });
    await commitOn(adapter, 2, 0, { 'adapter_config.json': config, 'a.safetensors': lfs('a') });
    const entries = `{ lora: ${adapter.id} }`;
    const key = `models/${base.id}@main`;
    const { on, lock, manifest, run } = await project(`models: ${entries}\n`);
    await on(8, 'lock');
    expect((await lock()).needed[key].rev).toBe(base.revs[1]);
    await manifest(withAge(entries));
    expect((await on(8, 'lock', '--check')).stdout).toContain(`needed.${key}: has no date`);
    expect((await on(8, 'lock')).stderr).toContain(`needed.${key} breaks the rule minimumAge`);
    expect((await on(8, 'update')).status).toBe(0);
    expect((await lock()).needed[key]).toMatchObject({
      rev: base.revs[0],
      date: '2025-03-01T00:00:00.000Z',
    });
    await manifest(withAge(`{ lora: { repo: ${adapter.id}, allow: [minimumAge] } }`));
    hub.clearRequests();
    expect((await on(8, 'lock')).status).toBe(0);
    expect((await lock()).needed[key]).not.toHaveProperty('date');
    expect(hub.requests).toEqual([]);
    expect((await run(['lock', '--check'], { now: noonOf(8) })).status).toBe(0);
  });

  it('is checked by add, with --at too', async () => {
    const { id, revs } = await repository(1, 8);
    const { on, entry } = await project(withAge('{}'));
    const { status, stderr } = await on(8, 'add', `hf:${id}`, '--at', revs[1] ?? '');
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_POLICY')]);
    expect((await on(8, 'add', `hf:${id}`, '--name', 'a')).status).toBe(0);
    expect((await entry('a')).rev).toBe(revs[0]);
  });

  it('takes a date of the future for too young', async () => {
    const { repo, id, revs } = await repository(1);
    await repo.commit({ files: { a: 'forged' }, date: new Date(Date.UTC(2099, 0)) });
    const { on, entry } = await project(withAge(`{ a: ${id} }`));
    expect((await on(8, 'lock')).status).toBe(0);
    expect((await entry('a')).rev).toBe(revs[0]);
  });

  it('moves to an older commit when the age grows, without a word of a rewritten history', async () => {
    const { id, revs } = await repository(1, 5);
    const { on, entry, manifest } = await project(withAge(`{ a: ${id} }`));
    await on(9, 'lock');
    expect((await entry('a')).rev).toBe(revs[1]);
    await manifest(withAge(`{ a: ${id} }`, '1w'));
    const { status, stdout, stderr } = await on(9, 'update');
    expect([status, (await entry('a')).rev]).toEqual([0, revs[0]]);
    expect(stdout + stderr).not.toContain('rewritten');
  });

  it('holds for all entries of one ref, unless each of them allows it', async () => {
    const { id, revs } = await repository(1, 8);
    const free = `{ repo: ${id}, allow: [minimumAge] }`;
    const { on, lock } = await project(
      withAge(
        `{ a: ${free}, b: ${id}, c: { repo: ${id}, ref: refs/heads/main, allow: [minimumAge] } }`,
      ),
    );
    expect((await on(8, 'lock')).status).toBe(0);
    const { models } = await lock();
    expect([models.a.rev, models.b.rev, models.c.rev]).toEqual([revs[0], revs[0], revs[1]]);
  });

  it('refuses a pull request that is too young, and does not look behind it', async () => {
    const { repo, id, revs } = await repository(1);
    await repo.pullRequest(1, await commitOn(repo, 8));
    await repo.branch('main', revs[0] ?? '');
    const { on, lockText } = await project(withAge(`{ a: { repo: ${id}, ref: refs/pr/1 } }`));
    const { status, stderr } = await on(8, 'lock');
    expect([status, await lockText()]).toEqual([1, undefined]);
    expect(stderr).toContain('models.a breaks the rule minimumAge');
  });

  it('takes the newest of several commits of one date', async () => {
    const { id, revs } = await repository(1, 1, 1);
    const { on, entry } = await project(withAge(`{ a: ${id} }`));
    await on(8, 'lock');
    expect((await entry('a')).rev).toBe(revs[2]);
  });

  it('refuses a history without dates', async () => {
    const { id, revs } = await repository(1);
    const lie = hub.inject({
      match: '/commits/',
      fault: { kind: 'json', body: [{ id: revs[0] ?? '' }] },
      times: Infinity,
    });
    onTestFinished(() => lie.remove());
    const { on } = await project(withAge(`{ a: ${id} }`));
    expect((await on(8, 'lock')).stderr).toContain('error EHUG_PROTOCOL: models.a');
  });

  it('names an endpoint that has no history', async () => {
    const { id } = await repository(1);
    const gap = hub.inject({
      match: '/commits/',
      fault: { kind: 'status', status: 404 },
      times: Infinity,
    });
    onTestFinished(() => gap.remove());
    const { on, lockText } = await project(withAge(`{ a: ${id} }`));
    const { status, stderr } = await on(8, 'lock');
    expect([status, await lockText()]).toEqual([1, undefined]);
    expect(stderr).toContain('error EHUG_NOT_SERVED: models.a: the endpoint');
  });

  it.each(['0d', '3', '3 days', '1m', '-1d', '10000d', 'd'])('refuses %s', async (age) => {
    const { on } = await project(withAge('{}', JSON.stringify(age)));
    expect(await on(8, 'lock')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('must be a number of hours, days or weeks, such as 12h'),
    });
  });
});
