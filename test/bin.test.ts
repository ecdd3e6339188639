import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ended } from './support/ended.ts';
import { type Hub, lfs, startHub } from './support/hub/index.ts';
import { createProject } from './support/project.ts';
import { BIN, spawnCli } from './support/spawn-cli.ts';

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  const repo = await hub.createRepo({ type: 'model', id: 'org/name' });
  await repo.commit({ files: { 'config.json': '{}', 'w.bin': lfs('weights') } });
});
afterAll(() => hub.close());

const project = () => createProject(hub.endpoint, 'models: { a: org/name }');

describe('what is written to', () => {
  it.skipIf(!existsSync('/dev/full'))('says when the result does not fit', async () => {
    const { folder, run } = await project();
    const command = [process.execPath, '--import', import.meta.resolve('tsx'), BIN, 'lock'];
    const { status, stderr } = await ended(
      spawn('/bin/sh', ['-c', 'exec "$0" "$@" >/dev/full', ...command, '--json'], {
        cwd: folder,
        env: { ...process.env, HF_ENDPOINT: hub.endpoint, HF_HOME: '/nonexistent' },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    expect(status).toBe(1);
    expect(stderr).toContain('error EHUG_FILE_SYSTEM: cannot write the result: ENOSPC');
    expect(stderr).not.toContain(' at ');
    expect((await run(['lock', '--check'])).status).toBe(0);
  });

  it.each(['stdout', 'stderr'] as const)('may lose its reader: %s', async (stream) => {
    const { folder, run } = await project();
    const env = { HF_ENDPOINT: hub.endpoint, HF_HOME: '/nonexistent' };
    const { child, ended: whole } = spawnCli(['lock', '--debug'], { cwd: folder, env });
    whole.catch(() => 'one of its streams has no end');
    child[stream]?.destroy();
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect((await run(['lock', '--check'])).status).toBe(0);
    expect(await readdir(folder)).toEqual(['hug.lock.json', 'hug.yaml']);
  });
});
