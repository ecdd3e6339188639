import { execFile } from 'node:child_process';
import {
  chmod,
  lstat,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { parseManifest } from '../../src/manifest/parse.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { createProject, type Project } from '../support/project.ts';
import { smallDisk } from '../support/small-disk.ts';
import { spawnCli } from '../support/spawn-cli.ts';
import { tempFolder } from '../support/temp.ts';

const exec = promisify(execFile);

let hub: Hub;

const project = (manifest = '') => createProject(hub.endpoint, manifest);

const manifestOf = ({ folder }: Pick<Project, 'folder'>) =>
  readFile(path.join(folder, 'hug.yaml'), 'utf8');

/** Adds to an empty manifest, and returns what is in it then. */
async function added(...argv: string[]): Promise<string> {
  const at = await project();
  const { status, stderr } = await at.run(['add', ...argv]);
  expect([status, stderr]).toEqual([0, expect.not.stringContaining('error')]);
  expect((await at.run(['lock', '--check'])).status).toBe(0);
  return manifestOf(at);
}

/** Adds to a manifest, which fails and leaves everything as it was; returns the message. */
async function refused(
  argv: readonly string[],
  status: number,
  manifest = 'models:\n  a: org/first\n',
): Promise<string> {
  const at = await project(manifest);
  await at.run(['lock']);
  const before = await at.lockText();
  const end = await at.run(['add', ...argv]);
  expect([end.status, end.stdout]).toEqual([status, '']);
  expect(await manifestOf(at)).toBe(manifest);
  expect(await at.lockText()).toBe(before);
  expect(await readdir(at.folder)).toEqual(['hug.lock.json', 'hug.yaml']);
  return end.stderr;
}

beforeAll(async () => {
  hub = await startHub();
  for (const id of [
    'org/first',
    'org/Second-7B-v0.3',
    'org/both',
    'org/1.5-wide',
    'models/odd',
    'gpt2',
  ]) {
    const repo = await hub.createRepo({ type: 'model', id });
    const sha = await repo.commit({
      files: { 'config.json': id, 'w.bin': lfs(id), 'x.bin': lfs('x') },
    });
    await repo.commit({ branch: 'dev', files: { 'dev.txt': 'dev', 'w.bin': lfs(id) } });
    await repo.tag('v1.2.0', sha);
  }
  for (const id of ['org/rows', 'org/both']) {
    const repo = await hub.createRepo({ type: 'dataset', id });
    await repo.commit({ files: { 'rows.parquet': lfs(id) } });
  }
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

describe('add', () => {
  it('adds an entry and locks it, and changes nothing else', async () => {
    const before = '# ours\nmodels:\n  a: org/first # main\n\n# theirs\ndatasets: {}\n';
    const at = await project(before);
    await at.run(['lock']);
    hub.clearRequests();
    const { status, stdout } = await at.run(['add', 'hf:org/Second-7B-v0.3']);
    expect([status, stdout.split('\n')[0]]).toEqual([
      0,
      'hug.yaml and hug.lock.json written, 1 entry added (2 in all)',
    ]);
    expect(await manifestOf(at)).toBe(
      before.replace('# main\n', '# main\n  second-7b-v0-3: org/Second-7B-v0.3\n'),
    );
    expect(hub.requests.map(({ url }) => url).join(' ')).not.toContain('org/first');
    expect((await at.run(['lock', '--check'])).status).toBe(0);
  });

  it('tells what it did as JSON', async () => {
    const { run } = await project();
    const { json } = await run(['add', 'org/first', '--json']);
    expect(json()).toEqual({
      changed: true,
      entries: [
        expect.objectContaining({
          name: 'first',
          type: 'model',
          from: null,
          added: expect.arrayContaining(['config.json', 'w.bin']),
        }),
      ],
      added: [{ name: 'first', type: 'model', repo: 'org/first' }],
      modified: [],
    });
  });

  it.each([
    [['org/first'], 'models:\n  first: org/first\n'],
    [['org/rows'], 'datasets:\n  rows: org/rows\n'],
    [['org/both', '--dataset'], 'datasets:\n  both: org/both\n'],
    [['datasets/org/both'], 'datasets:\n  both: org/both\n'],
    [['hf:gpt2'], 'models:\n  gpt2: gpt2\n'],
    [['hf:org/1.5-wide'], 'models:\n  _1-5-wide: org/1.5-wide\n'],
    [['hf:models/odd'], 'models:\n  odd: hf:models/odd\n'],
    [['org/first', '--name', 'Mine_2'], 'models:\n  Mine_2: org/first\n'],
    [['hf:org/first', '--ref', 'main'], 'models:\n  first: org/first\n'],
    [
      ['https://huggingface.co/org/first/tree/dev'],
      'models:\n  first:\n    repo: org/first\n    ref: dev\n',
    ],
    [
      ['https://huggingface.co/org/first/blob/main/w.bin'],
      'models:\n  first:\n    repo: org/first\n    files: [w.bin]\n',
    ],
    [
      ['hf:org/first', '--include', '*.bin', '--include', '*.bin', '--exclude', 'x*'],
      'models:\n  first:\n    repo: org/first\n    include: ["*.bin"]\n    exclude: ["x*"]\n',
    ],
    [
      ['org/first', '--version', '^1.2'],
      'models:\n  first:\n    repo: org/first\n    version: ^1.2\n',
    ],
    [['--version=1', 'org/first'], 'models:\n  first:\n    repo: org/first\n    version: "1"\n'],
    [
      ['hf:org/first', 'org/rows', 'hf:gpt2'],
      'models:\n  first: org/first\n  gpt2: gpt2\n\ndatasets:\n  rows: org/rows\n',
    ],
  ])('%j', async (argv, text) => {
    expect(await added(...argv)).toBe(text);
  });

  it('takes an address on the Hub of the manifest', async () => {
    const at = await createProject('', `endpoint: ${hub.endpoint}\n`);
    const { status } = await at.run(['add', `${hub.endpoint}/org/first/tree/dev`]);
    expect(status).toBe(0);
    expect(await manifestOf(at)).toContain('  first:\n    repo: org/first\n    ref: dev\n');
  });

  it('warns when it leaves one branch at two commits', async () => {
    const repo = await hub.createRepo({ type: 'model', id: 'org/moving' });
    await repo.commit({ files: { 'config.json': '0' } });
    const { run } = await project();
    await run(['add', 'hf:org/moving']);
    await repo.commit({ files: { 'new.json': '1' } });
    const argv = ['add', 'hf:org/moving', '--file', 'new.json', '--name', 'again'];
    const { status, stderr } = await run(argv);
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining(
        'warning: models.again and models.moving have main of org/moving at different commits',
      ),
    ]);
  });

  it('locks what else is not locked yet', async () => {
    const { run } = await project('models:\n  gpt2: gpt2\n');
    const { json } = await run(['add', 'org/first', '--json']);
    expect(json().entries.map(({ name }: { name: string }) => name)).toEqual(['first', 'gpt2']);
    expect((await run(['lock', '--check'])).status).toBe(0);
  });

  it('keeps a byte order mark, permissions, and a link with its target', async () => {
    const at = await project('\uFEFFmodels:\r\n  a: org/first\r\n');
    const file = path.join(at.folder, 'hug.yaml');
    const target = path.join(await tempFolder(), 'real.yaml');
    await chmod(file, 0o664);
    await rename(file, target);
    await symlink(target, file);
    expect((await at.run(['add', 'hf:gpt2'])).status).toBe(0);
    expect(await readFile(file, 'utf8')).toBe(
      '\uFEFFmodels:\r\n  a: org/first\r\n  gpt2: gpt2\r\n',
    );
    expect((await lstat(file)).isSymbolicLink()).toBe(true);
    expect((await stat(target)).mode & 0o777).toBe(0o664);
    expect(await readdir(path.dirname(target))).toEqual(['real.yaml']);
  });

  it('works from a manifest that init wrote, which keeps its comments', async () => {
    const at = await project();
    await exec('rm', [path.join(at.folder, 'hug.yaml')]);
    await at.run(['init']);
    const before = await manifestOf(at);
    await at.run(['add', 'org/first', 'org/rows']);
    const lines = before.split('\n');
    expect((await manifestOf(at)).split('\n').filter((line) => !lines.includes(line))).toEqual([
      '  first: org/first',
      '  rows: org/rows',
    ]);
    await at.run(['remove', 'first', 'rows']);
    expect(await manifestOf(at)).toBe(before);
  });
});

describe('add of what is there', () => {
  const TEXT = '# ours\nmodels:\n  a: org/first # why\n  b: org/Second-7B-v0.3\n';

  it.each([[['org/first']], [['hf:org/FIRST']], [['hf:org/first', '--name', 'a']]])(
    'has nothing to do for %j, and asks nobody',
    async (argv) => {
      const at = await project(TEXT);
      await at.run(['lock']);
      hub.clearRequests();
      const before = [await at.lockText(), await at.lockIdentity()];
      const { status, stdout, stderr } = await at.run(['add', ...argv]);
      expect([status, stdout, stderr]).toEqual([
        0,
        'nothing to do: hug.yaml has models.a already\n',
        '',
      ]);
      expect(hub.requests).toEqual([]);
      expect([await at.lockText(), await at.lockIdentity()]).toEqual(before);
      expect(await manifestOf(at)).toBe(TEXT);
    },
  );

  it.each([
    ['a: https://hf.co/org/first/tree/dev', ['https://huggingface.co/org/first/tree/dev']],
    ['a: { repo: org/first, ref: main }', ['hf:org/first', '--ref', 'main']],
    ['a: { repo: org/first, files: [w.bin] }', ['hf:org/first', '--file', 'w.bin']],
    ['a: { repo: org/first, version: ^1 }', ['hf:org/first', '--version', '^1']],
  ])('has nothing to do in %j for %j', async (entry, argv) => {
    const text = `models:\n  ${entry}\n`;
    const at = await project(text);
    await at.run(['lock']);
    const { stdout } = await at.run(['add', ...argv]);
    expect(stdout).toBe('nothing to do: hug.yaml has models.a already\n');
    expect(await manifestOf(at)).toBe(text);
  });

  it('locks it where it is not locked yet', async () => {
    const at = await project('models:\n  a: org/first\n');
    const { status, stdout } = await at.run(['add', 'org/first']);
    expect([status, stdout.split('\n')[0]]).toEqual([
      0,
      'hug.lock.json written, 1 entry added (1 in all)',
    ]);
    expect((await at.run(['lock', '--check'])).status).toBe(0);
  });

  it.each([
    ['a: org/first # why', ['--ref', 'dev'], 'a: {repo: org/first, ref: dev} # why'],
    [
      'a: { repo: org/first, ref: dev } # why',
      ['--version', '^1.2'],
      'a: { repo: org/first, version: ^1.2 } # why',
    ],
    ['a: { repo: org/first, version: ^1.2 }', ['--ref', 'main'], 'a: { repo: org/first }'],
    [
      'a: { repo: hf:org/first, ref: dev, include: ["x*"], exclude: [y] }',
      ['--include', 'w*'],
      'a: { repo: hf:org/first, ref: dev, include: ["w*"] }',
    ],
    [
      'a:\n    repo: org/first # what\n    include: ["x*"] # which\n    # when\n    ref: dev',
      ['--file', 'w.bin'],
      'a:\n    repo: org/first # what\n    # when\n    ref: dev\n    files: [w.bin]',
    ],
    [
      'a: https://huggingface.co/org/first/tree/dev # why',
      ['--file', 'w.bin'],
      'a: {repo: org/first, ref: dev, files: [w.bin]} # why',
    ],
    [
      'a: https://huggingface.co/org/first/blob/dev/x.bin',
      ['--version', '1'],
      'a: {repo: org/first, files: [x.bin], version: "1"}',
    ],
    [
      'a: { repo: org/first, ref: main }',
      ['--file', 'w.bin'],
      'a: { repo: org/first, ref: main, files: [w.bin] }',
    ],
    [
      'a: { repo: org/first, dependencies: ignore, include: ["x*"] } # why',
      ['--ref', 'dev', '--file', 'w.bin', '--group', 'gpu'],
      'a: { repo: org/first, dependencies: ignore, ref: dev, files: [w.bin], groups: [gpu] } # why',
    ],
    [
      'a:\n    repo: https://huggingface.co/org/first/tree/dev\n    dependencies: warn # theirs',
      ['--ref', 'main'],
      'a:\n    repo: org/first\n    dependencies: warn # theirs',
    ],
  ])('changes %j with %j', async (before, options, after) => {
    const at = await project(`# ours\nmodels:\n  ${before}\n  # theirs\n  b: gpt2\n`);
    await at.run(['lock']);
    const { status, json, stderr } = await at.run(['add', 'hf:org/first', ...options, '--json']);
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('error')]);
    expect(json()).toMatchObject({ added: [], modified: [{ name: 'a', repo: 'org/first' }] });
    expect(await manifestOf(at)).toBe(`# ours\nmodels:\n  ${after}\n  # theirs\n  b: gpt2\n`);
    expect((await at.run(['lock', '--check'])).status).toBe(0);
  });

  it('takes what an address says, and finds the entry by its name', async () => {
    const at = await project('models:\n  a: org/first\n  b: org/first # mine\n');
    const argv = ['add', 'https://hf.co/org/first/blob/dev/w.bin', '--name', 'b'];
    expect((await at.run(argv)).status).toBe(0);
    expect(await manifestOf(at)).toBe(
      'models:\n  a: org/first\n  b: {repo: org/first, ref: dev, files: [w.bin]} # mine\n',
    );
  });

  it('changes one and adds another at once', async () => {
    const at = await project('models:\n  a: org/first\n');
    const { json } = await at.run(['add', 'hf:org/first', 'hf:gpt2', '--ref', 'dev', '--json']);
    expect(json()).toMatchObject({ added: [{ name: 'gpt2' }], modified: [{ name: 'a' }] });
    expect(await manifestOf(at)).toBe(
      'models:\n  a: {repo: org/first, ref: dev}\n  gpt2:\n    repo: gpt2\n    ref: dev\n',
    );
  });

  it('keeps what the manifest says of dependencies, and gives the entry none', async () => {
    const at = await project('dependencies: warn # ours\nmodels:\n  a: org/first\n');
    expect((await at.run(['add', 'hf:org/first', '--ref', 'dev'])).status).toBe(0);
    expect(await manifestOf(at)).toBe(
      'dependencies: warn # ours\nmodels:\n  a: {repo: org/first, ref: dev}\n',
    );
    expect((await at.run(['add', 'hf:gpt2'])).status).toBe(0);
    expect((await at.run(['remove', 'a'])).status).toBe(0);
    expect(await manifestOf(at)).toBe('dependencies: warn # ours\nmodels:\n  gpt2: gpt2\n');
  });

  it('leaves it as it was when locking fails', async () => {
    const stderr = await refused(['hf:org/first', '--ref', 'none'], 1);
    expect(stderr).toContain('EHUG_REVISION_NOT_FOUND');
  });
});

describe('add where there is no manifest', () => {
  it('writes one with comments, and says so', async () => {
    const { run } = await project();
    const cwd = await tempFolder();
    const { status, stdout } = await run(['add', 'hf:gpt2'], { cwd });
    expect([status, stdout.split('\n')[0]]).toEqual([
      0,
      'hug.yaml (new) and hug.lock.json written, 1 entry added (1 in all)',
    ]);
    const text = await readFile(path.join(cwd, 'hug.yaml'), 'utf8');
    expect(text).toContain('# yaml-language-server:');
    expect(parseManifest(text, 'hug.yaml').entries).toMatchObject([{ name: 'gpt2' }]);
    expect((await run(['lock', '--check'], { cwd })).status).toBe(0);
  });

  it('writes none when locking fails', async () => {
    const { run } = await project();
    const cwd = await tempFolder();
    expect((await run(['add', 'hf:org/none'], { cwd })).status).toBe(1);
    expect(await readdir(cwd)).toEqual([]);
  });
});

describe('add that cannot be done leaves both files as they were', () => {
  it.each([
    ['a name that is taken', ['hf:gpt2', '--name', 'a'], 2, 'EHUG_ENTRY_EXISTS', '--name'],
    ['one repository twice', ['hf:gpt2', 'hf:gpt2'], 2, 'EHUG_ENTRY_EXISTS', 'models.gpt2'],
    ['a name for several', ['hf:gpt2', 'org/rows', '--name', 'b'], 2, 'EHUG_USAGE', '--name'],
    ['a bad name', ['hf:gpt2', '--name', '1b'], 2, 'EHUG_USAGE', '--name'],
    ['a reserved name', ['hf:gpt2', '--name', 'constructor'], 2, 'EHUG_USAGE', 'reserved'],
    ['a bad range', ['hf:gpt2', '--version', 'newest'], 2, 'EHUG_USAGE', 'semver'],
    ['a ref and a range', ['hf:gpt2', '--version', '1', '--ref', 'dev'], 2, 'EHUG_USAGE', '--ref'],
    [
      'an address with a ref and a range',
      ['https://hf.co/gpt2/tree/dev', '--version', '1'],
      2,
      'EHUG_USAGE',
      '--ref',
    ],
    ['files and globs', ['hf:gpt2', '--file', 'a', '--include', 'b'], 2, 'EHUG_USAGE', '--file'],
    ['a model and a dataset', ['org/both'], 2, 'EHUG_REPO_AMBIGUOUS', 'hf-datasets:org/both'],
    ['no repository', ['org/none'], 1, 'EHUG_REPO_NOT_FOUND', 'org/none'],
    ['a good one and no repository', ['hf:gpt2', 'hf:org/none'], 1, 'EHUG_REPO_NOT_FOUND', 'none'],
    ['two that are no repositories', ['org/none', 'org/no'], 1, 'EHUG_REPO_NOT_FOUND', 'org/no:'],
    ['no revision', ['hf:gpt2', '--ref', 'none'], 1, 'EHUG_REVISION_NOT_FOUND', 'none'],
    ['no tag in the range', ['hf:gpt2', '--version', '^9'], 1, 'EHUG_VERSION', '^9'],
    ['no such file', ['hf:gpt2', '--file', 'none.bin'], 1, 'EHUG_SELECTION', 'none.bin'],
    ['no network', ['hf:gpt2', '--offline'], 1, 'EHUG_OFFLINE', 'models.gpt2'],
  ] as const)('%s', async (_, argv, status, code, words) => {
    const stderr = await refused(argv, status);
    expect(stderr).toContain(code);
    expect(stderr).toContain(words);
  });

  it('a range over tags of two numbers', async () => {
    const repo = await hub.createRepo({ type: 'model', id: 'org/short-tags' });
    const commit = await repo.commit({ files: { 'config.json': '{}' } });
    for (const tag of ['v1.0', 'v2.1']) await repo.tag(tag, commit);
    const stderr = await refused(['hf:org/short-tags', '--version', '^1'], 1);
    expect(stderr).toContain('hint: A version has three numbers');
    expect(stderr).toContain('Its tags: v1.0, v2.1');
  });

  it('a manifest in an unusual style', async () => {
    const stderr = await refused(['hf:gpt2'], 2, '{ datasets: {} }');
    expect(stderr).toContain('EHUG_MANIFEST_STYLE');
  });

  it('no manifest where --manifest says, or beside a lock', async () => {
    const { run } = await project();
    const cwd = await tempFolder();
    const named = await run(['add', 'hf:gpt2', '--manifest', 'dev.yaml'], { cwd });
    expect([named.status, named.stderr]).toEqual([
      2,
      expect.stringContaining('EHUG_MANIFEST_MISSING'),
    ]);
    await writeFile(path.join(cwd, 'hug.lock.json'), '{}');
    const { status, stderr } = await run(['add', 'hf:gpt2'], { cwd });
    expect([status, stderr]).toEqual([2, expect.stringContaining('EHUG_MANIFEST_MISSING')]);
    expect(await readdir(cwd)).toEqual(['hug.lock.json']);
  });

  it('one of several entries of a repository, unless it is named', async () => {
    const manifest = 'models:\n  a: org/first\n  b: { repo: org/first, ref: dev }\n';
    const stderr = await refused(['org/first', '--ref', 'v1.2.0'], 2, manifest);
    expect(stderr).toContain('org/first is there as models.a and models.b');
    expect(stderr).toContain('--name');
  });

  it('a lock that is a link', async () => {
    const at = await project('models: {}\n');
    await symlink('elsewhere', path.join(at.folder, 'hug.lock.json'));
    const { status, stderr } = await at.run(['add', 'hf:gpt2']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_LOCK_NOT_A_FILE')]);
    expect(await manifestOf(at)).toBe('models: {}\n');
  });

  it('a folder that cannot be written', async ({ skip }) => {
    const disk = await smallDisk(64 * 4096, skip);
    await writeFile(path.join(disk.folder, 'hug.yaml'), 'models: {}\n');
    await disk.makeReadOnly();
    const { run } = await project();
    const { status, stderr } = await run(['add', 'hf:gpt2'], { cwd: disk.folder });
    expect([status, stderr]).toEqual([1, expect.stringContaining('EROFS')]);
    expect(await readdir(disk.folder)).toEqual(['hug.yaml']);
  });

  it('a full disk', async ({ skip }) => {
    const disk = await smallDisk(16 * 4096, skip);
    await writeFile(path.join(disk.folder, 'hug.yaml'), 'models: {}\n');
    await writeFile(path.join(disk.folder, 'filler'), Buffer.alloc(16 * 4096)).catch(() => {});
    const { run } = await project();
    const { status, stderr } = await run(['add', 'hf:gpt2'], { cwd: disk.folder });
    expect([status, stderr]).toEqual([1, expect.stringContaining('ENOSPC')]);
    expect(await readFile(path.join(disk.folder, 'hug.yaml'), 'utf8')).toBe('models: {}\n');
    expect((await readdir(disk.folder)).toSorted()).toEqual(['filler', 'hug.yaml']);
  });

  it.for([
    ['with a lock', ['hug.lock.json', 'hug.yaml']],
    ['without a lock', ['hug.yaml']],
  ] as const)('a manifest that nothing can replace, %s', async ([, files], { skip }) => {
    const { folder } = await smallDisk(64 * 4096, skip);
    const { run } = await project();
    const file = path.join(folder, 'hug.yaml');
    const textOfLock = () => readFile(path.join(folder, 'hug.lock.json'), 'utf8').catch(() => '');
    await writeFile(file, 'models:\n  a: org/first\n');
    if (files.length === 2) await run(['lock'], { cwd: folder });
    const before = await textOfLock();
    await exec('mount', ['--bind', file, file]);
    onTestFinished(async () => void (await exec('umount', [file])));
    const { status, stderr } = await run(['add', 'hf:gpt2'], { cwd: folder });
    expect([status, stderr]).toEqual([1, expect.stringContaining('EBUSY')]);
    expect(await readFile(file, 'utf8')).toBe('models:\n  a: org/first\n');
    expect(await textOfLock()).toBe(before);
    expect((await readdir(folder)).toSorted()).toEqual(files);
  });
});

describe('add beside others', () => {
  const spawnAdd = (cwd: string, url: string) =>
    spawnCli(['add', url], { cwd, env: { HF_ENDPOINT: hub.endpoint, HF_HOME: '/nonexistent' } });

  /** Has the hub hold back an answer, and waits until somebody waits for it. */
  function stall(match: string): { waited: () => Promise<void>; release: () => void } {
    const injection = hub.inject({ match, fault: { kind: 'stall', afterBytes: 1 } });
    onTestFinished(() => injection.remove());
    return {
      waited: async () => {
        for (let tries = 0; injection.hits === 0; tries += 1) {
          if (tries === 1_000) throw new Error('nobody asked');
          await sleep(10);
        }
      },
      release: () => injection.remove(),
    };
  }

  it('refuses when the manifest changes meanwhile, and keeps the change', async () => {
    const at = await project('models: {}\n');
    const injection = hub.inject({
      match: '/tree/',
      fault: { kind: 'slow', bytesPerSecond: 1_000 },
    });
    onTestFinished(() => injection.remove());
    const run = at.run(['add', 'hf:gpt2']);
    while (injection.hits === 0) await sleep(5);
    await at.manifest('models: {} # mine\n');
    const { status, stderr } = await run;
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_MANIFEST_CHANGED')]);
    expect(await manifestOf(at)).toBe('models: {} # mine\n');
    expect(await readdir(at.folder)).toEqual(['hug.yaml']);
  });

  it('loses no entry of several at once', async () => {
    const urls = ['hf:org/first', 'hf:gpt2', 'hf:org/1.5-wide', 'hf-datasets:org/rows'];
    for (let round = 0; round < 10; round += 1) {
      const at = await project('models:\n');
      const ends = await Promise.all(urls.map((url) => at.run(['add', url, '--json'])));
      const done = ends.filter(({ status }) => status === 0);
      const names = done.flatMap(({ json }) => json().added.map(({ name }: any) => name));
      const { entries } = parseManifest(await manifestOf(at), 'hug.yaml');
      expect(new Set(entries.map(({ name }) => name))).toEqual(new Set(names));
      expect(names.length).toBeGreaterThan(0);
      for (const { status, json } of ends) {
        if (status !== 0) expect(json().error.code).toBe('EHUG_MANIFEST_CHANGED');
      }
      expect((await at.run(['lock', '--check'])).status).toBe(0);
      expect(await readdir(at.folder)).toEqual(['hug.lock.json', 'hug.yaml']);
    }
  });

  it('names the file of a process that was killed while it wrote', async () => {
    const at = await project('models: {}\n');
    const rest = path.join(at.folder, '.hug.yaml.tmp');
    await writeFile(rest, 'half');
    const { status, stderr } = await at.run(['add', 'hf:gpt2']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_MANIFEST_CHANGED')]);
    expect(stderr).toContain(rest);
    expect(await manifestOf(at)).toBe('models: {}\n');
    expect(await readFile(rest, 'utf8')).toBe('half');
  });

  it.each(['SIGINT', 'SIGKILL'] as const)(
    'leaves both files as they were after %s',
    async (signal) => {
      const at = await project('models: {}\n');
      const { waited, release } = stall('/tree/');
      const { child, ended } = spawnAdd(at.folder, 'hf:gpt2');
      await waited();
      child.kill(signal);
      await ended;
      expect(await manifestOf(at)).toBe('models: {}\n');
      expect(await readdir(at.folder)).toEqual(['hug.yaml']);
      release();
      expect((await spawnAdd(at.folder, 'hf:gpt2').ended).status).toBe(0);
    },
  );

  it('goes on where it was killed between both files', async () => {
    const at = await project('models: {}\n');
    await at.run(['add', 'hf:gpt2']);
    const after = await manifestOf(at);
    // The lock is put in place first.
    await at.manifest('models: {}\n');
    hub.clearRequests();
    expect((await at.run(['add', 'hf:gpt2'])).status).toBe(0);
    expect(hub.requests).toEqual([]);
    expect(await manifestOf(at)).toBe(after);
  });
});

describe('--version', () => {
  it.each([
    [['--version']],
    [['-V']],
    [['lock', '--version']],
    [['add', '--version']],
    [['-C', 'add', 'lock', '--version']],
  ])('%j prints the version of nix-hug', async (argv) => {
    const { run } = await project();
    const { status, stdout } = await run(argv);
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/u)]);
  });

  it('is an argument like any other after --', async () => {
    const { run } = await project();
    const { stderr } = await run(['add', 'org/first', '--', '--version']);
    expect(stderr).toContain('EHUG_REPO_INVALID');
  });

  it('is a range after add, whatever stands around it', async () => {
    const at = await project();
    const argv = ['--quiet', '-C', at.folder, 'add', '--json', '--version', '1.x', 'hf:gpt2'];
    const { status } = await at.run([...argv, '--no-color'], { cwd: '/' });
    expect(status).toBe(0);
    expect(await manifestOf(at)).toContain('version: 1.x');
  });
});
