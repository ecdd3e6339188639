import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, openSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EMPTY_LOCK, formatLock } from '../src/lock/codec.ts';
import { ended } from './support/ended.ts';
import { type Hub, lfs, startHub } from './support/hub/index.ts';
import { createProject } from './support/project.ts';
import { BIN, spawnCli } from './support/spawn-cli.ts';
import { tempFolder } from './support/temp.ts';

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

  it('may be a pipe that does not wait for its reader', async () => {
    const folder = await tempFolder('ä pipe');
    const entry = { repo: 'org/name', ref: 'main', rev: '0'.repeat(40), files: new Map() };
    const models = new Map(Array.from({ length: 1000 }, (_, index) => [`m${index}`, entry]));
    await writeFile(path.join(folder, 'hug.lock.json'), formatLock({ ...EMPTY_LOCK, models }));
    await writeFile(path.join(folder, 'hug.yaml'), '');
    const fifo = path.join(folder, 'fifo');
    await promisify(execFile)('mkfifo', [fifo]);
    const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    const read = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const command = [process.execPath, '--import', import.meta.resolve('tsx'), BIN, 'ls', '--json'];
    // Standard output itself would be made to wait when the process starts.
    const child = spawn('/bin/sh', ['-c', 'exec "$0" "$@" >&3', ...command], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'ignore', fd],
    });
    closeSync(fd);
    const exited = once(child, 'exit');
    await sleep(2_000);
    const parts: Buffer[] = await new Socket({ fd: read, writable: false }).toArray();
    expect(await exited).toEqual([0, null]);
    const { entries }: { entries: unknown[] } = JSON.parse(Buffer.concat(parts).toString());
    expect(entries).toHaveLength(models.size);
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

describe('an empty HOME', () => {
  it('is an error, and no cache in the working directory', async () => {
    const { folder } = await project();
    const env = { HOME: '', HF_HOME: undefined, XDG_CACHE_HOME: undefined };
    const run = (...argv: string[]) =>
      ended(
        spawn(process.execPath, ['--import', import.meta.resolve('tsx'), BIN, ...argv], {
          cwd: folder,
          env: { ...process.env, ...env },
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      );
    const { status, stderr } = await run('lock');
    expect([status, stderr]).toEqual([
      1,
      'error EHUG_FILE_SYSTEM: there is no home folder: HOME is empty or relative\n' +
        'hint: Set HOME to the full path of a folder.\n',
    ]);
    expect(await readdir(folder)).toEqual(['hug.yaml']);
    expect((await run('--version')).status).toBe(0);
  });
});

describe('a deleted working directory', () => {
  /** The command as it is built: what runs the sources cannot do without a working directory. */
  const launch = path.join(import.meta.dirname, '..', 'dist', 'launch.cjs');

  /** Runs nix-hug in a folder that is deleted before it starts. */
  async function runNowhere(...argv: readonly string[]) {
    const command = ['rmdir "$PWD" && exec "$0" "$@"', process.execPath, launch, ...argv];
    const cwd = await tempFolder('gone');
    return ended(spawn('/bin/sh', ['-c', ...command], { cwd, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  it('is an error of its own', async () => {
    const { status, stderr } = await runNowhere('lock', '--check');
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^error EHUG_FILE_SYSTEM: there is no working directory: .*\nhint: /u),
    ]);
    expect(stderr).not.toContain(' at ');
  });

  it('is not needed by what names another, or none', async () => {
    const { folder, run } = await project();
    await run(['lock']);
    expect((await runNowhere('-C', folder, 'lock', '--check')).status).toBe(0);
    expect((await runNowhere('--version')).status).toBe(0);
  });
});
