import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import type { Lock, LockedEntry } from '../../src/lock/schema.ts';
import { lockedEntry, lockedFile, lockOf } from '../support/locks.ts';
import { createProject } from '../support/project.ts';
import { tempFolder } from '../support/temp.ts';

const exec = promisify(execFile);

/** Nothing listens there: a request would fail. */
const NO_HUB = 'http://127.0.0.1:9';
const PATH = process.env['PATH'] ?? '';

const OLD = 'a'.repeat(40);
const NEW = 'b'.repeat(40);

const base = lockedEntry({
  rev: OLD,
  repoId: '1'.repeat(24),
  license: ['apache-2.0'],
  files: new Map([
    ['README.md', lockedFile('r')],
    ['model.safetensors', lockedFile('w', { size: 1_000 })],
    ['tokenizer.json', lockedFile('t')],
  ]),
});

const moved: LockedEntry = {
  ...base,
  rev: NEW,
  license: ['other'],
  licenseName: 'house',
  files: new Map([
    ['README.md', lockedFile('s')],
    ['model.safetensors', lockedFile('x', { size: 2_000 })],
    ['modeling_x.py', lockedFile('p')],
  ]),
};

/** A project in a git repository, with a commit for each lock; `undefined` is one without a lock. */
async function committed(...locks: readonly (Lock | undefined)[]) {
  const project = await createProject(NO_HUB, 'models: { a: org/name }');
  const { folder } = project;
  const git = async (...args: readonly string[]) => {
    const options = ['-c', 'user.name=a', '-c', 'user.email=a@b.c', '-c', 'commit.gpgsign=false'];
    await exec('git', [...options, ...args], { cwd: folder });
  };
  await git('init', '-q', '-b', 'main');
  for (const lock of locks) {
    if (lock !== undefined) await project.writeLock(formatLock(lock));
    await git('add', '--all');
    await git('commit', '-q', '--allow-empty', '-m', 'x');
  }
  return {
    ...project,
    git,
    run: (argv: readonly string[], env: Readonly<Record<string, string>> = { PATH }) =>
      project.run(argv, { env }),
  };
}

describe('diff between git and the working file', () => {
  it('lists commits, files, classes, licences and bytes', async () => {
    const { run, writeLock } = await committed(lockOf({ a: base, same: base }));
    await writeLock(formatLock(lockOf({ a: moved, same: base, fresh: base })));
    const { status, stdout, stderr } = await run(['diff']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      '`HEAD` → `hug.lock.json`: 1 entry added, 1 changed (3 in all)',
      '- `models.a`: `main` (aaaaaaaaaaaa) → `main` (bbbbbbbbbbbb), 1 file added, 2 changed, 1 removed (weights, code, tokenizer, docs), +1 kB in all, 2.01 kB to fetch',
      '  - licence `apache-2.0` → `other (house)`',
      '  - `modeling_x.py` added, 3 B',
      '  - `README.md` changed, 3 B → 3 B',
      '  - `model.safetensors` changed, 1 kB → 2 kB',
      '  - `tokenizer.json` removed, 3 B',
      '- `models.fresh` added: `org/name` at `main` (aaaaaaaaaaaa), 3 files, 0 B to fetch',
      '',
    ]);
  });

  it('prints the same as JSON', async () => {
    const { run, writeLock } = await committed(lockOf({ a: base }));
    await writeLock(formatLock(lockOf({ a: moved })));
    expect((await run(['diff', '--json'])).json()).toEqual({
      entries: [
        {
          name: 'a',
          type: 'model',
          repo: 'org/name',
          repoBefore: null,
          from: { ref: 'main', rev: OLD },
          to: { ref: 'main', rev: NEW },
          added: ['modeling_x.py'],
          removed: ['tokenizer.json'],
          modified: ['README.md', 'model.safetensors'],
          classes: ['weights', 'code', 'tokenizer', 'docs'],
          license: { from: ['apache-2.0'], to: ['other (house)'] },
          repoId: { from: '1'.repeat(24), to: '1'.repeat(24) },
          onlyReadme: false,
          sizeChange: 1_000,
          downloadBytes: 2_006,
        },
      ],
    });
  });

  it('says that no entry differs', async () => {
    const { run } = await committed(lockOf({ a: base }));
    expect((await run(['diff'])).stdout).toBe('`HEAD` → `hug.lock.json`: no entry differs\n');
    expect((await run(['diff', '--json'])).json()).toEqual({ entries: [] });
  });

  it('names what else of an entry changed: repository, its id, fields of the manifest', async () => {
    const { run, writeLock } = await committed(lockOf({ a: base, b: base, c: base }));
    await writeLock(
      formatLock(
        lockOf({
          a: { ...base, repo: 'org/renamed' },
          b: { ...base, rev: NEW, repoId: '2'.repeat(24) },
          c: { ...base, groups: ['gpu'] },
        }),
      ),
    );
    const { stdout } = await run(['diff']);
    expect(stdout).toContain('\n  - repository `org/name` → `org/renamed`\n');
    expect(stdout).toContain(
      `\n  - another repository has the name \`org/name\`, id ${'1'.repeat(24)} → ${'2'.repeat(24)}\n`,
    );
    expect(stdout).toContain('\n  - changed in the lock: `groups`\n');
    const { entries } = (await run(['diff', '--json'])).json();
    expect(entries).toMatchObject([
      { repo: 'org/renamed', repoBefore: 'org/name' },
      { repoBefore: null, repoId: { from: '1'.repeat(24), to: '2'.repeat(24) } },
      { classes: [] },
    ]);
  });

  it('names another endpoint, which gets the token', async () => {
    const { run, writeLock } = await committed(lockOf({ a: base }));
    await writeLock(formatLock(lockOf({ a: base }, { endpoint: 'https://hub.example' })));
    for (const options of [[], ['--markdown']]) {
      const { stdout } = await run(['diff', ...options]);
      expect(stdout).toBe(
        '`HEAD` → `hug.lock.json`: no entry differs; endpoint the Hub → `https://hub.example`\n',
      );
    }
  });

  it('lists what entries need', async () => {
    const need = { repo: 'org/base', ref: 'main', by: 'config.json' };
    const { run, writeLock } = await committed(lockOf({ a: base }));
    const needed = new Map([['models/org/base@main', { ...base, repo: 'org/base' }]]);
    await writeLock(formatLock(lockOf({ a: { ...base, needs: [need] } }, { needed })));
    const { stdout } = await run(['diff']);
    expect(stdout).toMatch(/: 1 entry changed \(1 in all\); needed by them: 1 added\n/u);
    expect(stdout).toContain('- `needed.models/org/base@main` added: `org/base` at `main`');
  });

  it('takes everything for new where HEAD has no lock, or there is no commit', async () => {
    const { run, writeLock, git } = await committed();
    await writeLock(formatLock(lockOf({ a: base })));
    const unborn = await run(['diff']);
    expect(unborn).toMatchObject({
      status: 0,
      stderr: 'HEAD counts as a lock without entries: git has no such revision\n',
    });
    await git('commit', '-q', '--allow-empty', '-m', 'x');
    const empty = await run(['diff']);
    expect(empty.stderr).toBe('HEAD counts as a lock without entries: it has no hug.lock.json\n');
    for (const { stdout } of [unborn, empty]) {
      expect(stdout).toMatch(/^`HEAD` → `hug\.lock\.json`: 1 entry added \(1 in all\)\n/u);
    }
  });

  it.each([
    ['outside of a repository', PATH, 'its folder is not in a git repository'],
    ['without git', '/nowhere', 'git is not on PATH'],
  ])('takes everything for new %s', async (_title, searched, reason) => {
    const { run, writeLock } = await createProject(NO_HUB, 'models: { a: org/name }');
    await writeLock(formatLock(lockOf({ a: base })));
    const { status, stdout, stderr } = await run(['diff'], { env: { PATH: searched } });
    expect([status, stderr]).toEqual([0, `HEAD counts as a lock without entries: ${reason}\n`]);
    expect(stdout).toContain('1 entry added (1 in all)');
  });

  it('finds the lock in a subfolder of the repository', async () => {
    const { folder, git, run } = await committed(lockOf({ a: moved }));
    const cwd = path.join(folder, 'deep', 'er *');
    await mkdir(cwd, { recursive: true });
    const file = path.join(cwd, 'dev.lock.json');
    await writeFile(path.join(cwd, 'dev.yaml'), 'models: { a: org/name }');
    await writeFile(file, formatLock(lockOf({ a: base })));
    await git('add', '--all');
    await git('commit', '-q', '-m', 'x');
    await writeFile(file, formatLock(lockOf({ a: moved })));
    const { stdout, stderr } = await run(['-C', cwd, '--manifest', 'dev.yaml', 'diff']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^`HEAD` → `dev\.lock\.json`: 1 entry changed/u);
  });

  it('is about the lock alone: a manifest that is not valid, or not there, is no matter', async () => {
    const { run, manifest, writeLock, folder } = await committed(lockOf({ a: base }));
    await writeLock(formatLock(lockOf({ a: moved })));
    await manifest('models: [');
    expect((await run(['diff'])).stdout).toContain('1 entry changed');
    await rm(path.join(folder, 'hug.yaml'));
    expect((await run(['diff'])).stdout).toContain('1 entry changed');
  });

  it('fails without a lock in the working directory', async () => {
    const { run } = await committed();
    const { status, stderr } = await run(['diff']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('EHUG_LOCK_MISSING')]);
  });
});

describe('diff of what is named', () => {
  it('compares two revisions, and a revision with the working file', async () => {
    const { run, git } = await committed(lockOf({ a: base }), lockOf({ a: moved }));
    await git('tag', 'v1', 'HEAD~1');
    expect((await run(['diff', 'HEAD~1'])).stdout).toMatch(
      /^`HEAD~1` → `hug\.lock\.json`: 1 entry changed/u,
    );
    expect((await run(['diff', 'main', 'v1'])).stdout).toContain(
      '`main` (bbbbbbbbbbbb) → `main` (aaaaaaaaaaaa)',
    );
  });

  it('compares two files without git, and takes a file before a revision of that name', async () => {
    const { run, folder } = await committed(lockOf({ a: base }), lockOf({ a: base, b: base }));
    await writeFile(path.join(folder, 'main'), formatLock(lockOf({ a: moved })));
    const { stdout } = await run(['diff', 'main', 'hug.lock.json'], { PATH: '/nowhere' });
    expect(stdout).toMatch(/^`main` → `hug\.lock\.json`: 1 entry added, 1 changed \(2 in all\)\n/u);
  });

  it('takes everything for removed where the new revision has no lock', async () => {
    const { run, git } = await committed(lockOf({ a: base }));
    await git('rm', '-q', '--cached', 'hug.lock.json');
    await git('commit', '-q', '-m', 'x');
    const { stdout, stderr } = await run(['diff', 'HEAD~1', 'HEAD']);
    expect(stdout).toContain('- `models.a` removed');
    expect(stderr).toBe('HEAD counts as a lock without entries: it has no hug.lock.json\n');
  });

  it('does not take an upgrade of the format for a change', async () => {
    const old = { ...base };
    Reflect.deleteProperty(old, 'repoId');
    Reflect.deleteProperty(old, 'license');
    const { run, writeLock } = await committed(lockOf({ a: old, b: old }, { lockfileVersion: 1 }));
    await writeLock(formatLock(lockOf({ a: base, b: moved })));
    const { entries } = (await run(['diff', '--json'])).json();
    expect(entries).toMatchObject([
      {
        name: 'b',
        license: { from: null, to: ['other (house)'] },
        repoId: { from: null, to: '1'.repeat(24) },
      },
    ]);
    expect((await run(['diff'])).stdout).not.toContain('licence');
  });

  it.each([
    ['a revision that git has not', 'gone', 'gone is not a file, and git has no such revision'],
    ['an empty name', '', 'is not a file'],
    [
      'a range of revisions',
      'HEAD..HEAD',
      'HEAD..HEAD is not a file, and git has no such revision',
    ],
    ['a file of a revision', 'HEAD:hug.yaml', 'HEAD:hug.yaml is not a file, and git '],
  ])('refuses %s', async (_title, argument, message) => {
    const { run } = await committed(lockOf({ a: base }));
    const { status, stderr } = await run(['diff', argument]);
    expect(status).toBe(2);
    expect(stderr).toContain('EHUG_LOCK_REVISION');
    expect(stderr).toContain(message);
    expect(stderr).toContain('hint: ');
  });

  it.each([
    ['outside of a repository', PATH, 'its folder is not in a git repository'],
    ['without git', '/nowhere', 'git is not on PATH'],
  ])('refuses a revision %s', async (_title, searched, reason) => {
    const { run, writeLock } = await createProject(NO_HUB, 'models: { a: org/name }');
    await writeLock(formatLock(lockOf({ a: base })));
    const { status, stderr } = await run(['diff', 'HEAD'], { env: { PATH: searched } });
    expect(status).toBe(2);
    expect(stderr).toContain(`EHUG_LOCK_REVISION: HEAD is not a file, and ${reason}`);
  });

  it('refuses what git would read as an option', async () => {
    const { run } = await committed(lockOf({ a: base }));
    const { status, stderr } = await run(['diff', '--', '--help']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('EHUG_USAGE')]);
  });

  it('says what is wrong with a lock, and where it is', async () => {
    const { run, writeLock, git } = await committed(lockOf({ a: base }));
    await writeLock('{');
    await git('commit', '-q', '-am', 'x');
    await writeLock(formatLock(lockOf({ a: base })));
    const { status, stderr } = await run(['diff']);
    expect(status).toBe(2);
    expect(stderr).toContain('EHUG_LOCK_INVALID: hug.lock.json of HEAD');
  });

  it('passes on what else git says', async () => {
    const { run, folder } = await committed(lockOf({ a: base }));
    await writeFile(path.join(folder, '.git', 'config'), '[core');
    const { status, stderr } = await run(['diff']);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /EHUG_LOCK_REVISION: HEAD is not a file, and git says fatal: bad config/u,
    );
  });
});

describe('diff in a partial clone', () => {
  it('fetches nothing', async () => {
    const { folder, git } = await committed(lockOf({ a: base }));
    await git('config', 'uploadpack.allowFilter', 'true');
    const clone = path.join(await tempFolder(), 'clone');
    const options = ['--quiet', '--no-checkout', '--filter=blob:none'];
    await git('clone', ...options, `file://${folder}`, clone);
    const file = path.join(clone, 'hug.lock.json');
    await writeFile(file, formatLock(lockOf({ a: moved })));
    const { run } = await createProject(NO_HUB, 'models: {}');
    const { status, stderr } = await run(['-C', clone, 'diff'], { env: { PATH } });
    expect(status).toBe(2);
    expect(stderr).toMatch(/EHUG_LOCK_REVISION: HEAD is not a file, and git says /u);
  });
});

describe('diff --markdown', () => {
  it('prints a table', async () => {
    const { run, writeLock } = await committed(lockOf({ a: base, old: base }));
    await writeLock(formatLock(lockOf({ a: moved, fresh: moved })));
    const { stdout } = await run(['diff', '--markdown']);
    expect(stdout.split('\n')).toEqual([
      '`HEAD` → `hug.lock.json`: 1 entry added, 1 changed, 1 removed (2 in all)',
      '',
      '| Entry | Commit | Files | Classes | Licence | To fetch |',
      '| --- | --- | --- | --- | --- | --- |',
      '| `models.a` | `main` (aaaaaaaaaaaa) → `main` (bbbbbbbbbbbb) | 1 file added, 2 changed, 1 removed | weights, **code**, tokenizer, docs | `apache-2.0` → `other (house)` | 2.01 kB |',
      '| `models.fresh` | added: `main` (bbbbbbbbbbbb), repository `org/name` | 3 files added | weights, **code**, docs | `other (house)` | 2.01 kB |',
      '| `models.old` | removed: `main` (aaaaaaaaaaaa) | 3 files removed | weights, tokenizer, docs | `apache-2.0` |  |',
      '',
    ]);
  });

  it('escapes what would end a cell or a span of code', async () => {
    const folder = await tempFolder();
    const file = path.join(folder, 'a|b`c.json');
    await writeFile(file, formatLock(lockOf({ a: base })));
    const { run, writeLock } = await committed();
    const hostile = { ...moved, ref: 'x|y`z', license: ['a|b', '<img src=x>', '@everyone'] };
    await writeLock(formatLock(lockOf({ a: hostile })));
    const { stdout } = await run(['diff', file, '--markdown']);
    const rows = stdout.split('\n').filter((line) => line.startsWith('|'));
    for (const row of rows) expect(row.match(/(?<!\\)\|/gu)).toHaveLength(7);
    expect(rows.at(-1)).toContain('`` x\\|y`z ``');
    expect(rows.at(-1)).toContain('`a\\|b`, `<img src=x>`, `@everyone`');
  });

  it('stays short enough for a pull request', async () => {
    const { run, writeLock } = await committed();
    const names = Array.from({ length: 400 }, (_, index) => [`model_${index}`, base] as const);
    await writeLock(formatLock(lockOf(Object.fromEntries(names))));
    const { stdout } = await run(['diff', '--markdown']);
    expect(stdout.length).toBeLessThan(65_536);
    expect(stdout).toMatch(/400 entries added[^]*\n\nand 250 more entries\n$/u);
  });
});
