import { chmod, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { createProject, type Project } from '../support/project.ts';
import { smallDisk } from '../support/small-disk.ts';

const MANIFEST = `# ours
models:
  # the first
  a:
    repo: org/first # beside
  both: org/second

# theirs
datasets:
  both: org/rows
`;

let hub: Hub;

const project = (manifest = MANIFEST) => createProject(hub.endpoint, manifest);

const manifestOf = ({ folder }: Project) => readFile(path.join(folder, 'hug.yaml'), 'utf8');

beforeAll(async () => {
  hub = await startHub();
  for (const id of ['org/first', 'org/second']) {
    const repo = await hub.createRepo({ type: 'model', id });
    await repo.commit({ files: { 'config.json': id, 'w.bin': lfs(id) } });
  }
  const rows = await hub.createRepo({ type: 'dataset', id: 'org/rows' });
  await rows.commit({ files: { 'rows.parquet': lfs('rows') } });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

describe('remove', () => {
  it('takes an entry out of both files, keeps all else and asks nobody', async () => {
    const at = await project();
    await at.run(['lock']);
    await chmod(path.join(at.folder, 'hug.yaml'), 0o640);
    hub.clearRequests();
    const { status, stdout } = await at.run(['remove', 'a', '--offline']);
    expect([status, stdout]).toEqual([
      0,
      'hug.yaml and hug.lock.json written, 1 entry removed (2 in all)\n- `models.a` removed\n',
    ]);
    expect(await manifestOf(at)).toBe(MANIFEST.replace('  a:\n    repo: org/first # beside\n', ''));
    expect((await stat(path.join(at.folder, 'hug.yaml'))).mode & 0o777).toBe(0o640);
    expect((await at.run(['lock', '--check'])).status).toBe(0);
    expect(hub.requests).toEqual([]);
    expect(await readdir(at.folder)).toEqual(['hug.lock.json', 'hug.yaml']);
  });

  it.each([
    ['a', 'b'],
    ['b', 'a'],
  ])('takes an entry and one that repeats it: %s, %s', async (...names) => {
    const at = await project('datasets: { b: &it org/rows }\nmodels: { a: *it, c: org/first }\n');
    const { status, json } = await at.run(['remove', ...names, '--json']);
    expect([status, json().removed]).toEqual([
      0,
      names.map((name) => expect.objectContaining({ name })),
    ]);
    expect(await manifestOf(at)).toBe('datasets: { }\nmodels: { c: org/first }\n');
  });

  it('takes several, each once, and tells it as JSON', async () => {
    const at = await project();
    await at.run(['lock']);
    const { json } = await at.run(['remove', 'a', 'models.a', 'datasets.both', '--json']);
    expect(json()).toEqual({
      changed: true,
      entries: [
        expect.objectContaining({ name: 'a', type: 'model', to: null }),
        expect.objectContaining({ name: 'both', type: 'dataset', to: null }),
      ],
      removed: [
        { name: 'a', type: 'model', repo: 'org/first' },
        { name: 'both', type: 'dataset', repo: 'org/rows' },
      ],
    });
    expect((await at.run(['lock', '--check'])).status).toBe(0);
  });

  it('leaves entries alone that are not locked, and makes no lock', async () => {
    const at = await project();
    const { status, stdout } = await at.run(['remove', 'a', '--offline']);
    expect([status, stdout]).toEqual([
      0,
      'hug.yaml written, 1 entry removed (2 in all)\n- `models.a` removed\n',
    ]);
    expect(await at.lockText()).toBeUndefined();
    await at.run(['lock']);
    await at.manifest(`${await manifestOf(at)}  more: org/unknown\n`);
    expect((await at.run(['remove', 'models.both', '--offline'])).status).toBe(0);
    const { json } = await at.run(['lock', '--check', '--json']);
    expect(json().reasons.map(({ entry }: { entry: string }) => entry)).toEqual(['more']);
  });

  it('is the reverse of add, in both files', async () => {
    const at = await project();
    await at.run(['lock']);
    const before = await at.lockText();
    await at.run(['add', 'org/first', '--name', 'again', '--include', '*.bin']);
    expect(await at.lockText()).not.toBe(before);
    await at.run(['remove', 'again']);
    expect([await manifestOf(at), await at.lockText()]).toEqual([MANIFEST, before]);
  });
});

describe('remove that cannot be done leaves both files as they were', () => {
  it.each([
    ['a name that two have', ['both'], 'EHUG_ENTRY_AMBIGUOUS', 'models.both or datasets.both'],
    ['a name that none has', ['a', 'bath'], 'EHUG_ENTRY_UNKNOWN', 'did you mean "both"?'],
    ['no name', [], 'EHUG_USAGE', 'name'],
  ] as const)('%s', async (_, names, code, words) => {
    const at = await project();
    await at.run(['lock']);
    const before = await at.lockText();
    const { status, stderr } = await at.run(['remove', ...names]);
    expect([status, stderr]).toEqual([2, expect.stringContaining(code)]);
    expect(stderr).toContain(words);
    expect([await manifestOf(at), await at.lockText()]).toEqual([MANIFEST, before]);
  });

  it('a manifest in an unusual style', async () => {
    const text = 'models:\n  a: &it org/first\n  b: *it\n';
    const at = await project(text);
    const { status, stderr } = await at.run(['remove', 'a']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('EHUG_MANIFEST_STYLE')]);
    expect(await manifestOf(at)).toBe(text);
  });

  it('a lock with conflict markers, and one that is a link', async () => {
    const at = await project();
    await at.writeLock('<<<<<<< ours\n=======\n>>>>>>> theirs\n');
    expect((await at.run(['remove', 'a'])).stderr).toContain('EHUG_LOCK_CONFLICT');
    const linked = await project();
    await symlink('elsewhere', path.join(linked.folder, 'hug.lock.json'));
    expect((await linked.run(['remove', 'a'])).stderr).toContain('EHUG_LOCK_NOT_A_FILE');
    expect([await manifestOf(at), await manifestOf(linked)]).toEqual([MANIFEST, MANIFEST]);
  });

  it('a folder that cannot be written', async ({ skip }) => {
    const disk = await smallDisk(64 * 4096, skip);
    await writeFile(path.join(disk.folder, 'hug.yaml'), MANIFEST);
    await disk.makeReadOnly();
    const { run } = await project();
    const { status, stderr } = await run(['remove', 'a'], { cwd: disk.folder });
    expect([status, stderr]).toEqual([1, expect.stringContaining('EROFS')]);
  });
});
