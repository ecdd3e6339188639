import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Offer, Ready, Served } from './hub.ts';

/**
 * How long it takes to bring files from a hub on this machine to disk: our download engine, the
 * official client and plain curl, one after the other in each round.
 *
 *     npm run bench
 *     BENCH_GIB=1 BENCH_ROUNDS=3 BENCH_DIR=/dev/shm npm run bench
 */
const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const { env } = process;
const rounds = Number(env['BENCH_ROUNDS'] ?? 3);
const largeSize = Math.round(Number(env['BENCH_GIB'] ?? 4) * GIB);
const root = path.join(import.meta.dirname, '..', '..', '..');
const python = path.join(root, '.cache/python/newest/bin/python');
const OFFICIAL =
  'import sys, huggingface_hub as h; h.snapshot_download(*sys.argv[1:2], revision=sys.argv[2])';

/** One run of one client. */
interface Run {
  readonly seconds: number;
  /** Peak memory in bytes. */
  readonly peak: number;
}

type Command = (served: Served, endpoint: string, folder: string) => Promise<readonly string[]>;

const CLIENTS: Readonly<Record<string, Command>> = {
  'nix-hug': async ({ files }, endpoint, folder) => {
    const list = path.join(folder, 'list.json');
    await writeFile(list, JSON.stringify(files));
    return [process.execPath, path.join(import.meta.dirname, 'engine.js'), endpoint, list, folder];
  },
  huggingface_hub: async ({ id, rev }) => [python, '-c', OFFICIAL, id, rev],
  curl: async ({ files }, _endpoint, folder) => {
    const list = path.join(folder, 'list.txt');
    const lines = files.map(({ url }, index) => `url=${url}\noutput=${folder}/${index}\n`);
    await writeFile(list, lines.join(''));
    return ['curl', '-sSfL', '--parallel', '--parallel-max', '8', '-K', list];
  },
};

async function run(command: Command, served: Served, endpoint: string): Promise<Run> {
  const folder = await mkdtemp(path.join(env['BENCH_DIR'] ?? tmpdir(), 'nix-hug-bench-'));
  try {
    const argv = await command(served, endpoint, folder);
    const measured = await promisify(execFile)(
      python,
      [path.join(root, 'bench/measure.py'), ...argv],
      {
        env: {
          PATH: env['PATH'],
          HOME: folder,
          HF_HOME: folder,
          HF_ENDPOINT: endpoint,
          HF_HUB_DISABLE_XET: '1',
          HF_HUB_DISABLE_PROGRESS_BARS: '1',
          HF_HUB_DISABLE_TELEMETRY: '1',
        },
      },
    );
    return JSON.parse(measured.stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The middle run by time, with the highest peak of all. */
function summary(runs: readonly Run[]): Run {
  const seconds = runs.map((each) => each.seconds).toSorted((a, b) => a - b);
  return {
    seconds: seconds[Math.floor(seconds.length / 2)] ?? NaN,
    peak: Math.max(...runs.map(({ peak }) => peak)),
  };
}

async function compare(served: Served, endpoint: string): Promise<void> {
  const names = Object.keys(CLIENTS);
  const runs = new Map<string, Run[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, command] of Object.entries(CLIENTS)) {
      runs.get(name)?.push(await run(command, served, endpoint));
    }
  }
  const bytes = served.files.reduce((sum, { size }) => sum + size, 0);
  const ours = summary(runs.get('nix-hug') ?? []).seconds;
  for (const name of names) {
    const { seconds, peak } = summary(runs.get(name) ?? []);
    const cells = [
      name.padEnd(16),
      `${seconds.toFixed(2).padStart(7)} s`,
      `${(bytes / MIB / seconds).toFixed(0).padStart(5)} MiB/s`,
      `${(seconds / ours).toFixed(2).padStart(5)} × ours`,
      `${(peak / MIB).toFixed(0).padStart(4)} MiB peak`,
    ];
    console.log(`  ${cells.join('   ')}`);
  }
}

if (!existsSync(python)) throw new Error('Run scripts/setup-python.sh first');
const { bavail, bsize } = await statfs(env['BENCH_DIR'] ?? tmpdir());
if (bavail * bsize < 2 * largeSize) throw new Error('Too little free disk space');

const offers: Offer[] = [
  { id: 'bench/large', count: 1, size: largeSize },
  { id: 'bench/many', count: 400, size: MIB },
];
const hub = fork(path.join(import.meta.dirname, 'hub.js'), [JSON.stringify(offers)]);
try {
  const ready = new Promise<Ready>((resolve) =>
    hub.once('message', (message: Ready) => resolve(message)),
  );
  const { endpoint, served } = await ready;
  for (const latency of [0, 50]) {
    hub.send(latency);
    await once(hub, 'message');
    for (const repo of served) {
      const [{ size } = { size: 0 }] = repo.files;
      console.log(
        `${repo.files.length} × ${size / MIB} MiB, ${latency} ms latency, median of ${rounds}`,
      );
      await compare(repo, endpoint);
    }
  }
} finally {
  hub.disconnect();
}
