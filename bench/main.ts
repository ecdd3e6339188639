import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import {
  type BenchOptions,
  type Build,
  buildIn,
  type Comparison,
  PYTHON,
  ROOT,
} from './compare.ts';
import { benchBuild } from './build.ts';
import { benchEvaluate } from './evaluate.ts';
import { benchExchange } from './exchange.ts';
import { benchFetch } from './fetch.ts';
import { benchLock, benchPlain, benchStart } from './lock.ts';
import { benchScan } from './scan.ts';
import { benchRun, benchServe } from './serve.ts';

/**
 * Measures speed and memory, and prints tables in Markdown. Compare ratios within one run, not the
 * figures of different runs.
 *
 *     npm run bench                                   every section
 *     npm run bench -- lock evaluate                  some
 *     npm run bench -- --against DIR                  beside an earlier build, a built checkout
 *     BENCH_GIB=1 BENCH_ROUNDS=3 BENCH_DIR=/var/tmp npm run bench
 */
const SECTIONS: Readonly<Record<string, (options: BenchOptions) => AsyncGenerator<Comparison>>> = {
  lock: benchLock,
  plain: benchPlain,
  start: benchStart,
  evaluate: benchEvaluate,
  build: benchBuild,
  scan: benchScan,
  fetch: benchFetch,
  exchange: benchExchange,
  serve: benchServe,
  run: benchRun,
};

const { env } = process;
const { values, positionals } = parseArgs({
  options: { against: { type: 'string' } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !(name in SECTIONS));
if (unknown.length > 0) throw new Error(`No section ${unknown.join(', ')}`);

const { against } = values;
const options: BenchOptions = {
  rounds: Number(env['BENCH_ROUNDS'] ?? 5),
  gib: Number(env['BENCH_GIB'] ?? 4),
  builds:
    against === undefined
      ? [buildIn(ROOT, '')]
      : [buildIn(path.resolve(against), 'before'), buildIn(ROOT, 'now')],
  isAgainst: against !== undefined,
};

function print({ title, head, rows }: Omit<Comparison, 'toBefore'>): void {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, index) => (index === 0 ? '---' : '--:'));
  console.log(['', `${title}:`, '', ...[head, rule, ...rows].map(line)].join('\n'));
}

function commitOf({ label, folder }: Build): string {
  const argv = ['describe', '--always', '--dirty'];
  const commit = execFileSync('git', argv, { cwd: folder, encoding: 'utf8' }).trim();
  return label === '' ? commit : `${commit} (${label})`;
}

if (!existsSync(PYTHON)) throw new Error('Run scripts/setup-python.sh first');
const { bavail, bsize } = await statfs(env['BENCH_DIR'] ?? tmpdir());
if (bavail * bsize < 3 * options.gib * 1024 ** 3) throw new Error('Too little free disk space');

const commits = options.builds.map(commitOf).join(', ');
console.log(`Commit ${commits}, Node ${process.versions.node}, ${availableParallelism()} cores.`);
const ratios: string[][] = [];
for (const [name, section] of Object.entries(SECTIONS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  for await (const comparison of section(options)) {
    print(comparison);
    const { title, toBefore } = comparison;
    for (const { task, time, cpu } of toBefore) {
      ratios.push([title, task, time.toFixed(2), cpu.toFixed(2)]);
    }
  }
}
if (ratios.length > 0) {
  print({
    title: 'Now, divided by before',
    head: ['work', 'command', 'time', 'CPU'],
    rows: ratios,
  });
}
