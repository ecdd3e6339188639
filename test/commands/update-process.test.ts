import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';
import { createProject } from '../support/project.ts';
import { spawnCli } from '../support/spawn-cli.ts';
import { stall } from '../support/stall.ts';

let hub: Hub;
let repo: Repository;
let changes = 0;

beforeAll(async () => {
  hub = await startHub();
  repo = await hub.createRepo({ type: 'model', id: 'org/tiny' });
  await repo.commit({ files: { 'config.json': '0', 'w.bin': lfs('w') } });
});
afterAll(() => hub.close());

/** A locked project whose repository moved since. */
async function behind() {
  const project = await createProject(hub.endpoint, 'models: { a: org/tiny }');
  await project.run(['lock']);
  changes += 1;
  const rev = await repo.commit({ files: { 'config.json': String(changes) } });
  const spawn = (...argv: readonly string[]) =>
    spawnCli(argv, {
      cwd: project.folder,
      env: { HF_ENDPOINT: hub.endpoint, HF_HOME: '/nonexistent' },
    });
  return { ...project, rev, spawn, before: await project.lockText() };
}

describe('update in a process of its own', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGKILL', null],
  ] as const)('leaves the lock as it was after %s', async (signal, status) => {
    const { folder, lockText, before, spawn, rev } = await behind();
    const stalled = stall(hub, '/tree/');
    const { child, ended } = spawn('update');
    await stalled();
    child.kill(signal);
    expect((await ended).status).toBe(status);
    expect(await lockText()).toBe(before);
    expect(await readdir(folder)).toEqual(['hug.lock.json', 'hug.yaml']);
    expect((await spawn('update').ended).status).toBe(0);
    expect(await lockText()).toContain(rev);
  });

  it('reports an interrupt during the request for an optional date', async () => {
    const { lockText, before, spawn } = await behind();
    const stalled = stall(hub, '/commits/');
    const { child, ended } = spawn('update');
    await stalled();
    child.kill('SIGINT');
    const { status, stderr } = await ended;
    expect([status, stderr]).toEqual([130, expect.stringContaining('EHUG_INTERRUPTED')]);
    expect(await lockText()).toBe(before);
  });

  it('reports an interrupt of outdated', async () => {
    const { spawn } = await behind();
    const stalled = stall(hub, '/revision/');
    const { child, ended } = spawn('outdated');
    await stalled();
    child.kill('SIGINT');
    const { status, stderr } = await ended;
    expect([status, stderr]).toEqual([130, expect.stringContaining('EHUG_INTERRUPTED')]);
  });

  it('writes one complete lock when two run at once', async () => {
    const { folder, run, lockText, spawn, rev } = await behind();
    const ends = await Promise.all([spawn('update').ended, spawn('update').ended]);
    expect(ends.map(({ status }) => status)).toEqual([0, 0]);
    expect(await lockText()).toContain(rev);
    expect((await run(['lock', '--check'])).status).toBe(0);
    expect(await readdir(folder)).toEqual(['hug.lock.json', 'hug.yaml']);
  });
});
