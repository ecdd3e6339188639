import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  type FileContent,
  type Hub,
  lfs,
  type Repository,
  startHub,
} from '../support/hub/index.ts';
import { injectAlways } from '../support/inject.ts';
import { createProject, lockedProject } from '../support/project.ts';

const TOKEN = 'test-token-of-the-owner';

let hub: Hub;
let made = 0;

beforeAll(async () => {
  hub = await startHub();
  hub.addToken(TOKEN);
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

const FILES: Readonly<Record<string, FileContent>> = {
  'README.md': '# Model\n',
  'config.json': '{}\n',
  'model.safetensors': lfs('weights'),
};

/** A repository of its own for a test. */
async function repository(files = FILES): Promise<{ repo: Repository; id: string; first: string }> {
  made += 1;
  const id = `org/repo-${made}`;
  const repo = await hub.createRepo({ type: 'model', id });
  return { repo, id, first: await repo.commit({ files }) };
}

/** A project with a lock. */
const locked = (manifest: string) => lockedProject(hub, manifest);

/** Requested paths, without host and query, sorted. */
const asked = () =>
  hub.requests.map(({ url }) => (url.split('?')[0] ?? '').replace(/^\/api\//u, '')).toSorted();

const short = (rev: string) => rev.slice(0, 12);

describe('a branch', () => {
  it('moves to its newest commit, and each changed file is listed with its size', async () => {
    const { repo, id, first } = await repository({ ...FILES, 'old.bin': lfs('old weights') });
    const { run, lock } = await locked(`models: { a: ${id} }`);
    const second = await repo.commit({
      files: { 'config.json': '{"x":1}\n', 'new.bin': lfs('new'), 'old.bin': null },
    });
    const { status, stdout, stderr } = await run(['update']);
    expect(stderr).toMatch(/^models\.a: 4 of 4 files\nnext: nix-hug fetch .*\n$/u);
    expect(stdout.split('\n')).toEqual([
      'hug.lock.json written, 1 entry changed (1 in all)',
      `- \`models.a\`: \`main\` (${short(first)}, 2024-01-01) → \`main\` (${short(second)}, 2024-01-01), 1 file added, 1 changed, 1 removed (weights, config), -3 B in all, 11 B to fetch`,
      '  - `new.bin` added, 3 B',
      '  - `config.json` changed, 3 B → 8 B',
      '  - `old.bin` removed, 11 B',
      '',
    ]);
    expect(status).toBe(0);
    const { rev, files } = (await lock()).models.a;
    expect([rev, Object.keys(files)]).toEqual([
      second,
      ['README.md', 'config.json', 'model.safetensors', 'new.bin'],
    ]);
    expect((await run(['lock', '--check'])).status).toBe(0);
  });

  it('reports the same as JSON', async () => {
    const { repo, id, first } = await repository();
    const { run } = await locked(`models: { a: ${id} }`);
    const second = await repo.commit({ files: { 'config.json': null, 'new.bin': lfs('new') } });
    expect((await run(['update', '--json'])).json()).toEqual({
      changed: true,
      entries: [
        {
          name: 'a',
          type: 'model',
          repo: id,
          from: { ref: 'main', rev: first, date: '2024-01-01T00:00:00.000Z' },
          to: { ref: 'main', rev: second, date: '2024-01-01T00:01:00.000Z' },
          added: ['new.bin'],
          removed: ['config.json'],
          modified: [],
          classes: ['weights', 'config'],
          onlyReadme: false,
          sizeChange: 0,
          downloadBytes: 3,
          warnings: [],
        },
      ],
      pinned: [],
      kept: [],
    });
  });

  it('reports that only README.md changed, or no selected file', async () => {
    const { repo, id } = await repository();
    const { run } = await locked(`
models:
  all: ${id}
  some: { repo: ${id}, files: [config.json] }
`);
    await repo.commit({ files: { 'README.md': '# Better\n' } });
    const { stdout } = await run(['update', '--dry-run']);
    expect(stdout).toMatch(
      /`models\.all`: .*, 1 file changed \(docs\), \+1 B in all, 9 B to fetch\n/u,
    );
    expect(stdout).toContain('  - only `README.md` changed\n');
    expect(stdout).toMatch(/`models\.some`: .*, 0 B to fetch\n {2}- no selected file changed\n/u);
    const { entries } = (await run(['update', '--json'])).json();
    expect(entries).toMatchObject([{ onlyReadme: true }, { onlyReadme: false, modified: [] }]);
  });

  it('downloads nothing for a file that was renamed or moved from LFS to git', async () => {
    const { repo, id } = await repository();
    const { run, lock } = await locked(`models: { a: ${id} }`);
    const before = (await lock()).models.a.files;
    await repo.commit({
      files: {
        'model.safetensors': 'weights',
        'config.json': null,
        'conf/new.json': '{}\n',
      },
    });
    const { entries } = (await run(['update', '--json'])).json();
    expect(entries).toMatchObject([
      { added: ['conf/new.json'], removed: ['config.json'], modified: [], downloadBytes: 0 },
    ]);
    const after = (await lock()).models.a.files;
    expect(after['model.safetensors'].hash).toBe(before['model.safetensors'].hash);
    expect(after['model.safetensors']).not.toHaveProperty('lfs');
    expect(after['conf/new.json']).toEqual(before['config.json']);
    // The oid of a pointer does not identify the content, so this file is downloaded; the other is known.
    expect(asked().filter((path) => path.includes('/resolve/'))).toEqual([
      `/${id}/resolve/${(await lock()).models.a.rev}/model.safetensors`,
    ]);
  });

  it('lists no more files than fit a screen', async () => {
    const { repo, id } = await repository();
    const { run } = await locked(`models: { a: ${id} }`);
    const names = Array.from({ length: 25 }, (_, index) => `shard-${index}.bin`);
    await repo.commit({ files: names.map((name) => [name, lfs(name)]) });
    const { stdout } = await run(['update']);
    expect(stdout.match(/ {2}- `shard-\d+\.bin` added/gu)).toHaveLength(20);
    expect(stdout).toContain('  - and 5 more\n');
  });

  it('escapes control characters in names of files', async () => {
    const { repo, id } = await repository();
    const { run } = await locked(`models: { a: ${id} }`);
    await repo.commit({ files: { 'odd \u202e name.txt': 'x' } });
    expect((await run(['update'])).stdout).toContain('`odd \\u202e name.txt` added');
  });
});

describe('requests', () => {
  it('are one look-up per entry, and those for the new files of one that moved', async () => {
    const repos = await Promise.all(Array.from({ length: 50 }, () => repository()));
    const manifest = `models:\n${repos.map(({ id }, index) => `  m${index}: ${id}\n`).join('')}`;
    const { run, lock } = await locked(manifest);
    const moved = repos[17];
    const rev = await moved?.repo.commit({ files: { 'config.json': '{"new":1}\n' } });
    const before = (await lock()).models;
    expect((await run(['update', '--json'])).json().entries).toMatchObject([{ name: 'm17' }]);
    expect(asked()).toEqual(
      [
        ...repos.map(({ id }) => `models/${id}/revision/main`),
        `models/${moved?.id}/tree/${rev}`,
        `models/${moved?.id}/commits/${rev}`,
        `/${moved?.id}/resolve/${rev}/config.json`,
        `resolve-cache/models/${moved?.id}/${rev}/config.json`,
      ].toSorted(),
    );
    const { m17: _, ...others } = (await lock()).models;
    const { m17: __, ...othersBefore } = before;
    expect(others).toEqual(othersBefore);
  });

  it('are only look-ups when nothing moved, and no file is written', async () => {
    const { id, first } = await repository();
    const { run, lockText, lockIdentity } = await locked(`
models:
  a: ${id}
  b: { repo: ${id}, ref: ${first} }
`);
    const before = [await lockText(), await lockIdentity()];
    const { status, stdout, json } = await run(['update', '--json']);
    expect([status, json().changed, json().entries]).toEqual([0, false, []]);
    expect(asked()).toEqual([`models/${id}/revision/${first}`, `models/${id}/revision/main`]);
    expect(stdout).not.toContain('written');
    expect([await lockText(), await lockIdentity()]).toEqual(before);
    expect((await run(['update'])).stdout).toContain('hug.lock.json is up to date, 2 entries\n');
  });
});

describe('entries of one repository', () => {
  it('move to one commit, even when the branch moves during the look-ups', async () => {
    const { repo, id } = await repository();
    const { run, lock } = await locked(
      `models: { a: ${id}, b: { repo: ${id}, files: [config.json] }, c: ${id} }`,
    );
    const revs = [
      await repo.commit({ files: { 'config.json': '{"v":1}' } }),
      await repo.commit({ files: { 'config.json': '{"v":2}' } }),
    ];
    let hits = 0;
    injectAlways(hub, '/revision/main', {
      kind: 'json',
      body: (info: object) => ({ ...info, sha: revs[hits++ % 2] }),
    });
    expect((await run(['update'])).status).toBe(0);
    const { a, b, c } = (await lock()).models;
    expect([a.rev, b.rev, c.rev]).toEqual([revs[0], revs[0], revs[0]]);
    expect(asked()).toEqual(
      [
        `models/${id}/revision/main`,
        `models/${id}/tree/${revs[0]}`,
        `models/${id}/commits/${revs[0]}`,
        `/${id}/resolve/${revs[0]}/config.json`,
        `resolve-cache/models/${id}/${revs[0]}/config.json`,
      ].toSorted(),
    );
  });
});

describe('a dry run', () => {
  it('shows the same plan and writes nothing', async () => {
    const { repo, id } = await repository();
    const { run, lockText, lockIdentity } = await locked(`models: { a: ${id} }`);
    await repo.commit({ files: { 'config.json': '{"x":1}\n' } });
    const before = [await lockText(), await lockIdentity()];
    const text = await run(['update', '--dry-run']);
    const json = await run(['update', '--dry-run', '--json']);
    expect([text.status, json.status]).toEqual([0, 0]);
    expect([await lockText(), await lockIdentity()]).toEqual(before);
    expect(text.stdout).toContain('hug.lock.json would change, 1 entry changed (1 in all)\n');
    expect((await run(['update', '--json'])).json()).toEqual(json.json());
  });
});

describe('a version range', () => {
  const MANIFEST = (id: string) => `models: { a: { repo: ${id}, version: ^1.2 } }`;

  /** A repository with tags on one branch, each with a file of its own. */
  async function tagged(...tags: string[]) {
    const { repo, id } = await repository();
    const revs = new Map<string, string>();
    const tag = async (name: string) => {
      revs.set(name, await repo.commit({ files: { VERSION: name } }));
      await repo.tag(name, revs.get(name) ?? '', { annotated: name.startsWith('v') });
    };
    for (const name of tags) await tag(name);
    return { repo, id, tag, revs };
  }

  it('moves to the newest tag in the range, and no further', async () => {
    const { id, tag, revs } = await tagged('v1.2.0');
    const { run, lock } = await locked(MANIFEST(id));
    await tag('v1.3.0');
    await tag('v1.4.0-rc.1');
    await tag('v2.0.0');
    await tag('nightly');
    const { stdout, stderr } = await run(['update']);
    expect(stdout).toContain(
      `\`v1.2.0\` (${short(revs.get('v1.2.0') ?? '')}, 2024-01-01) → \`v1.3.0\` (`,
    );
    expect(stderr).not.toContain('warning');
    expect((await lock()).models.a).toMatchObject({
      version: '^1.2',
      ref: 'v1.3.0',
      rev: revs.get('v1.3.0'),
    });
  });

  it('stays when the new tags are outside the range', async () => {
    const { id, tag } = await tagged('v1.2.0');
    const { run } = await locked(MANIFEST(id));
    await tag('v2.0.0');
    expect((await run(['update', '--json'])).json().changed).toBe(false);
  });

  it('takes another tag at the same commit without listing files', async () => {
    const { repo, id, revs } = await tagged('v1.2.0');
    const { run, lock } = await locked(MANIFEST(id));
    await repo.tag('v1.2.1', revs.get('v1.2.0') ?? '');
    const { entries } = (await run(['update', '--json'])).json();
    expect(entries).toMatchObject([
      { from: { ref: 'v1.2.0' }, to: { ref: 'v1.2.1' }, modified: [], downloadBytes: 0 },
    ]);
    expect((await lock()).models.a.ref).toBe('v1.2.1');
    expect(asked()).toEqual([`models/${id}/refs`, `models/${id}/revision/v1.2.1`]);
  });

  it('fails when no tag is in it, and leaves the lock unchanged', async () => {
    const { id } = await tagged('v0.9.0');
    const { run, manifest, lockText } = await locked(
      `models: { a: { repo: ${id}, version: ^0.9 } }`,
    );
    const before = await lockText();
    await manifest(MANIFEST(id));
    const { status, stderr } = await run(['update']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('error EHUG_VERSION: models.a:')]);
    expect(await lockText()).toBe(before);
  });

  it('warns of no rewritten history when the next release is on another branch', async () => {
    const { repo, id, revs } = await tagged('v1.2.0');
    const { run } = await locked(MANIFEST(id));
    const aside = await repo.commit({ branch: 'next', parent: null, files: { VERSION: '1.3' } });
    await repo.tag('v1.3.0', aside);
    const { json, stderr } = await run(['update', '--json']);
    expect(json().entries).toMatchObject([
      {
        from: { rev: revs.get('v1.2.0'), date: expect.any(String) },
        to: { rev: aside },
        warnings: [],
      },
    ]);
    expect(stderr).not.toContain('warning');
  });
});

describe('changes on the Hub', () => {
  it('a tag that names another commit is followed, with a warning', async () => {
    const { repo, id, first } = await repository();
    await repo.tag('v1.0.0', first);
    await repo.branch('v2', first);
    const { run, lock } = await locked(`
models:
  byRef: { repo: ${id}, ref: v1.0.0 }
  byRange: { repo: ${id}, version: ^1.0 }
  branch: { repo: ${id}, ref: v2 }
`);
    const second = await repo.commit({ files: { 'config.json': '{"x":1}\n' } });
    await repo.tag('v1.0.0', second);
    await repo.branch('v2', second);
    const { status, stderr, json } = await run(['update', '--json']);
    expect(status).toBe(0);
    const warning = 'the tag v1.0.0 names another commit now';
    const warned = stderr.split('\n').filter((line) => line.startsWith('warning'));
    expect(warned.toSorted()).toEqual([
      `warning: models.byRange: ${warning}`,
      `warning: models.byRef: ${warning}`,
    ]);
    expect(json().entries).toMatchObject([
      { name: 'branch', warnings: [] },
      { name: 'byRange', warnings: [warning] },
      { name: 'byRef', warnings: [warning] },
    ]);
    expect((await lock()).models.byRef.rev).toBe(second);
  });

  it('a full ref name needs no request to see whether it is a tag', async () => {
    const { repo, id, first } = await repository();
    await repo.tag('v1', first);
    await repo.pullRequest(1, first);
    const { run } = await locked(`
models:
  pull: { repo: ${id}, ref: refs/pr/1 }
  tag: { repo: ${id}, ref: refs/tags/v1 }
`);
    const other = await repo.commit({ branch: 'x', parent: null, files: FILES, message: 'Anew' });
    await repo.tag('v1', other);
    await repo.pullRequest(1, other);
    expect((await run(['update', '--json'])).json().entries).toMatchObject([
      { warnings: [`the history of refs/pr/1 was rewritten, without the locked commit ${first}`] },
      { warnings: ['the tag refs/tags/v1 names another commit now'] },
    ]);
    expect(asked().filter((path) => path.endsWith('/refs'))).toEqual([]);
  });

  it('a pinned commit stays, and is reported', async () => {
    const { repo, id, first } = await repository();
    const { run, lockText } = await locked(
      `models: { fixed: { repo: ${id}, ref: ${first} }, free: ${id} }`,
    );
    const before = await lockText();
    await repo.commit({ files: { 'config.json': '{"x":1}\n' } });
    const one = await run(['update', 'fixed']);
    expect(one.stdout).toContain('- pinned to a commit, never moved: `models.fixed`\n');
    expect(await lockText()).toBe(before);
    const { pinned, entries } = (await run(['update', '--json'])).json();
    expect(pinned).toEqual([{ name: 'fixed', type: 'model' }]);
    expect(entries).toMatchObject([{ name: 'free' }]);
  });

  it('a forced push is a warning while the Hub still has the locked commit', async () => {
    const { repo, id, first } = await repository();
    const old = await repo.commit({ files: { 'config.json': '{"v":1}' } });
    const { run } = await locked(`models: { a: ${id} }`);
    await repo.commit({ parent: first, files: { 'config.json': '{"v":2}' } });
    const { status, stderr, stdout } = await run(['update']);
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining(
        `warning: models.a: the history of main was rewritten, without the locked commit ${old}\n`,
      ),
    ]);
    expect(stdout).toContain(`\`main\` (${short(old)}, 2024-01-01) → \`main\` (`);
  });

  it('a branch that was reset is a warning', async () => {
    const { repo, id, first } = await repository();
    const old = await repo.commit({ files: { 'config.json': '{"v":1}' } });
    const { run, lock } = await locked(`models: { a: ${id} }`);
    await repo.branch('main', first);
    expect((await run(['update'])).stderr).toContain(`without the locked commit ${old}`);
    expect((await lock()).models.a.rev).toBe(first);
  });

  it('a commit that the Hub has lost is a warning', async () => {
    const { repo, id } = await repository();
    const old = await repo.commit({ files: { 'config.json': '{"v":1}' } });
    const { run } = await locked(`models: { a: ${id} }`);
    await repo.commit({ parent: null, files: { 'config.json': '{"v":2}', 'w.bin': lfs('w') } });
    await repo.prune();
    const { status, stderr, json } = await run(['update', '--json']);
    const warning = `the locked commit ${old} is gone from the Hub: its history was rewritten`;
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining(`warning: models.a: ${warning}\n`),
    ]);
    expect(json().entries).toMatchObject([
      {
        from: { rev: old, date: null },
        to: { date: '2024-01-01T00:02:00.000Z' },
        warnings: [warning],
      },
    ]);
  });

  it('a history of several pages gives no warning', async () => {
    const { repo, id } = await repository();
    const { run } = await locked(`models: { a: ${id} }`);
    for (let index = 0; index < 3; index += 1) {
      await repo.commit({ files: { 'config.json': JSON.stringify({ index }) } });
    }
    hub.options.pageSize = 2;
    onTestFinished(() => void (hub.options.pageSize = 1000));
    const { stderr, json } = await run(['update', '--json']);
    expect(stderr).not.toContain('warning');
    expect(json().entries).toMatchObject([
      { from: { date: '2024-01-01T00:00:00.000Z' }, to: { date: '2024-01-01T00:03:00.000Z' } },
    ]);
  });

  it('a renamed repository is a warning, and recorded', async () => {
    const { repo, id } = await repository();
    const { run, lock } = await locked(`models: { a: ${id} }`);
    const before = (await lock()).models.a;
    hub.renameRepo(repo, `${id}-new`);
    const { stderr, stdout } = await run(['update']);
    expect(stderr).toContain(`warning: models.a: ${id} is now ${id}-new on the Hub\n`);
    expect(stdout).toContain('hug.lock.json written');
    expect(asked()).toEqual([`models/${id}-new/revision/main`, `models/${id}/revision/main`]);
    expect((await lock()).models.a).toEqual({ ...before, repo: `${id}-new`, requested: id });
    const again = await run(['update', '--json']);
    expect([again.json().changed, again.stderr]).toEqual([
      false,
      expect.not.stringContaining('now'),
    ]);
    const moved = await repo.commit({ files: { 'config.json': '{"v":1}' } });
    await run(['update']);
    expect((await lock()).models.a).toMatchObject({
      repo: `${id}-new`,
      requested: id,
      rev: moved,
    });
  });

  it('missing or invalid dates of a mirror are no error', async () => {
    const { repo, id } = await repository();
    const { run, lock } = await locked(`models: { a: ${id} }`);
    const rev = await repo.commit({ files: { 'config.json': '{"v":1}' } });
    for (const fault of [
      { kind: 'status', status: 404 },
      { kind: 'status', status: 500 },
      { kind: 'html' },
      { kind: 'json', body: [{ id: rev, date: '\u001b[2J' }] },
      { kind: 'json', body: [] },
    ] as const) {
      const injection = hub.inject({ match: '/commits/', fault, times: Infinity });
      const { status, stderr, json } = await run(['update', '--dry-run', '--json']);
      injection.remove();
      expect(status).toBe(0);
      expect(stderr).not.toContain('warning');
      expect(json().entries).toMatchObject([{ from: { date: null }, to: { rev, date: null } }]);
    }
    expect((await run(['update'])).status).toBe(0);
    expect((await lock()).models.a.rev).toBe(rev);
  });
});

describe('a failure', () => {
  /** Runs `update`, which must fail and leave the lock alone. */
  async function fails(
    { run, lockText, lockIdentity }: Awaited<ReturnType<typeof locked>>,
    ...words: string[]
  ) {
    const before = [await lockText(), await lockIdentity()];
    const { status, stderr, stdout } = await run(['update']);
    for (const word of words) expect(stderr).toContain(word);
    expect([status, stdout]).toEqual([1, '']);
    expect([await lockText(), await lockIdentity()]).toEqual(before);
  }

  it('a repository that is deleted, or private now', async () => {
    const { repo, id } = await repository();
    const project = await locked(`models: { a: ${id} }`);
    repo.private = true;
    const words = [
      `error EHUG_REPO_NOT_FOUND: models.a: model ${id} was on the Hub when it was locked, and is deleted or private now\n`,
      'hint: Files that the Nix store or a binary cache has stay usable.',
    ];
    await fails(project, ...words);
    await hub.deleteRepo(repo);
    await fails(project, ...words);
  });

  it('a pinned commit that the Hub has lost', async () => {
    const { repo, id, first } = await repository();
    const project = await locked(`models: { a: { repo: ${id}, ref: ${first} } }`);
    await repo.commit({ parent: null, files: FILES, message: 'All anew' });
    await repo.prune();
    await fails(
      project,
      `EHUG_REVISION_NOT_FOUND: models.a: model ${id} has lost the commit ${first}: its history was rewritten`,
      'hint: Set ref to another commit',
    );
  });

  it('a branch that is gone', async () => {
    const { repo, id, first } = await repository();
    await repo.branch('dev', first);
    const project = await locked(`models: { a: { repo: ${id}, ref: dev } }`);
    await repo.deleteBranch('dev');
    await fails(project, `models.a: model ${id} has no revision "dev"`);
  });

  it('a repository that became gated and moved; one that did not move is fine', async () => {
    const { repo, id } = await repository();
    const project = await locked(`models: { a: ${id} }`);
    repo.gated = 'manual';
    expect((await project.run(['update'])).status).toBe(0);
    const rev = await repo.commit({ files: { 'model.safetensors': lfs('better weights') } });
    await fails(
      project,
      `error EHUG_GATED: models.a: model ${id} is gated`,
      `${hub.endpoint}/${id}`,
    );
    expect((await project.run(['update'], { env: { HF_TOKEN: TOKEN } })).status).toBe(0);
    expect((await project.lock()).models.a.rev).toBe(rev);
  });

  it('of some entries reports them all, and moves none', async () => {
    const [one, two, three] = [await repository(), await repository(), await repository()];
    const project = await locked(`models: { a: ${one.id}, b: ${two.id}, c: ${three.id} }`);
    await two.repo.commit({ files: { 'config.json': '{"v":1}' } });
    await hub.deleteRepo(one.repo);
    await hub.deleteRepo(three.repo);
    await fails(
      project,
      `EHUG_REPO_NOT_FOUND: models.a: model ${one.id}`,
      `  models.c: model ${three.id}`,
    );
    expect((await project.run(['update', 'b'])).status).toBe(0);
  });

  it('in the middle of a download', async () => {
    const { repo, id } = await repository();
    const project = await locked(`models: { a: ${id} }`);
    await repo.commit({ files: { 'config.json': '{"x":1}\n' } });
    injectAlways(hub, '/resolve-cache/', { kind: 'corrupt' });
    await fails(project, 'EHUG_INTEGRITY', 'config.json');
  });

  it('no network', async () => {
    const { id } = await repository();
    const { run, lockText } = await locked(`models: { a: ${id} }`);
    const before = await lockText();
    for (const [argv, env] of [
      [['update', '--offline'], {}],
      [['update', 'a'], { HF_HUB_OFFLINE: '1' }],
    ] as const) {
      const { status, stderr } = await run(argv, { env });
      expect([status, stderr]).toEqual([
        1,
        expect.stringContaining('error EHUG_OFFLINE: looking up new commits needs the network\n'),
      ]);
    }
    expect([asked(), await lockText()]).toEqual([[], before]);
  });
});

describe('names', () => {
  it('move only their entries; the others stay byte for byte', async () => {
    const [one, two] = [await repository(), await repository()];
    const { run, lockText } = await locked(`
models: { one: ${one.id}, two: ${two.id} }
`);
    const before = (await lockText()) ?? '';
    await two.repo.commit({ files: { 'config.json': '{"v":2}' } });
    await one.repo.commit({ files: { 'config.json': '{"v":1}' } });
    expect((await run(['update', 'models.one', '--json'])).json().entries).toMatchObject([
      { name: 'one' },
    ]);
    expect(asked().some((path) => path.includes(two.id))).toBe(false);
    const after = (await lockText()) ?? '';
    const part = (text: string) => text.slice(text.indexOf('"two"'));
    expect(part(after)).toBe(part(before));
    expect(after).not.toBe(before);
  });

  it('leave stale, missing and leftover entries as they are', async () => {
    const { repo, id, first } = await repository();
    await repo.branch('dev', first);
    const { run, manifest, lock } = await locked(`
models: { old: ${id}, kept: ${id}, stale: ${id} }
datasets: {}
`);
    const before = (await lock()).models;
    await manifest(`
models: { fresh: ${id}, missing: ${id}, kept: ${id}, stale: { repo: ${id}, ref: dev } }
`);
    const { entries } = (await run(['update', 'fresh', '--json'])).json();
    expect(entries).toMatchObject([
      {
        name: 'fresh',
        from: null,
        to: { ref: 'main', rev: first, date: '2024-01-01T00:00:00.000Z' },
      },
    ]);
    expect((await lock()).models).toEqual({ ...before, fresh: before.old });
    const stale = (await run(['update', 'stale', '--json'])).json();
    expect(stale.entries).toMatchObject([
      { name: 'stale', from: { ref: 'main', date: null }, to: { ref: 'dev' }, modified: [] },
    ]);
    expect((await run(['lock', '--check', '--json'])).json().reasons).toMatchObject([
      { entry: 'missing' },
      { entry: 'old' },
    ]);
    await run(['update']);
    expect((await run(['lock', '--check'])).status).toBe(0);
    expect(Object.keys((await lock()).models)).toEqual(['fresh', 'kept', 'missing', 'stale']);
  });

  it('move the other entries of the same ref of a repository, and the command names them', async () => {
    const { repo, id, first } = await repository();
    await repo.tag('v1', first);
    const { run, lock } = await locked(
      `models: { a: ${id}, b: { repo: ${id}, files: [config.json] }, c: { repo: ${id}, ref: v1 } }`,
    );
    const { models: before } = await lock();
    const rev = await repo.commit({ files: { 'config.json': '{"v":1}' } });
    const { stderr } = await run(['update', 'b']);
    expect(stderr).toContain('moved too, since they have the same ref of a repository: models.a\n');
    expect((await lock()).models).toMatchObject({ a: { rev }, b: { rev }, c: before['c'] });
  });

  it('of no entry in the manifest are refused', async () => {
    const { id } = await repository();
    const { run } = await locked(`models: { mistral: ${id} }`);
    const { status, stderr } = await run(['update', 'mistrel', 'x']);
    expect(status).toBe(2);
    expect(stderr).toContain(
      'error EHUG_ENTRY_UNKNOWN: the manifest has no entry "mistrel"; did you mean "mistral"?\n',
    );
    expect(stderr).toContain('  the manifest has no entry "x"\n');
    expect(asked()).toEqual([]);
  });
});

describe('the lock', () => {
  it('is created when there is none', async () => {
    const { id } = await repository();
    const { run, lockText } = await createProject(hub.endpoint, `models: { a: ${id} }`);
    expect((await run(['update'])).stdout).toContain(`\`models.a\` added: \`${id}\` at \`main\` (`);
    const text = await lockText();
    await run(['lock']);
    expect(await lockText()).toBe(text);
  });

  it('equals the one that lock writes', async () => {
    const { repo, id } = await repository();
    const manifest = `models: { a: ${id}, b: { repo: ${id}, include: ["*.safetensors"] } }`;
    const { run, lockText } = await locked(manifest);
    await repo.commit({ files: { 'config.json': '{"v":1}', 'b.bin': lfs('b') } });
    await run(['update']);
    const other = await createProject(hub.endpoint, manifest);
    await other.run(['lock']);
    expect(await lockText()).toBe(await other.lockText());
  });

  it('loses conflict markers, and an endpoint that the manifest no longer has', async () => {
    const { repo, id } = await repository();
    const { run, manifest, lockText, writeLock, lock } = await locked(
      `endpoint: ${hub.endpoint}\nmodels: { a: ${id} }`,
    );
    const text = (await lockText()) ?? '';
    await writeLock(`<<<<<<< HEAD\n${text}=======\n${text}>>>>>>> other\n`);
    await manifest(`models: { a: ${id} }`);
    const rev = await repo.commit({ files: { 'config.json': '{"v":1}' } });
    expect((await run(['update', 'a'])).stderr).toContain('EHUG_LOCK_CONFLICT');
    expect((await run(['update'])).status).toBe(0);
    expect(await lock()).toMatchObject({ models: { a: { rev } } });
    expect(await lock()).not.toHaveProperty('endpoint');
  });

  it('of a newer format is refused', async () => {
    const { id } = await repository();
    const { run, writeLock } = await locked(`models: { a: ${id} }`);
    await writeLock('{ "lockfileVersion": 3 }\n');
    expect((await run(['update'])).stderr).toContain('EHUG_LOCK_NEWER');
    expect(asked()).toEqual([]);
  });
});
