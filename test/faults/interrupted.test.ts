import { spawn } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  type CachedProject,
  cachedProject,
  fillCache,
  isSound,
} from '../support/cached-project.ts';
import { addModels } from '../support/exports.ts';
import { type Hub, startHub } from '../support/hub/index.ts';
import { describeNix } from '../support/nix.ts';

/** The command as it is built, which has no other process. */
const LAUNCH = path.join(import.meta.dirname, '..', '..', 'dist', 'launch.cjs');

/** Runs of each command: 204 of all by default. */
const RUNS = Math.ceil(Number(process.env['FAULT_RUNS']) / 18);

interface Command {
  readonly argv: readonly string[];
  /** What has to be there, or must not be there, before. */
  readonly prepare?: (made: CachedProject) => Promise<unknown>;
}

const COMMANDS: readonly Command[] = [
  { argv: ['lock'], prepare: ({ folder }) => rm(path.join(folder, 'hug.lock.json')) },
  { argv: ['fetch'] },
  { argv: ['export'] },
  { argv: ['export', 'hf:org/two'] },
  { argv: ['import'], prepare: fillCache },
  { argv: ['add', 'hf:org/two'] },
];

const INTERRUPTIONS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGPIPE', 'closed output'] as const;

/** What is left of a file that is written in one step, and of a folder for one run. */
const TEMPORARY = /\.tmp$|(?:^|\/)(?:\.nix-hug\.|nix-hug-[^/]*$)/u;

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  await addModels(hub);
});
afterAll(() => hub.close());

/** The processes of a group that have not ended; nobody may have asked yet how the others ended. */
async function livingIn(group: number): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/u.test(name));
  const stats = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')),
  );
  // PID (NAME) STATE PARENT GROUP …, proc_pid_stat(5)
  const isLiving = new RegExp(`\\) [^Z] \\d+ ${group} `, 'u');
  return stats.filter((stat) => isLiving.test(stat));
}

describeNix('an interrupted command', () => {
  describe.skipIf(process.platform !== 'linux').each(COMMANDS)('$argv', ({ argv, prepare }) => {
    const moments = fc.sample(
      fc.noBias(
        fc.record({
          interruption: fc.constantFrom(...INTERRUPTIONS),
          requests: fc.nat(24),
          wait: fc.nat(argv[0] === 'import' ? 900 : 200),
        }),
      ),
      { seed: Number(process.env['FAULT_SEED']) + argv.join(' ').length, numRuns: RUNS },
    );

    it.each(moments)(
      'by $interruption after $requests requests and $wait ms leaves no stack, no wrong status, no process, no scratch',
      async ({ interruption, requests, wait }) => {
        const made = await cachedProject(hub, 'models: { one: org/one }');
        await prepare?.(made);
        hub.clearRequests();
        const child = spawn(process.execPath, [LAUNCH, ...argv], {
          cwd: made.folder,
          env: { ...process.env, ...made.env, HOME: made.home, TMPDIR: made.home },
          detached: true,
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        const group = child.pid ?? 0;
        let output = '';
        for (const stream of [child.stdout, child.stderr]) {
          stream.setEncoding('utf8').on('data', (text: string) => void (output += text));
        }
        const closed = new Promise((resolve) => {
          child.once('close', resolve);
        });
        onTestFinished(async () => {
          if ((await livingIn(group)).length > 0) process.kill(-group, 'SIGKILL');
        });
        // `import` makes no request.
        const isUnderWay = () =>
          argv[0] === 'import' || hub.requests.length >= Math.max(1, requests);
        while (!isUnderWay() && child.exitCode === null) await setTimeout(1);
        await setTimeout(wait);
        if (interruption === 'closed output') {
          child.stdout.destroy();
          child.stderr.destroy();
        } else child.kill(interruption);
        await closed;
        // Before the command runs, a signal ends Node itself. Node ignores SIGPIPE, and nobody has to read
        // what a command prints.
        const isBeforeStart = output === '' && child.signalCode === interruption;
        const endsEarly = interruption.startsWith('SIG') && interruption !== 'SIGPIPE';
        if (!isBeforeStart) expect(endsEarly ? [0, 130] : [0], output).toContain(child.exitCode);
        expect(output).not.toMatch(/^ +at |EHUG_INTERNAL|Warning/mu);
        // A tool of Nix that was told to stop still clears up.
        await expect.poll(() => livingIn(group), { timeout: 20_000 }).toEqual([]);
        const folders = [made.folder, made.home];
        const names = await Promise.all(folders.map((one) => readdir(one, { recursive: true })));
        expect(names.flat().filter((name) => TEMPORARY.test(name))).toEqual([]);
        expect(await isSound(made)).toBe(true);
      },
    );
  });
});
