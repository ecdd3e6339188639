import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import type { Lock } from '../../src/lock/schema.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';
import { makePipe } from '../support/pipe.ts';
import { createProject } from '../support/project.ts';
import { spawnCli } from '../support/spawn-cli.ts';

const rev = (digit: string) => digit.repeat(40);

const LOCK: Lock = {
  ...lockOf(
    {
      big: lockedEntry({ repo: 'org/big', rev: rev('1'), groups: ['gpu'] }),
      lora: lockedEntry({
        repo: 'org/lora',
        rev: rev('2'),
        needs: [{ repo: 'org/base', ref: 'main', by: 'adapter_config.json' }],
      }),
    },
    { datasets: new Map([['rows', lockedEntry({ repo: 'org/rows', rev: rev('3') })]]) },
  ),
  needed: new Map([['models/org/base@main', lockedEntry({ repo: 'org/base', rev: rev('4') })]]),
};

const MANIFEST = `models:
  lora: org/lora
  big: { repo: org/big, groups: [gpu] }
datasets: { rows: org/rows }
`;

/** A folder with the lock that could reach no Hub. */
async function project(lock = LOCK) {
  const made = await createProject('http://127.0.0.1:9', MANIFEST);
  await made.writeLock(formatLock(lock));
  return made;
}

/** Names of the models and datasets in a document. */
const namesIn = (json: unknown): string[] =>
  (json as { components: { name: string }[] }).components.map(({ name }) => name);

describe('sbom', () => {
  it('prints the document of the whole lock, the same bytes each time and with --json', async () => {
    const { run } = await project();
    const { stdout, stderr, status } = await run(['sbom']);
    expect([stderr, status]).toEqual(['', 0]);
    expect(namesIn(JSON.parse(stdout))).toEqual(['rows', 'base', 'big', 'lora']);
    expect((await run(['sbom', '--json'])).stdout).toBe(stdout);
    const { folder: cwd } = await project();
    const env = { LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', TZ: 'Asia/Kathmandu' };
    expect(await spawnCli(['sbom'], { cwd, env }).ended).toMatchObject({ stdout, status: 0 });
  });

  it('works where there is a lock and no manifest', async () => {
    const { run, folder } = await project();
    const { stdout } = await run(['sbom']);
    await rm(path.join(folder, 'hug.yaml'));
    expect(await run(['sbom'])).toMatchObject({ stdout, stderr: '', status: 0 });
  });

  it.each([
    ['an entry with what it needs', ['lora'], ['base', 'lora']],
    ['a dataset by its place', ['datasets.rows'], ['rows']],
    ['a group, and entries without groups', ['--group', 'gpu'], ['rows', 'base', 'big', 'lora']],
  ])('takes %s', async (_what, args, names) => {
    const { run } = await project();
    expect(namesIn((await run(['sbom', ...args])).json())).toEqual(names);
  });

  it('leaves entries of other groups out, and says so', async () => {
    const { models } = LOCK;
    const lora = lockedEntry({ ...models.get('lora'), groups: ['dev'] });
    const { run } = await project({ ...LOCK, models: new Map([...models, ['lora', lora]]) });
    const { json, stderr } = await run(['sbom', '--group', 'gpu']);
    expect(namesIn(json())).toEqual(['rows', 'big']);
    expect(stderr).toContain('lora');
  });

  it('writes the version that --spec-version names, and refuses others', async () => {
    const { run } = await project();
    expect((await run(['sbom'])).json()).toMatchObject({ specVersion: '1.6' });
    expect((await run(['sbom', '--spec-version', '1.7'])).json()).toMatchObject({
      $schema: 'http://cyclonedx.org/schema/bom-1.7.schema.json',
      specVersion: '1.7',
    });
    const { status, stderr } = await run(['sbom', '--spec-version', '1.5']);
    expect(status).toBe(2);
    expect(stderr).toContain('1.6, 1.7');
  });

  it.each([
    ['an unknown entry', ['nobody'], 'EHUG_ENTRY_UNKNOWN'],
    ['an unknown group', ['--group', 'tpu'], 'EHUG_GROUP_UNKNOWN'],
  ])('refuses %s', async (_what, args, code) => {
    const { run } = await project();
    const { status, stdout, stderr } = await run(['sbom', ...args]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(code);
  });
});

describe('sbom --output', () => {
  it('writes the document to the file, and a new one in its place', async () => {
    const { run, folder } = await project();
    const { stdout: expected } = await run(['sbom']);
    const file = path.join(folder, 'bom ü.json');
    const { stdout, status } = await run(['sbom', '--output', 'bom ü.json']);
    expect([stdout, status]).toEqual(['bom ü.json written: 4 components, 4 files\n', 0]);
    expect(await readFile(file, 'utf8')).toBe(expected);
    await chmod(file, 0o640);
    const second = await run(['sbom', 'rows', '--output', file, '--json']);
    expect(second.json()).toEqual({ file, specVersion: '1.6', components: 1 });
    expect(namesIn(JSON.parse(await readFile(file, 'utf8')))).toEqual(['rows']);
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect((await readdir(folder)).toSorted()).toEqual(['bom ü.json', 'hug.lock.json', 'hug.yaml']);
  });

  it.each<[string, string, (file: string) => Promise<unknown>]>([
    ['a symbolic link', 'is a symbolic link', (file) => symlink('kept.json', file)],
    ['a folder', 'is not a regular file', (file) => mkdir(file)],
    ['a pipe', 'is not a regular file', makePipe],
  ])('refuses %s, and leaves it as it is', async (_what, problem, make) => {
    const { run, folder } = await project();
    await writeFile(path.join(folder, 'kept.json'), 'kept');
    await make(path.join(folder, 'bom.json'));
    const before = await readdir(folder);
    const { status, stdout, stderr } = await run(['sbom', '--output', 'bom.json']);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('EHUG_FILE_SYSTEM');
    expect(stderr).toContain(problem);
    expect(await readdir(folder)).toEqual(before);
    expect(await readFile(path.join(folder, 'kept.json'), 'utf8')).toBe('kept');
  });

  it.each(['hug.lock.json', 'hug.yaml', 'dev.YML'])('refuses the name %s', async (name) => {
    const { run, lockText } = await project();
    const before = await lockText();
    const { status, stderr } = await run(['sbom', '--output', name]);
    expect(status).toBe(2);
    expect(stderr).toContain('EHUG_USAGE');
    expect(await lockText()).toBe(before);
  });

  it('refuses a file in a folder that is not there', async () => {
    const { run } = await project();
    const { status, stderr } = await run(['sbom', '--output', 'no/bom.json']);
    expect(status).toBe(1);
    expect(stderr).toContain('EHUG_FILE_SYSTEM');
  });
});
