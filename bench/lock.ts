import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  type BenchOptions,
  type Build,
  compare,
  type Comparison,
  type Contender,
  contendersOf,
  type Invocation,
} from './compare.ts';
import { type BenchHub, withHub } from './hub-process.ts';
import type { Offer, RequestCount } from './hub.ts';

const COUNTS = [1, 50, 500];
/** Of each model: 10 plain files and 10 weights. */
const PLAIN = 10;
/** What nix-hug does at once by default, SPEC section 4. */
const AT_ONCE = { api: 16, files: 8 };
/** A commit, its tree, and a small file behind a redirect: each waits for the one before. */
const CHAIN = 4;

const exec = promisify(execFile);

/**
 * `lock` and `update` beside the time that latency alone takes: the requests that were made, divided
 * by how many are made at once.
 */
export async function* benchLock(options: BenchOptions): AsyncGenerator<Comparison> {
  const counts = options.isAgainst ? [50] : COUNTS;
  yield* withHub(offersOf(Math.max(...counts)), async function* (hub) {
    for (const latency of [0, 100]) {
      await hub.setLatency(latency);
      for (const count of counts) yield await lockAll(hub, count, latency, options);
    }
    await hub.setLatency(100);
    yield await updateOne(hub, 50, options);
  });
}

/** Commands that make no request, beside the start of Node. */
export async function* benchStart(options: BenchOptions): AsyncGenerator<Comparison> {
  yield* withHub(offersOf(50), async function* (hub) {
    yield await lockNothing(hub, 50, options);
  });
}

const offersOf = (count: number): Offer[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `bench/model-${index}`,
    weights: { count: PLAIN, size: 1024 },
    plain: PLAIN,
  }));

async function lockAll(
  hub: BenchHub,
  count: number,
  latency: number,
  { rounds, builds }: BenchOptions,
): Promise<Comparison> {
  const prepare = (build: Build) => (folder: string) =>
    inProject(hub, build, folder, count, ['lock']);
  const counted = await requestsOf(hub, prepare(builds.at(-1) ?? builds[0]));
  const title = `\`lock\` of ${models(count)}, ${latency} ms latency, ${shown(counted)}`;
  return compare(
    { title, rounds, ...floorOf(counted, latency) },
    contendersOf(builds, 'nix-hug lock', prepare),
  );
}

/** `update` when one of many repositories has a new commit, which changes one small file. */
async function updateOne(
  hub: BenchHub,
  count: number,
  { rounds, builds }: BenchOptions,
): Promise<Comparison> {
  const locked = await mkdtemp(path.join(tmpdir(), 'nix-hug-bench-'));
  try {
    await run(await inProject(hub, builds[0], locked, count, ['lock']), locked);
    await hub.commit('bench/model-7');
    const prepare = (build: Build) => async (folder: string) => {
      await copyFile(path.join(locked, 'hug.lock.json'), path.join(folder, 'hug.lock.json'));
      return inProject(hub, build, folder, count, ['update']);
    };
    const counted = await requestsOf(hub, prepare(builds.at(-1) ?? builds[0]));
    const title = `\`update\` of ${models(count)} of which one moved, 100 ms latency, ${shown(counted)}`;
    return await compare(
      { title, rounds, ...floorOf(counted, 100) },
      contendersOf(builds, 'nix-hug update', prepare),
    );
  } finally {
    await rm(locked, { recursive: true, force: true });
  }
}

/** What every call costs that changes nothing. */
async function lockNothing(
  hub: BenchHub,
  count: number,
  { rounds, builds }: BenchOptions,
): Promise<Comparison> {
  const locked = (argv: readonly string[]) =>
    contendersOf(builds, `nix-hug ${argv.join(' ')}`, (build) => async (folder) => {
      await run(await inProject(hub, build, folder, count, ['lock']), folder);
      return inProject(hub, build, folder, count, argv);
    });
  return compare({ title: `start-up, and ${models(count)} with nothing to do`, rounds }, [
    { name: 'node -e 0', prepare: async () => ({ argv: [process.execPath, '-e', '0'] }) },
    ...contendersOf(builds, 'nix-hug --help', ({ command }) => async () => ({
      argv: [...command, '--help'],
    })),
    ...[['lock'], ['lock', '--check'], ['ls']].flatMap(locked),
  ]);
}

/** A manifest of the first repositories, and a command in its folder. */
async function inProject(
  { endpoint }: BenchHub,
  { command }: Build,
  folder: string,
  count: number,
  argv: readonly string[],
) {
  const lines = Array.from({ length: count }, (_, index) => `  m${index}: bench/model-${index}\n`);
  await writeFile(path.join(folder, 'hug.yaml'), `models:\n${lines.join('')}`);
  return { argv: [...command, '--quiet', ...argv], env: { HF_ENDPOINT: endpoint } };
}

async function run({ argv, env }: Invocation, cwd: string): Promise<void> {
  const [program = '', ...args] = argv;
  await exec(program, args, { env: { ...process.env, ...env }, cwd });
}

/** How many requests a command makes. */
async function requestsOf(hub: BenchHub, prepare: Contender['prepare']): Promise<RequestCount> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nix-hug-bench-'));
  try {
    const invocation = await prepare(folder);
    await hub.count();
    await run(invocation, folder);
    return await hub.count();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** There is no floor without latency. */
function floorOf({ api, files }: RequestCount, latency: number) {
  if (latency === 0) return {};
  const rounds = Math.max(api / AT_ONCE.api, files / AT_ONCE.files, CHAIN);
  return { floor: { name: 'latency alone', seconds: (rounds * latency) / 1_000 } };
}

const models = (count: number) => `${count} ${count === 1 ? 'model' : 'models'} of 20 files`;
const shown = ({ api, files }: RequestCount) => `${api} API and ${files} file requests`;
