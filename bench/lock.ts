import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { compare, type Comparison, type Contender, NIX_HUG } from './compare.ts';
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
export async function* benchLock({ rounds }: { rounds: number }): AsyncGenerator<Comparison> {
  yield* withHub(offersOf(Math.max(...COUNTS)), async function* (hub) {
    for (const latency of [0, 100]) {
      await hub.setLatency(latency);
      for (const count of COUNTS) yield await lockAll(hub, count, latency, rounds);
    }
    await hub.setLatency(100);
    yield await updateOne(hub, 50, rounds);
  });
}

/** What costs no request, beside Node's own start. */
export async function* benchStart({ rounds }: { rounds: number }): AsyncGenerator<Comparison> {
  yield* withHub(offersOf(50), async function* (hub) {
    yield await lockNothing(hub, 50, rounds);
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
  rounds: number,
): Promise<Comparison> {
  const counted = await requestsOf(hub, (folder) => inProject(hub, folder, count, ['lock']));
  const contender: Contender = {
    name: 'nix-hug lock',
    prepare: (folder) => inProject(hub, folder, count, ['lock']),
  };
  const title = `\`lock\` of ${models(count)}, ${latency} ms latency, ${shown(counted)}`;
  return compare({ title, rounds, ...floorOf(counted, latency) }, [contender]);
}

/** `update` when one of many repositories has a new commit, which changes one small file. */
async function updateOne(hub: BenchHub, count: number, rounds: number): Promise<Comparison> {
  const locked = await mkdtemp(path.join(tmpdir(), 'nix-hug-bench-'));
  try {
    const { argv, env } = await inProject(hub, locked, count, ['lock']);
    await exec(argv[0] ?? '', argv.slice(1), { env: { ...process.env, ...env }, cwd: locked });
    await hub.commit('bench/model-7');
    const prepare = async (folder: string) => {
      await copyFile(path.join(locked, 'hug.lock.json'), path.join(folder, 'hug.lock.json'));
      return inProject(hub, folder, count, ['update']);
    };
    const counted = await requestsOf(hub, prepare);
    const title = `\`update\` of ${models(count)} of which one moved, 100 ms latency, ${shown(counted)}`;
    return await compare({ title, rounds, ...floorOf(counted, 100) }, [
      { name: 'nix-hug update', prepare },
    ]);
  } finally {
    await rm(locked, { recursive: true, force: true });
  }
}

/** What every call costs that changes nothing. */
async function lockNothing(hub: BenchHub, count: number, rounds: number): Promise<Comparison> {
  const locked = async (folder: string, argv: readonly string[]) => {
    const invocation = await inProject(hub, folder, count, argv);
    const env = { ...process.env, ...invocation.env };
    await exec(NIX_HUG[0], [NIX_HUG[1], 'lock'], { env, cwd: folder });
    return invocation;
  };
  return compare(
    { title: `start-up, and \`lock\` of ${models(count)} with nothing to do`, rounds },
    [
      { name: 'node -e 0', prepare: async () => ({ argv: [process.execPath, '-e', '0'] }) },
      { name: 'nix-hug --help', prepare: async () => ({ argv: [...NIX_HUG, '--help'] }) },
      { name: 'nix-hug lock', prepare: (folder) => locked(folder, ['lock']) },
      { name: 'nix-hug lock --check', prepare: (folder) => locked(folder, ['lock', '--check']) },
    ],
  );
}

/** A manifest of the first repositories, and a command in its folder. */
async function inProject(
  { endpoint }: BenchHub,
  folder: string,
  count: number,
  argv: readonly string[],
) {
  const lines = Array.from({ length: count }, (_, index) => `  m${index}: bench/model-${index}\n`);
  await writeFile(path.join(folder, 'hug.yaml'), `models:\n${lines.join('')}`);
  return { argv: [...NIX_HUG, '--quiet', ...argv], env: { HF_ENDPOINT: endpoint } };
}

/** How many requests a command makes. */
async function requestsOf(hub: BenchHub, prepare: Contender['prepare']): Promise<RequestCount> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nix-hug-bench-'));
  try {
    const { argv, env } = await prepare(folder);
    await hub.count();
    await exec(argv[0] ?? '', argv.slice(1), { env: { ...process.env, ...env }, cwd: folder });
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
