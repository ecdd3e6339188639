import { writeFileSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { inject } from '../support/inject.ts';
import { createProject } from '../support/project.ts';
import { startProxy } from '../support/proxy.ts';
import { smallDisk } from '../support/small-disk.ts';
import { spawnCli } from '../support/spawn-cli.ts';
import { stall } from '../support/stall.ts';

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  for (const id of ['org/first', 'org/second', 'org/third']) {
    const repo = await hub.createRepo({ type: 'model', id });
    await repo.commit({ files: { 'config.json': id, 'w.bin': lfs(id) } });
  }
});
afterAll(() => hub.close());

/** A locked project whose manifest has a new entry. */
async function staleProject() {
  const project = await createProject(hub.endpoint, 'models: { a: org/first }');
  await project.run(['lock']);
  await project.manifest('models: { a: org/first, b: org/second }');
  return { ...project, before: await project.lockText() };
}

const spawnLock = (cwd: string) =>
  spawnCli(['lock'], { cwd, env: { HF_ENDPOINT: hub.endpoint, HF_HOME: '/nonexistent' } });

describe('lock in a process of its own', () => {
  it('writes the lock and ends with 0', async () => {
    const { folder, lockText, before } = await staleProject();
    const { status, stdout } = await spawnLock(folder).ended;
    expect([status, stdout]).toEqual([0, expect.stringContaining('`models.b` added')]);
    expect(await lockText()).not.toBe(before);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 130],
    ['SIGKILL', null],
  ] as const)('leaves the lock as it was after %s', async (signal, status) => {
    const { folder, lockText, before } = await staleProject();
    const stalled = stall(hub, '/tree/');
    const { child, ended } = spawnLock(folder);
    await stalled();
    child.kill(signal);
    const end = await ended;
    expect(end.status).toBe(status);
    if (status !== null) expect(end.stderr).toContain('EHUG_INTERRUPTED');
    expect(await lockText()).toBe(before);
    expect(await readdir(folder)).toEqual(['hug.lock.json', 'hug.yaml']);
    expect((await spawnLock(folder).ended).status).toBe(0);
  });

  it('writes one complete lock when two run at once', async () => {
    const { folder, run } = await staleProject();
    const ends = await Promise.all([spawnLock(folder).ended, spawnLock(folder).ended]);
    expect(ends.map(({ status }) => status)).toEqual([0, 0]);
    expect((await run(['lock', '--check'])).status).toBe(0);
    expect(await readdir(folder)).toEqual(['hug.lock.json', 'hug.yaml']);
  });

  it.each([[['lock']], [['update']], [['add', 'hf:org/third']]])(
    'keeps a lock that another process wrote meanwhile: %s',
    async (argv) => {
      const { folder, run, lockText, before } = await staleProject();
      const theirs = `${before}\n`;
      inject(hub, {
        match: ({ url }) => {
          if (url.includes('/tree/')) writeFileSync(path.join(folder, 'hug.lock.json'), theirs);
          return false;
        },
        fault: { kind: 'delay', ms: 0 },
      });
      const { status, stderr } = await run(argv);
      expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_LOCK_CHANGED')]);
      expect(await lockText()).toBe(theirs);
      expect((await run(['ls', '--json'])).json().entries).toHaveLength(1);
      expect(await readdir(folder)).toEqual(['hug.lock.json', 'hug.yaml']);
    },
  );
});

describe('a disk that cannot be written', () => {
  it('when it is full keeps the old lock', async ({ skip }) => {
    const { folder, run } = await staleProject();
    const disk = await smallDisk(16 * 4096, skip);
    for (const name of ['hug.yaml', 'hug.lock.json']) {
      await copyFile(path.join(folder, name), path.join(disk.folder, name));
    }
    const lock = path.join(disk.folder, 'hug.lock.json');
    const before = await readFile(lock, 'utf8');
    await writeFile(path.join(disk.folder, 'filler'), Buffer.alloc(16 * 4096)).catch(() => {});
    const { status, stderr } = await run(['lock'], { cwd: disk.folder });
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_FILE_SYSTEM')]);
    expect(stderr).toContain('ENOSPC');
    expect(await readFile(lock, 'utf8')).toBe(before);
    expect((await readdir(disk.folder)).toSorted()).toEqual([
      'filler',
      'hug.lock.json',
      'hug.yaml',
    ]);
  });

  it('when it is read-only is an error', async ({ skip }) => {
    const disk = await smallDisk(64 * 4096, skip);
    const folder = path.join(disk.folder, 'project');
    await mkdir(folder);
    await writeFile(path.join(folder, 'hug.yaml'), 'models: { a: org/first }');
    await disk.makeReadOnly();
    const { run } = await createProject(hub.endpoint, '');
    const { status, stderr } = await run(['lock'], { cwd: folder });
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_FILE_SYSTEM')]);
    expect(stderr).toContain('EROFS');
  });
});

describe('proxies', () => {
  it.each(['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'])('%s is used', async (name) => {
    const proxy = await startProxy();
    const { run } = await createProject(hub.endpoint, 'models: { a: org/first }');
    expect((await run(['lock'], { env: { [name]: proxy.url } })).status).toBe(0);
    expect(proxy.asked.length).toBeGreaterThan(0);
    expect(proxy.asked.every((asked) => asked.includes(new URL(hub.endpoint).host))).toBe(true);
  });

  it('may be addresses without a scheme; an invalid one is an error', async () => {
    const proxy = await startProxy();
    const { run } = await createProject(hub.endpoint, 'models: { a: org/first }');
    const { host } = new URL(proxy.url);
    expect((await run(['lock'], { env: { HTTP_PROXY: host } })).status).toBe(0);
    expect(proxy.asked.length).toBeGreaterThan(0);
    const { run: again } = await createProject(hub.endpoint, 'models: { a: org/first }');
    const wrong = await again(['lock'], { env: { HTTPS_PROXY: 'ftp://user:secret@h' } });
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('HTTPS_PROXY')]);
    expect(wrong.stderr).not.toContain('secret');
  });

  it.each(['127.0.0.1', '10.0.0.0/8, 127.0.0.0/8', '*'])(
    'are not used for hosts of NO_PROXY=%s',
    async (list) => {
      const proxy = await startProxy();
      const { run } = await createProject(hub.endpoint, 'models: { a: org/first }');
      const env = { HTTP_PROXY: proxy.url, NO_PROXY: list };
      expect((await run(['lock'], { env })).status).toBe(0);
      expect(proxy.asked).toEqual([]);
    },
  );

  it('for http are not used for https', async () => {
    const proxy = await startProxy();
    const { run } = await createProject('https://127.0.0.1:9', 'models: { a: org/first }');
    const env = { HTTP_PROXY: proxy.url };
    const { stderr } = await run(['lock'], { env });
    expect(stderr).toContain('EHUG_NETWORK');
    expect(proxy.asked).toEqual([]);
  });
});
