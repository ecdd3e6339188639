import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/**
 * How long it takes to list a Hugging Face cache of 2,000 snapshots in 400 repositories: nix-hug,
 * with and without Nix to ask, and the official client, one after the other in each round.
 *
 *     npm run build && npm run bench:scan
 *     BENCH_ROUNDS=9 npm run bench:scan
 */
const REPOS = 400;
const SNAPSHOTS = 5;
/** Of each snapshot; two are LFS files, half of the others change with every commit. */
const FILES = 10;
const MIB = 1024 ** 2;

const { env } = process;
const rounds = Number(env['BENCH_ROUNDS'] ?? 5);
const root = path.join(import.meta.dirname, '..', '..', '..');
const bin = path.join(root, '.cache/python/newest/bin');
const scan = [process.execPath, path.join(root, 'dist/bin.js'), 'scan', '--json'];

/** A command, and where it looks for programs. */
interface Contender {
  readonly argv: readonly string[];
  readonly path: string;
}

/** One run of one contender. */
interface Run {
  readonly seconds: number;
  /** Peak memory in bytes. */
  readonly peak: number;
}

const CONTENDERS: Readonly<Record<string, Contender>> = {
  'nix-hug scan': { argv: scan, path: env['PATH'] ?? '' },
  'nix-hug scan, no Nix': { argv: scan, path: '/nonexistent' },
  'hf cache ls': { argv: [path.join(bin, 'hf'), 'cache', 'ls'], path: env['PATH'] ?? '' },
};

/** Fills a cache as the official client does. */
async function fill(cache: string): Promise<void> {
  for (let repo = 0; repo < REPOS; repo += 1) {
    const folder = path.join(cache, `models--org-${repo % 40}--name-${repo}`);
    for (const part of ['blobs', 'refs', 'trees']) {
      await mkdir(path.join(folder, part), { recursive: true });
    }
    for (let snapshot = 0; snapshot < SNAPSHOTS; snapshot += 1) {
      const rev = digest('sha1', `${repo} ${snapshot}`);
      const target = path.join(folder, 'snapshots', rev);
      await mkdir(path.join(target, 'onnx'), { recursive: true });
      for (let file = 0; file < FILES; file += 1) {
        const content = `${repo} ${file} ${file % 2 === 0 ? snapshot : ''}`;
        const blob = digest(file < 2 ? 'sha256' : 'sha1', content);
        await writeFile(path.join(folder, 'blobs', blob), content);
        const isNested = file === FILES - 1;
        await symlink(
          `${isNested ? '../' : ''}../../blobs/${blob}`,
          path.join(target, isNested ? 'onnx/config.json' : `file-${file}.json`),
        );
      }
      await writeFile(path.join(folder, 'refs', snapshot === 0 ? 'main' : `v${snapshot}.0`), rev);
    }
  }
}

const digest = (algorithm: string, text: string): string =>
  createHash(algorithm).update(text).digest('hex');

async function run({ argv, path: searched }: Contender, folder: string): Promise<Run> {
  const { stdout } = await promisify(execFile)(
    path.join(bin, 'python'),
    [path.join(root, 'bench/measure.py'), ...argv],
    {
      env: {
        PATH: searched,
        HOME: folder,
        HF_HUB_CACHE: path.join(folder, 'hub'),
        HF_HUB_DISABLE_TELEMETRY: '1',
        HF_HUB_OFFLINE: '1',
      },
    },
  );
  return JSON.parse(stdout);
}

/** The middle run by time, with the highest peak of all. */
function summary(runs: readonly Run[]): Run {
  const seconds = runs.map((each) => each.seconds).toSorted((a, b) => a - b);
  return {
    seconds: seconds[Math.floor(seconds.length / 2)] ?? NaN,
    peak: Math.max(...runs.map(({ peak }) => peak)),
  };
}

if (!existsSync(bin)) throw new Error('Run scripts/setup-python.sh first');
const folder = await mkdtemp(path.join(env['BENCH_DIR'] ?? tmpdir(), 'nix-hug-bench-'));
try {
  await fill(path.join(folder, 'hub'));
  const runs = new Map<string, Run[]>(Object.keys(CONTENDERS).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, contender] of Object.entries(CONTENDERS)) {
      runs.get(name)?.push(await run(contender, folder));
    }
  }
  console.log(
    `scan of ${REPOS * SNAPSHOTS} snapshots of ${FILES} files in ${REPOS} repositories, median of ${rounds}`,
  );
  const ours = summary(runs.get('nix-hug scan') ?? []).seconds;
  for (const [name, all] of runs) {
    const { seconds, peak } = summary(all);
    const cells = [
      name.padEnd(20),
      `${seconds.toFixed(2).padStart(5)} s`,
      `${(seconds / ours).toFixed(2).padStart(5)} × ours`,
      `${(peak / MIB).toFixed(0).padStart(4)} MiB peak`,
    ];
    console.log(`  ${cells.join('   ')}`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
