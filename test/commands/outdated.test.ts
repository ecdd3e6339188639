import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';
import { createProject } from '../support/project.ts';

let hub: Hub;
let made = 0;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

async function repository(): Promise<{ repo: Repository; id: string; first: string }> {
  made += 1;
  const id = `org/repo-${made}`;
  const repo = await hub.createRepo({ type: 'model', id });
  return { repo, id, first: await repo.commit({ files: { 'w.bin': lfs('weights') } }) };
}

/** A repository with a commit for each tag. */
async function tagged(...tags: string[]) {
  const { repo, id } = await repository();
  const revs: Record<string, string> = {};
  const tag = async (name: string) => {
    revs[name] = await repo.commit({ files: { VERSION: name } });
    await repo.tag(name, revs[name], { annotated: true });
  };
  for (const name of tags) await tag(name);
  return { repo, id, tag, pin: (ref: string) => ({ ref, rev: revs[ref] ?? '' }) };
}

async function locked(manifest: string) {
  const project = await createProject(hub.endpoint, manifest);
  const { status, stderr } = await project.run(['lock']);
  if (status !== 0) throw new Error(stderr);
  hub.clearRequests();
  return project;
}

const asked = () =>
  hub.requests.map(({ url }) => (url.split('?')[0] ?? '').replace(/^\/api\//u, '')).toSorted();

const short = (rev: string) => rev.slice(0, 12);

describe('classes of change', () => {
  const classes = async (run: Awaited<ReturnType<typeof locked>>['run']) =>
    (await run(['outdated', '--json'])).json().entries[0].classes;

  it('are those of the selected files that differ, without a download', async () => {
    const { repo, id } = await repository();
    await repo.commit({ files: { 'config.json': '{}', 'tokenizer.json': '{}' } });
    const { run } = await locked(`models: { a: { repo: ${id}, exclude: ["*.bin"] } }`);
    expect(await classes(run)).toEqual([]);
    await repo.commit({ files: { 'tokenizer.json': '{"a":1}', 'w.bin': lfs('other') } });
    expect(await classes(run)).toEqual(['tokenizer']);
    await repo.commit({ files: { 'model.py': 'x', 'README.md': 'x', 'config.json': null } });
    hub.clearRequests();
    expect(await classes(run)).toEqual(['code', 'tokenizer', 'config', 'docs']);
    expect(asked()).toEqual([
      `models/${id}/revision/main`,
      expect.stringMatching(/^models\/.*\/tree\/[0-9a-f]{40}$/u),
    ]);
  });

  it('are not told where the endpoint has no list, or the selection nothing', async () => {
    const { repo, id } = await repository();
    const { run } = await locked(`models: { a: { repo: ${id}, files: [w.bin] } }`);
    await repo.commit({ files: { 'w.bin': null, 'other.bin': lfs('other') } });
    expect(await classes(run)).toBeNull();
    expect((await run(['outdated'])).status).toBe(0);
  });
});

describe('outdated', () => {
  it('lists entries that update would move, without those that are up to date', async () => {
    const [moved, still] = [await repository(), await repository()];
    const { run, lockText, lockIdentity } = await locked(
      `models: { moved: ${moved.id}, still: ${still.id} }`,
    );
    const before = [await lockText(), await lockIdentity()];
    const second = await moved.repo.commit({ files: { a: '1' } });
    const { status, stdout } = await run(['outdated']);
    expect(stdout.split('\n')).toEqual([
      'entry         locked             wanted             latest             changes',
      `models.moved  main ${short(moved.first)}  main ${short(second)}  main ${short(second)}  data`,
      '',
    ]);
    expect(status).toBe(0);
    expect([await lockText(), await lockIdentity()]).toEqual(before);
    expect((await run(['outdated', '--json'])).json()).toEqual({
      entries: [
        {
          name: 'moved',
          type: 'model',
          locked: { ref: 'main', rev: moved.first },
          wanted: { ref: 'main', rev: second },
          latest: { ref: 'main', rev: second },
          outdated: true,
          classes: ['data'],
        },
        expect.objectContaining({ name: 'still', outdated: false }),
      ],
    });
  });

  it('reports that everything is up to date', async () => {
    const { id } = await repository();
    const { run } = await locked(`models: { a: ${id}, b: ${id} }`);
    const { status, stdout } = await run(['outdated', '--exit-code']);
    expect([status, stdout]).toEqual([0, 'everything is up to date\n']);
    expect(asked()).toEqual([`models/${id}/revision/main`]);
    const { run: empty } = await locked('models: {}');
    expect((await empty(['outdated', '--offline'])).stdout).toBe('everything is up to date\n');
  });

  it('exits 3 with --exit-code when update would move an entry, and only then', async () => {
    const { repo, id } = await repository();
    const { run } = await locked(`models: { a: ${id} }`);
    await repo.commit({ files: { a: '1' } });
    expect((await run(['outdated', '--exit-code', '--quiet'])).status).toBe(3);
    await run(['update']);
    expect((await run(['outdated', '--exit-code'])).status).toBe(0);
  });

  it('checks only the named entries', async () => {
    const [one, two] = [await repository(), await repository()];
    const { run } = await locked(`models: { one: ${one.id}, two: ${two.id} }`);
    await one.repo.commit({ files: { a: '1' } });
    const { status, json } = await run(['outdated', 'two', '--json', '--exit-code']);
    expect([status, json().entries]).toMatchObject([0, [{ name: 'two', outdated: false }]]);
    expect(asked()).toEqual([`models/${two.id}/revision/main`]);
    const unknown = await run(['outdated', 'tow']);
    expect([unknown.status, unknown.stderr]).toEqual([
      2,
      expect.stringContaining(
        'EHUG_ENTRY_UNKNOWN: the manifest has no entry "tow"; did you mean "two"?',
      ),
    ]);
  });
});

describe('latest', () => {
  const only = async (run: (argv: readonly string[]) => Promise<{ json: () => any }>) =>
    (await run(['outdated', '--json'])).json().entries[0];

  it('of a version range is the highest version, whatever the range', async () => {
    const { id, tag, pin } = await tagged('v1.0.0');
    const { run } = await locked(`models: { a: { repo: ${id}, version: ^1.0 } }`);
    await tag('v1.1.0');
    await tag('v2.0.0');
    await tag('v3.0.0-rc.1');
    await tag('nightly');
    expect(await only(run)).toEqual({
      name: 'a',
      type: 'model',
      classes: ['data'],
      locked: pin('v1.0.0'),
      wanted: pin('v1.1.0'),
      latest: pin('v2.0.0'),
      outdated: true,
    });
    expect(asked()).toEqual([
      `models/${id}/refs`,
      `models/${id}/revision/v1.1.0`,
      `models/${id}/revision/v2.0.0`,
      `models/${id}/tree/${pin('v1.1.0').rev}`,
    ]);
    await run(['update']);
    expect(await only(run)).toMatchObject({ latest: pin('v2.0.0'), outdated: false });
    const { status, stdout } = await run(['outdated', '--exit-code']);
    expect(stdout).toContain(
      `v1.1.0 ${short(pin('v1.1.0').rev)}  v2.0.0 ${short(pin('v2.0.0').rev)}\n`,
    );
    expect(status).toBe(0);
  });

  it('of a range that names a prerelease may be a prerelease', async () => {
    const { id, pin } = await tagged('v1.0.0-rc.1', 'v1.0.0-rc.2', 'v2.0.0-beta');
    const { run } = await locked(`models: { a: { repo: ${id}, version: ^1.0.0-rc.1 } }`);
    expect(await only(run)).toMatchObject({
      wanted: pin('v1.0.0-rc.2'),
      latest: pin('v2.0.0-beta'),
      outdated: false,
    });
  });

  it('of a tag that is a version is the highest version; of another tag, itself', async () => {
    const { repo, id, tag, pin } = await tagged('v1.0.0', 'stable');
    await repo.branch('9.0.0', pin('v1.0.0').rev);
    const { run } = await locked(`
models:
  exact: { repo: ${id}, ref: v1.0.0 }
  named: { repo: ${id}, ref: stable }
  branch: { repo: ${id}, ref: 9.0.0 }
`);
    await tag('v2.0.0');
    const { entries } = (await run(['outdated', '--json'])).json();
    expect(entries).toMatchObject([
      { wanted: pin('v1.0.0'), latest: pin('v2.0.0'), outdated: false },
      { wanted: pin('stable'), latest: pin('stable'), outdated: false },
      { wanted: { ref: '9.0.0' }, latest: { ref: '9.0.0' }, outdated: false },
    ]);
  });

  it('of a commit is the head of main, and that makes it not outdated', async () => {
    const { repo, id, first } = await repository();
    const { run } = await locked(`models: { a: { repo: ${id}, ref: ${first} } }`);
    expect((await run(['outdated'])).stdout).toBe('everything is up to date\n');
    const second = await repo.commit({ files: { a: '1' } });
    expect(await only(run)).toMatchObject({
      locked: { ref: first, rev: first },
      wanted: { ref: first, rev: first },
      latest: { ref: 'main', rev: second },
      outdated: false,
    });
    const { status, stdout } = await run(['outdated', '--exit-code']);
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(
        `models\\.a +${short(first)} +${short(first)} +main ${short(second)}\n`,
      ),
    ]);
  });

  it('of a moved tag is its present commit', async () => {
    const { repo, id, first } = await repository();
    await repo.tag('v1', first);
    const { run } = await locked(`models: { a: { repo: ${id}, ref: v1 } }`);
    const second = await repo.commit({ files: { a: '1' } });
    await repo.tag('v1', second);
    expect(await only(run)).toMatchObject({ wanted: { ref: 'v1', rev: second }, outdated: true });
  });
});

describe('a renamed repository', () => {
  it('is a warning, and not outdated', async () => {
    const { repo, id } = await repository();
    const { run } = await locked(`models: { a: ${id} }`);
    hub.renameRepo(repo, `${id}-new`);
    const { status, stdout, stderr } = await run(['outdated', '--exit-code']);
    expect([status, stdout]).toEqual([0, 'everything is up to date\n']);
    expect(stderr).toContain(`warning: models.a: ${id} is now ${id}-new on the Hub\n`);
  });
});

describe('a lock that does not match the manifest', () => {
  it('is outdated where an entry is missing or stale', async () => {
    const { repo, id, first } = await repository();
    await repo.branch('dev', first);
    const { run, manifest } = await locked(`models: { a: ${id} }`);
    await manifest(`models: { a: { repo: ${id}, ref: dev }, fresh: ${id} }`);
    const { status, stdout, json } = await run(['outdated', '--json', '--exit-code']);
    expect([status, json().entries]).toMatchObject([
      3,
      [
        { name: 'a', locked: { ref: 'main' }, wanted: { ref: 'dev' }, outdated: true },
        { name: 'fresh', locked: null, wanted: { ref: 'main' }, outdated: true },
      ],
    ]);
    expect(stdout).not.toContain('warning');
    expect((await run(['outdated'])).stdout).toContain('models.fresh  not locked');
  });

  it('is an error when it is missing', async () => {
    const { run } = await createProject(hub.endpoint, 'models: { a: org/x }');
    const { status, stderr } = await run(['outdated']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('error EHUG_LOCK_MISSING')]);
  });
});

describe('an entry that fails', () => {
  it('does not hide the others', async () => {
    const [gone, moved, range] = [await repository(), await repository(), await tagged('v1.0.0')];
    const { run, manifest } = await locked(
      `models: { gone: ${gone.id}, moved: ${moved.id}, range: ${range.id} }`,
    );
    await manifest(
      `models: { gone: ${gone.id}, moved: ${moved.id}, range: { repo: ${range.id}, version: ^7 } }`,
    );
    await hub.deleteRepo(gone.repo);
    await moved.repo.commit({ files: { a: '1' } });
    const { status, stdout, stderr } = await run(['outdated', '--exit-code']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^entry .*\nmodels\.moved .*\n$/u);
    expect(stderr).toContain(
      `error EHUG_REPO_NOT_FOUND: models.gone: model ${gone.id} was on the Hub when it was locked`,
    );
    expect(stderr).toContain('error EHUG_VERSION: models.range: no tag');
    const json = await run(['outdated', '--json']);
    expect(json.status).toBe(1);
    expect(json.json().entries).toMatchObject([
      {
        name: 'gone',
        locked: { rev: gone.first },
        wanted: null,
        latest: null,
        outdated: null,
        error: {
          code: 'EHUG_REPO_NOT_FOUND',
          message: expect.any(String),
          hint: expect.any(String),
        },
      },
      { name: 'moved', outdated: true },
      { name: 'range', error: { code: 'EHUG_VERSION' } },
    ]);
    expect(json.stderr).not.toContain('error');
  });

  it('is told with --quiet too', async () => {
    const { repo, id } = await repository();
    const { run } = await locked(`models: { a: ${id} }`);
    await hub.deleteRepo(repo);
    const { stdout, stderr, status } = await run(['outdated', '--quiet']);
    expect([status, stdout, stderr]).toEqual([
      1,
      '',
      expect.stringContaining('error EHUG_REPO_NOT_FOUND: models.a'),
    ]);
  });

  it('reports a pinned commit that the Hub has lost', async () => {
    const { repo, id, first } = await repository();
    const { run } = await locked(`models: { a: { repo: ${id}, ref: ${first} } }`);
    await repo.commit({ parent: null, files: { a: '1' } });
    await repo.prune();
    expect((await run(['outdated'])).stderr).toContain(`has lost the commit ${first}`);
  });

  it('is every entry without a network', async () => {
    const { id } = await repository();
    const { run } = await locked(`models: { a: ${id} }`);
    const { status, stderr } = await run(['outdated'], { env: { HF_HUB_OFFLINE: '1' } });
    expect([status, stderr]).toEqual([1, expect.stringContaining('error EHUG_OFFLINE')]);
    expect(asked()).toEqual([]);
  });
});
