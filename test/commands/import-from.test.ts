import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cachedProject, realiseAll } from '../support/cached-project.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { callPython, describeClients } from '../support/python.ts';
import { tempFolder } from '../support/temp.ts';

const exec = promisify(execFile);
let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  const repo = await hub.createRepo({ type: 'model', id: 'org/tiny' });
  await repo.commit({
    files: { 'config.json': '{}\n', 'sub/größe & co.csv': 'a,b\n', 'model.gguf': lfs('weights') },
  });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

const locked = () => cachedProject(hub, 'models: { tiny: org/tiny }');

/** A folder with all files of the model, under other names. */
async function renamed(): Promise<string> {
  const folder = await tempFolder('von Hand ä');
  await mkdir(path.join(folder, 'deep', 'er'), { recursive: true });
  await writeFile(path.join(folder, 'my config'), '{}\n');
  await writeFile(path.join(folder, 'deep', 'x.csv'), 'a,b\n');
  await writeFile(path.join(folder, 'deep', 'er', 'llama.gguf'), 'weights');
  return folder;
}

describeClients((client) => {
  it('has filled a folder of --local-dir that is enough for a build', async () => {
    const made = await locked();
    const folder = await tempFolder('local dir');
    const settings = { home: `${made.home}/hf`, endpoint: hub.endpoint };
    const [outcome] = await callPython(client, settings, [
      { call: 'snapshot_download', args: { repo_id: 'org/tiny', local_dir: folder } },
    ]);
    expect(outcome).toHaveProperty('value');
    hub.clearRequests();
    const { status, stderr } = await made.run(['import', '--from', folder]);
    expect(status, stderr).toBe(0);
    expect((await realiseAll(made)).length).toBe(3);
    expect(hub.requests).toEqual([]);
  });
});

describe('import --from', () => {
  it('finds files by their digests, whatever they are called', async () => {
    const made = await locked();
    const { status, stdout, stderr } = await made.run(['import', '--from', await renamed()]);
    expect(status, stderr).toBe(0);
    expect(stdout).toContain('3 files of 1 entry are there');
    expect((await realiseAll(made)).length).toBe(3);
    expect(hub.requests).toEqual([]);
  });

  it('takes a relative path, and files of an object folder of Git LFS', async () => {
    const made = await locked();
    const folder = path.join(made.folder, 'clone');
    await exec('git', ['clone', '-q', `${hub.endpoint}/org/tiny`, folder], {
      env: { ...process.env, GIT_LFS_SKIP_SMUDGE: '1', GIT_CONFIG_NOSYSTEM: '1', HOME: made.home },
    });
    const objects = path.join(folder, '.git', 'lfs', 'objects', 'aa', 'bb');
    await mkdir(objects, { recursive: true });
    await writeFile(path.join(objects, 'aabb'), 'weights');
    const { status, stderr } = await made.run(['import', 'tiny', '--from', 'clone']);
    expect(status, stderr).toBe(0);
  });

  it('names the folder and the files that it does not have; the others are added', async () => {
    const made = await locked();
    const folder = await renamed();
    await writeFile(path.join(folder, 'deep', 'er', 'llama.gguf'), 'w-ights');
    const { status, stderr } = await made.run(['import', '--from', folder]);
    expect(status).toBe(1);
    expect(stderr).toContain(
      `1 of 3 files is neither in the Nix store, in "${folder}" nor in the Hugging Face cache: "model.gguf"`,
    );
    expect(stderr).toContain('added to the Nix store: 2 other files');
  });

  it('follows links within the folder only, and passes over what is no file', async () => {
    const made = await locked();
    const folder = await renamed();
    const outside = await tempFolder();
    await rename(path.join(folder, 'my config'), path.join(outside, 'config'));
    await symlink(path.join(outside, 'config'), path.join(folder, 'config.json'));
    await symlink('.', path.join(folder, 'again'));
    await symlink('nowhere', path.join(folder, 'broken'));
    await exec('mkfifo', [path.join(folder, 'model.gguf')]);
    const failed = await made.run(['import', '--from', folder]);
    expect([failed.status, failed.stderr]).toEqual([1, expect.stringContaining('"config.json"')]);
    await copyFile(path.join(outside, 'config'), path.join(folder, 'deep', 'real'));
    await symlink('deep', path.join(folder, 'link'));
    expect((await made.run(['import', '--from', folder])).status).toBe(0);
  });

  it.each([
    ['a missing folder', 'nowhere', 'cannot be read: ENOENT'],
    ['a file', 'hug.yaml', 'is not a folder'],
  ])('refuses %s', async (_what, from, why) => {
    const made = await locked();
    const { status, stderr } = await made.run(['import', '--from', from]);
    expect([status, stderr]).toEqual([1, expect.stringContaining(why)]);
  });

  it('refuses repositories beside it', async () => {
    const made = await locked();
    const { status, stderr } = await made.run(['import', 'hf:org/tiny', '--from', '.']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('entries of the lock')]);
  });

  it('leaves the folder as it is, also a read-only one', async () => {
    const made = await locked();
    const folder = await renamed();
    await chmod(folder, 0o555);
    expect((await made.run(['import', '--from', folder])).status).toBe(0);
    await chmod(folder, 0o755);
  });
});
