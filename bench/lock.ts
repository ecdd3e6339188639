import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { formatLock } from '../src/lock/codec.ts';
import { LOCKFILE_VERSION } from '../src/lock/schema.ts';
import { lockedEntry, lockedFile, lockOf } from '../test/support/locks.ts';
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
/** What nix-hug does at once by default. */
const AT_ONCE = { api: 16, files: 8, git: 16 };
/** A commit, its tree, and two requests of git: each waits for the one before. */
const CHAIN = 4;
/** Of a manifest that many projects share. */
const ENTRIES = 5_000;
/** Of a repository without weights. */
const WIDE = [2_500, 100_000];

const exec = promisify(execFile);

/**
 * `lock` and `update` beside the time that latency alone takes: the requests that were made, divided
 * by how many are made at once.
 */
export async function* benchLock(options: BenchOptions): AsyncGenerator<Comparison> {
  const counts = options.isAgainst ? [50] : COUNTS;
  const offers = [...offersOf(Math.max(...counts)), ...adapterOffers()];
  yield* withHub(offers, async function* (hub) {
    for (const latency of [0, 100]) {
      await hub.setNetwork(latency);
      for (const count of counts) yield await lockAll(hub, count, latency, options);
    }
    await hub.setNetwork(100);
    yield await updateOne(hub, 50, options);
    yield await lockAdapters(hub, options);
  });
}

/** Adapters, with a few base models among them. */
const ADAPTERS = 50;
const BASES = 5;

const adapterOffers = (): Offer[] =>
  Array.from({ length: ADAPTERS }, (_, index) => ({
    id: `bench/adapter-${index}`,
    weights: { count: 1, size: 1024 },
    plain: 2,
    base: `bench/model-${index % BASES}`,
  }));

/** `lock` of adapters, which locks their base models too; an earlier build locks the adapters alone. */
async function lockAdapters(hub: BenchHub, { rounds, builds }: BenchOptions): Promise<Comparison> {
  const ids = Array.from({ length: ADAPTERS }, (_, index) => `bench/adapter-${index}`);
  const prepare = (build: Build) => (folder: string) => inFolder(hub, build, folder, ids, ['lock']);
  const counted = await requestsOf(hub, prepare(builds.at(-1) ?? builds[0]));
  const title = `\`lock\` of ${ADAPTERS} adapters of ${BASES} base models, 100 ms latency, ${shown(counted)}`;
  return compare(
    { title, rounds, ...floorOf(counted, 100) },
    contendersOf(builds, 'nix-hug lock', prepare),
  );
}

/** `lock` and `lock --check` of one repository of plain files. */
export async function* benchPlain({ rounds, builds }: BenchOptions): AsyncGenerator<Comparison> {
  const offers = WIDE.map((plain) => ({
    id: `bench/model-${plain}`,
    weights: { count: 0, size: 0 },
    plain,
  }));
  // Before there were packs, this took a minute, and an hour.
  const [build] = builds.slice(-1);
  if (build === undefined) return;
  yield* withHub(offers, async function* (hub) {
    await hub.setNetwork(100);
    for (const plain of WIDE) {
      const ids = [`bench/model-${plain}`];
      const prepare = (folder: string) => inFolder(hub, build, folder, ids, ['lock']);
      const counted = await requestsOf(hub, prepare);
      yield await compare(
        {
          title: `\`lock\` of ${plain} plain files, 100 ms latency, ${shown(counted)}`,
          rounds: plain > 10_000 ? 1 : rounds,
          floor: { name: 'latency alone', seconds: (counted.api + counted.git) / 10 },
        },
        [
          { name: 'nix-hug lock', prepare },
          {
            name: 'nix-hug lock --check',
            prepare: async (folder) => {
              await run(await prepare(folder), folder);
              return inFolder(hub, build, folder, ids, ['lock', '--check']);
            },
          },
        ],
      );
    }
  });
}

/** Commands that make no request, beside the start of Node. */
export async function* benchStart(options: BenchOptions): AsyncGenerator<Comparison> {
  yield* withHub(offersOf(50), async function* (hub) {
    yield await lockNothing(hub, 50, options);
  });
  yield await checkMany(options);
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
  return compare({ title, rounds, ...floorOf(counted, latency) }, [
    { name: 'git fetch of each, 16 at once', prepare: (folder) => fetchAll(hub, folder, count) },
    ...contendersOf(builds, 'nix-hug lock', prepare),
  ]);
}

/** What git alone takes for the packs of all models, without what comes before and after. */
async function fetchAll(
  { endpoint }: BenchHub,
  folder: string,
  count: number,
): Promise<Invocation> {
  const script = `git init -q --bare "$0/$1" && git -C "$0/$1" fetch -q --depth 1 "${endpoint}/bench/model-$1" main`;
  const numbers = [...Array.from({ length: count }).keys()].join('\n');
  await writeFile(path.join(folder, 'numbers'), `${numbers}\n`);
  const xargs = `xargs -P ${AT_ONCE.git} -I {} sh -c '${script}' "$0" {} < "$0/numbers"`;
  return { argv: ['sh', '-c', xargs, folder] };
}

/** `update` when one of many repositories has a new commit, which changes one small file. */
async function updateOne(
  hub: BenchHub,
  count: number,
  { rounds, builds }: BenchOptions,
): Promise<Comparison> {
  const locked = await mkdtemp(path.join(tmpdir(), 'nix-hug-bench-'));
  // Each build by its own lock: an earlier one may write another version of the format.
  const lockFileOf = ({ label }: Build) => path.join(locked, `${label}.json`);
  try {
    for (const build of builds) {
      await run(await inProject(hub, build, locked, count, ['lock']), locked);
      await rename(path.join(locked, 'hug.lock.json'), lockFileOf(build));
    }
    await hub.commit('bench/model-7');
    const prepare = (build: Build) => async (folder: string) => {
      await copyFile(lockFileOf(build), path.join(folder, 'hug.lock.json'));
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

/** Commands that read a manifest and a lock of many entries, of four files each. */
async function checkMany({ rounds, builds, isAgainst }: BenchOptions): Promise<Comparison> {
  const ids = Array.from({ length: ENTRIES }, (_, index) => `bench/model-${index}`);
  const entries = ids.map((repo, model) => {
    const files = [0, 1, 2, 3].map(
      (file) => [`file-${file}.bin`, lockedFile(`${model}-${file}`, { lfs: true })] as const,
    );
    return [`m${model}`, lockedEntry({ repo, files: new Map(files) })] as const;
  });
  const lock = lockOf(Object.fromEntries(entries), {
    lockfileVersion: isAgainst ? 1 : LOCKFILE_VERSION,
  });
  const manifest = ids.map((id, index) => `  m${index}: ${id}\n`).join('');
  const withBoth = (argv: readonly string[]) =>
    contendersOf(builds, `nix-hug ${argv.join(' ')}`, ({ command }) => async (folder) => {
      await writeFile(path.join(folder, 'hug.yaml'), `models:\n${manifest}`);
      await writeFile(path.join(folder, 'hug.lock.json'), formatLock(lock));
      return { argv: [...command, '--quiet', ...argv] };
    });
  return compare({ title: `${ENTRIES} entries of 4 files, with nothing to do`, rounds }, [
    { name: 'node -e 0', prepare: async () => ({ argv: [process.execPath, '-e', '0'] }) },
    ...[['lock', '--check'], ['ls']].flatMap(withBoth),
  ]);
}

/** A manifest of the first repositories, and a command in its folder. */
const inProject = (
  hub: BenchHub,
  build: Build,
  folder: string,
  count: number,
  argv: readonly string[],
) =>
  inFolder(
    hub,
    build,
    folder,
    Array.from({ length: count }, (_, index) => `bench/model-${index}`),
    argv,
  );

async function inFolder(
  { endpoint }: BenchHub,
  { command }: Build,
  folder: string,
  ids: readonly string[],
  argv: readonly string[],
) {
  const lines = ids.map((id, index) => `  m${index}: ${id}\n`);
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
function floorOf({ api, files, git }: RequestCount, latency: number) {
  if (latency === 0) return {};
  const { api: apiAtOnce, files: filesAtOnce, git: gitAtOnce } = AT_ONCE;
  const rounds = Math.max(api / apiAtOnce, files / filesAtOnce, git / gitAtOnce, CHAIN);
  return { floor: { name: 'latency alone', seconds: (rounds * latency) / 1_000 } };
}

const models = (count: number) => `${count} ${count === 1 ? 'model' : 'models'} of 20 files`;
const shown = ({ api, files, git }: RequestCount) =>
  `${api} API, ${files} file and ${git} git requests`;
