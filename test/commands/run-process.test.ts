import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ended } from '../support/ended.ts';
import { type HfUser, hfUser } from '../support/hf-user.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { BUILT, spawnCli } from '../support/spawn-cli.ts';
import { describeWith, openTerminal } from '../support/terminal.ts';
import { tempFolder } from '../support/temp.ts';

// What a program notices of nix-hug around it: nothing. The built command: `npm run build` comes first.

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  const repo = await hub.createRepo({ type: 'model', id: 'org/name' });
  await repo.commit({ files: { 'config.json': '{}', 'w.bin': lfs('weights') } });
});
afterAll(() => hub.close());

/** A user who has the view already, so that nix-hug itself says nothing. */
async function newUser(): Promise<HfUser> {
  const user = await hfUser(hub.endpoint, 'models: { a: org/name }');
  await user.run(['env']);
  return user;
}

/** Starts nix-hug in a process of its own. */
function startOf(
  user: HfUser,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const spawned = spawnCli(argv, { cwd: user.folder, env: { ...user.env, ...env }, isBuilt: true });
  onTestFinished(() => void spawned.child.kill('SIGKILL'));
  return spawned;
}

const start = async (argv: readonly string[]) => startOf(await newUser(), argv);

const run = async (...argv: readonly string[]) => (await start(['run', ...argv])).ended;
const runScript = (script: string, ...args: readonly string[]) =>
  run('--', '/bin/sh', '-c', script, ...args);

/** Writes a file that may or may not be executed. */
async function program(content: string, mode: number): Promise<string> {
  const file = path.join(await tempFolder('bin ä'), 'a program');
  await writeFile(file, content, { mode });
  return file;
}

describe('the exit status', () => {
  it.each([
    ['exit 0', 0],
    ['exit 7', 7],
    ['kill -KILL $$', 137],
    ['kill -SEGV $$', 139],
  ])('of a program that does %s is %i', async (script, status) => {
    expect(await runScript(script)).toMatchObject({ status, stderr: '' });
  });

  it('of a program that is not there is 127', async () => {
    for (const name of ['no such program', '/nonexistent/program', './none']) {
      const { status, stderr } = await run('--', name);
      expect(status).toBe(127);
      expect(stderr).toBe(
        `error EHUG_PROGRAM_NOT_FOUND: "${name}" was not found\nhint: ${
          name.includes('/')
            ? 'Check the path, and the program that its first line names.'
            : 'Check its name, and PATH.'
        }\n`,
      );
    }
  });

  it('of what cannot be executed is 126', async () => {
    for (const file of [await program('#!/bin/sh\n', 0o644), await tempFolder()]) {
      const { status, stderr } = await run('--', file);
      expect(status).toBe(126);
      expect(stderr).toContain('error EHUG_PROGRAM: ');
      expect(stderr).not.toContain(' at ');
    }
  });

  it('without a program is 2', async () => {
    for (const argv of [[], ['--'], ['--group', 'a', '--']]) {
      const { status, stderr } = await run(...argv);
      expect([status, stderr]).toEqual([2, expect.stringContaining('error EHUG_USAGE: ')]);
    }
  });
});

describe('a program', () => {
  it('gets every argument, also those that nix-hug knows', async () => {
    const args = ['--json', '-V', '--help', '', 'a b', 'ä', '--', '-C', 'help', '--group'];
    const { status, stdout } = await runScript('printf "<%s>" "$@"', 'sh', ...args);
    expect([status, stdout]).toEqual([0, args.map((arg) => `<${arg}>`).join('')]);
  });

  it('does not decide how errors of nix-hug are printed', async () => {
    const { stdout, stderr } = await run('--grup', 'x', '--', 'echo', '--json', 'help');
    expect([stdout, stderr]).toEqual(['', expect.stringContaining("unknown option '--grup'")]);
  });

  it('has all standard output to itself, also with --json', async () => {
    const { ended: end } = await start(['--json', 'run', '--', '/bin/echo', 'hello']);
    expect(await end).toMatchObject({ status: 0, stdout: 'hello\n', stderr: '' });
    const missing = await (await start(['--json', 'run', '--', '/nonexistent'])).ended;
    expect(JSON.parse(missing.stdout)).toMatchObject({ error: { code: 'EHUG_PROGRAM_NOT_FOUND' } });
  });

  it('writes more than a pipe holds, and waits for its reader', async () => {
    const script = `const { writeSync } = require('node:fs');
      for (let i = 0; i < 64; i += 1) writeSync(1, Buffer.alloc(65536, 120));`;
    const { status, stdout } = await run('--', process.execPath, '-e', script);
    expect([status, stdout.length]).toEqual([0, 64 * 65_536]);
  });

  it('reads standard input from its first byte, also when its view is made first', async () => {
    const user = await hfUser(hub.endpoint, 'models: { a: org/name }');
    const child = spawn(process.execPath, [BUILT, 'run', '--', '/bin/cat'], {
      cwd: user.folder,
      env: user.env,
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const text = 'line ü\n'.repeat(100_000);
    child.stdin.end(text);
    const { status, stdout } = await ended(child);
    expect([status, stdout === text]).toEqual([0, true]);
  });

  it('gets the environment of the user, and four variables', async () => {
    const argv = ['run', '--', '/bin/sh', '-c', 'PATH=/usr/bin:/bin; env'];
    const user = await newUser();
    const mine = { MINE: 'ö', HF_HUB_OFFLINE: '0', HF_TOKEN: 'hf_of_mine' };
    const { stdout } = await startOf(user, argv, mine).ended;
    const lines = new Set(stdout.split('\n'));
    const [cache = ''] = [...lines].flatMap((line) => /^HF_HUB_CACHE=(.*)$/u.exec(line)?.[1] ?? []);
    expect(cache).toContain(path.join(user.home, 'xdg', 'nix-hug', 'views'));
    for (const line of [
      'MINE=ö',
      'HF_TOKEN=hf_of_mine',
      `HF_HOME=${user.env['HF_HOME']}`,
      'HF_HUB_OFFLINE=1',
      `HUGGINGFACE_HUB_CACHE=${cache}`,
      `NIX_HUG_ENV=${cache}`,
    ]) {
      expect(lines).toContain(line);
    }
  });

  it('runs in the folder of --cwd, and finds a program of its PATH', async () => {
    const file = await program('#!/bin/sh\npwd -P\n', 0o755);
    const env = { PATH: path.dirname(file) };
    const user = await newUser();
    await mkdir(path.join(user.folder, 'inner'));
    const argv = ['-C', 'inner', 'run', '--', path.basename(file)];
    expect(await startOf(user, argv, env).ended).toMatchObject({
      status: 0,
      stdout: `${path.join(user.folder, 'inner')}\n`,
    });
  });

  it('may run nix-hug, which works as outside of it', async () => {
    const inner = [process.execPath, BUILT, 'scan', '--json'];
    const user = await newUser();
    const { stdout } = await startOf(user, ['run', '--', ...inner]).ended;
    expect(JSON.parse(stdout)).toMatchObject({ cache: user.cache, found: true });
  });
});

describe('a signal', () => {
  /** A program that says when it is ready, and what it got. */
  const waiting = async () => {
    const script = `for s in INT TERM HUP USR1 USR2 QUIT; do trap "echo got $s; exit 40" $s; done
      echo ready; while :; do /bin/sleep 0.1; done`;
    const spawned = await start(['run', '--', '/bin/sh', '-c', script]);
    if (spawned.child.stdout !== null) await once(spawned.child.stdout, 'readable');
    return spawned;
  };

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGQUIT'] as const)(
    '%s reaches the program, whose status counts',
    async (signal) => {
      const { child, ended: end } = await waiting();
      child.kill(signal);
      expect(await end).toMatchObject({
        status: 40,
        stdout: `ready\ngot ${signal.slice(3)}\n`,
        stderr: '',
      });
    },
  );

  it('does not end nix-hug before a program that ignores it', async () => {
    const script = `trap '' TERM; echo ready; /bin/sleep 6; exit 9`;
    const { child, ended: end } = await start(['run', '--', '/bin/sh', '-c', script]);
    if (child.stdout !== null) await once(child.stdout, 'readable');
    child.kill('SIGTERM');
    await sleep(100);
    child.kill('SIGTERM');
    expect(await end).toMatchObject({ status: 9 });
  });
});

describeWith(['tmux'], 'on a terminal', () => {
  it('Ctrl-C reaches the program once, and nix-hug waits for it', async () => {
    const user = await newUser();
    const file = path.join(await tempFolder(), 'signals');
    const inner = `trap 'echo INT >>${file}' INT; test -t 0 && echo ready; n=0
      while [ $n -lt 20 ]; do /bin/sleep 0.1; test -s ${file} && n=$((n+1)); done; exit 5`;
    const outer = `trap : INT; "$0" "$1" run -- /bin/sh -c "$2"; echo "status $?"; exec /bin/sleep 600`;
    const terminal = await openTerminal({
      command: ['/bin/sh', '-c', outer, process.execPath, BUILT, inner],
      cwd: user.folder,
      env: { ...user.env, PATH: process.env['PATH'] ?? '', HOME: user.home },
    });
    onTestFinished(() => terminal.close());
    await terminal.until('ready');
    await terminal.press('C-c');
    await terminal.until('status 5');
    expect(await readFile(file, 'utf8')).toBe('INT\n');
  });
});
