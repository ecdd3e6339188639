import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { type Comparison, PYTHON, ROOT } from './compare.ts';
import { benchEvaluate } from './evaluate.ts';
import { benchExchange } from './exchange.ts';
import { benchFetch } from './fetch.ts';
import { benchLock, benchStart } from './lock.ts';
import { benchScan } from './scan.ts';

/**
 * Measures what the tests do not time, and prints tables in Markdown. Ratios within one run count,
 * not the figures themselves.
 *
 *     npm run bench                                   every section
 *     npm run bench -- lock evaluate                  some
 *     BENCH_GIB=1 BENCH_ROUNDS=3 BENCH_DIR=/var/tmp npm run bench
 */
const { env } = process;
const rounds = Number(env['BENCH_ROUNDS'] ?? 5);
const gib = Number(env['BENCH_GIB'] ?? 4);

const SECTIONS: Readonly<Record<string, () => AsyncGenerator<Comparison>>> = {
  lock: () => benchLock({ rounds }),
  start: () => benchStart({ rounds }),
  evaluate: () => benchEvaluate({ rounds }),
  scan: () => benchScan({ rounds }),
  fetch: () => benchFetch({ rounds, gib }),
  exchange: () => benchExchange({ rounds, gib }),
};

function print({ title, head, rows }: Comparison): void {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, index) => (index === 0 ? '---' : '--:'));
  console.log(['', `${title}:`, '', ...[head, rule, ...rows].map(line)].join('\n'));
}

if (!existsSync(PYTHON)) throw new Error('Run scripts/setup-python.sh first');
const { bavail, bsize } = await statfs(env['BENCH_DIR'] ?? tmpdir());
if (bavail * bsize < 3 * gib * 1024 ** 3) throw new Error('Too little free disk space');

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in SECTIONS));
if (unknown.length > 0) throw new Error(`No section ${unknown.join(', ')}`);
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
  cwd: ROOT,
  encoding: 'utf8',
});
console.log(
  `Commit ${commit.trim()}, Node ${process.versions.node}, ${availableParallelism()} cores.`,
);
for (const [name, section] of Object.entries(SECTIONS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for await (const comparison of section()) print(comparison);
}
