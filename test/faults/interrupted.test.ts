import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import pLimit from 'p-limit';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { cachedProject, fillCache, isSound } from '../support/cached-project.ts';
import { addModels } from '../support/exports.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { spawnCli } from '../support/spawn-cli.ts';

const COMMANDS = [
  'lock',
  'fetch',
  'export',
  'export many',
  'export hf:org/two',
  'import',
  'add hf:org/two',
];

const RUNS = Math.ceil(Number(process.env['FAULT_RUNS']) / 3 / COMMANDS.length);

/** What a file that is written in one step, or held by a process, is called meanwhile. */
const SCRATCH = /\.tmp$|(?:^|\/)\.nix-hug\.|\.[\da-f-]{36}\.part$/u;

/** What happens to the command; the last two lose their reader. */
const EVENTS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGPIPE', 'stdout', 'stderr'] as const;

interface Moment {
  readonly event: (typeof EVENTS)[number];
  /** How much of its time has passed. */
  readonly percent: number;
  /** Milliseconds that it takes when nothing happens. */
  readonly duration: number;
}

const tally = { runs: 0, interrupted: 0 };
let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  await addModels(hub);
  const many = await hub.createRepo({ type: 'model', id: 'org/many' });
  const files = Array.from(
    { length: 40 },
    (_, index) => [`${index}.bin`, lfs(`${index}`)] as const,
  );
  await many.commit({ files });
});
afterAll(async () => {
  await hub.close();
  const { runs, interrupted } = tally;
  expect(interrupted, `of ${runs} runs so many ended with 130`).toBeGreaterThan(runs / 6);
});

/** A user with a store and a cache, and the command about to be run. */
async function prepare(command: string) {
  const argv = command.split(' ');
  // Many small files that the store has are all read at once.
  const isMany = argv[1] === 'many';
  const made = await cachedProject(
    hub,
    `models: { ${isMany ? 'many: org/many' : 'one: org/one'} }`,
  );
  if (isMany) await made.run(['fetch']);
  if (argv[0] === 'import') await fillCache(made);
  if (argv[0] === 'lock') await rm(path.join(made.folder, 'hug.lock.json'));
  const { folder, home, env } = made;
  const begin = () => spawnCli(argv, { cwd: folder, env, detached: true, isBuilt: true });
  return { made, folders: [folder, home], begin };
}

/** Processes of a group that are neither dead nor waiting to be buried. */
function aliveIn(group: number | undefined): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const [state, , owner] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(owner) === group && state !== 'Z';
    } catch {
      return false;
    }
  });
}

/** Has a process meet one of the events. */
function disturb(child: ChildProcess, event: (typeof EVENTS)[number]): void {
  if (event === 'stdout' || event === 'stderr') child[event]?.destroy();
  else child.kill(event);
}

it.each(COMMANDS)(
  '%s, interrupted at random moments, leaves no stack, no wrong status, no scratch',
  { timeout: 300_000 },
  async (command) => {
    const { begin } = await prepare(command);
    const began = performance.now();
    const { status, stderr } = await begin().ended;
    expect(status, stderr).toBe(0);
    const duration = performance.now() - began;
    const limit = pLimit(2);
    const moments = fc.sample(
      fc.noBias(fc.record({ event: fc.constantFrom(...EVENTS), percent: fc.nat(100) })),
      { seed: Number(process.env['FAULT_SEED']) + command.length, numRuns: RUNS },
    );
    await Promise.all(
      moments.map((moment) => limit(() => interruptOnce(command, { ...moment, duration }))),
    );
  },
);

async function interruptOnce(command: string, { event, percent, duration }: Moment): Promise<void> {
  const { made, folders, begin } = await prepare(command);
  const { child, ended } = begin();
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  ended.catch(() => 'one of its streams has no end');
  const exited = once(child, 'exit');
  await setTimeout((percent / 100) * duration);
  disturb(child, event);
  const [status, signal]: unknown[] = await exited;
  const what = `${event} after ${percent} % of ${duration} ms: ${said}`;
  tally.runs += 1;
  if (status === 130) tally.interrupted += 1;
  // Before the command has begun, Node ends by the signal itself.
  if (signal === null) expect([0, 130], what).toContain(status);
  else expect([signal, said], what).toEqual([event, '']);
  expect(said, what).not.toMatch(/^ +at |EHUG_INTERNAL|Warning/mu);
  while (aliveIn(child.pid).length > 0) await setTimeout(10);
  const names = await Promise.all(folders.map((folder) => readdir(folder, { recursive: true })));
  expect(
    names.flat().filter((name) => SCRATCH.test(name)),
    what,
  ).toEqual([]);
  expect(await isSound(made), what).toBe(true);
}
