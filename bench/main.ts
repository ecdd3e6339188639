import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { PYTHON } from './compare.ts';
import { benchFetch } from './fetch.ts';

/**
 * Measures what the tests do not time. Ratios within one run count, not the figures themselves.
 *
 *     npm run bench                                                  every section
 *     BENCH_GIB=1 BENCH_ROUNDS=5 BENCH_DIR=/var/tmp npm run bench -- fetch     one, with settings
 */
const { env } = process;
const rounds = Number(env['BENCH_ROUNDS'] ?? 3);
const gib = Number(env['BENCH_GIB'] ?? 4);

const SECTIONS: Readonly<Record<string, () => Promise<void>>> = {
  fetch: () => benchFetch({ rounds, gib }),
};

if (!existsSync(PYTHON)) throw new Error('Run scripts/setup-python.sh first');
const { bavail, bsize } = await statfs(env['BENCH_DIR'] ?? tmpdir());
if (bavail * bsize < 3 * gib * 1024 ** 3) throw new Error('Too little free disk space');

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in SECTIONS));
if (unknown.length > 0) throw new Error(`No section ${unknown.join(', ')}`);
for (const [name, run] of Object.entries(SECTIONS)) {
  if (wanted.length === 0 || wanted.includes(name)) await run();
}
