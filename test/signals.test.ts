import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { formatLock } from '../src/lock/codec.ts';
import { cachedProject, fillCache } from './support/cached-project.ts';
import { type Hub, lfs, startHub } from './support/hub/index.ts';
import { inject } from './support/inject.ts';
import { storeObjects } from './support/isolated-store.ts';
import { lockedEntry, lockedFile, lockOf } from './support/locks.ts';
import { createProject } from './support/project.ts';
import { BIN, spawnCli } from './support/spawn-cli.ts';
import { stall } from './support/stall.ts';
import { describeWith, openTerminal } from './support/terminal.ts';

const MANIFEST = 'models: { a: org/name }';
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  const repo = await hub.createRepo({ type: 'model', id: 'org/name' });
  await repo.commit({ files: { 'config.json': '{}', 'w.bin': lfs('weights') } });
});
afterAll(() => hub.close());

/** A command that waits, and will wait longer than a test may last. */
type Waiting = () => Promise<ChildProcess>;

async function locking(): Promise<ChildProcess> {
  const { folder } = await createProject(hub.endpoint, MANIFEST);
  const env = { HF_ENDPOINT: hub.endpoint, HF_HOME: '/nonexistent' };
  return spawnCli(['lock'], { cwd: folder, env }).child;
}

/** Waits until a command writes a text to stderr. */
async function saying({ stderr }: ChildProcess, text: string): Promise<void> {
  let said = '';
  stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  while (!said.includes(text)) await sleep(10);
}

const WAITING: Readonly<Record<string, Waiting>> = {
  'a Hub that does not answer': async () => {
    const stalled = stall(hub, '/tree/');
    const child = await locking();
    await stalled();
    return child;
  },

  'the time that a Hub asks for': async () => {
    const headers = { 'retry-after': '200' };
    inject(hub, { match: '/revision/', fault: { kind: 'status', status: 429, headers } });
    const child = await locking();
    await saying(child, 'waiting 200 s');
    return child;
  },

  'a Nix that hangs and ignores signals': async () => {
    const { folder, run } = await createProject(hub.endpoint, MANIFEST);
    expect((await run(['lock'])).status).toBe(0);
    const tool = path.join(folder, 'bin', 'nix-instantiate');
    await mkdir(path.dirname(tool));
    await writeFile(tool, `#!/bin/sh\ntrap '' INT TERM HUP\necho $$ >pid\nexec sleep 600\n`);
    await chmod(tool, 0o755);
    const env = { PATH: `${path.dirname(tool)}:/usr/bin:/bin`, HF_HOME: folder };
    const { child } = spawnCli(['fetch'], { cwd: folder, env });
    let pid = '';
    while (pid === '') {
      await sleep(10);
      pid = await readFile(path.join(folder, 'pid'), 'utf8').catch(() => '');
    }
    onTestFinished(() => void process.kill(Number(pid), 'SIGKILL'));
    return child;
  },

  'a reader of its result that does not read': async () => {
    const { folder, writeLock } = await createProject('', MANIFEST);
    const files = Array.from({ length: 20_000 }, (_, name) => [`${name}`, lockedFile()] as const);
    await writeLock(formatLock(lockOf({ a: lockedEntry({ files: new Map(files) }) })));
    const command = ['--import', import.meta.resolve('tsx'), BIN, 'ls', 'a', '--json'];
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    const child = spawn(process.execPath, command, { cwd: folder, stdio: [...stdio] });
    await once(child.stdout, 'readable');
    return child;
  },
};

describe.each(Object.entries(WAITING))('a command that waits for %s', (_name, start) => {
  it.each(SIGNALS)('ends with 130 after %s', async (signal) => {
    const child = await start();
    onTestFinished(() => void child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    child.kill(signal);
    expect(await exited).toEqual([130, null]);
  });
});

describeWith(['tmux'], 'a question', () => {
  it('ends with 130 after Ctrl-C, and nothing is imported', async () => {
    const made = await cachedProject(hub, MANIFEST);
    await fillCache(made);
    const script = `trap : INT; "$0" --import "$1" "$2" import-all; echo "status $?"; exec sleep 600`;
    const terminal = await openTerminal({
      command: ['sh', '-c', script, process.execPath, import.meta.resolve('tsx'), BIN],
      cwd: made.folder,
      env: { ...made.env, HOME: made.home },
    });
    onTestFinished(() => terminal.close());
    await terminal.until(/\[y\/N\]/iu);
    await terminal.press('C-c');
    await terminal.until('status 130');
    expect(await storeObjects(made.store)).toEqual([]);
  });
});
