import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/** The folder of the repository. */
export const ROOT = path.join(import.meta.dirname, '..');

/** The newest official client, see `scripts/setup-python.sh`. */
export const PYTHON = path.join(ROOT, '.cache/python/newest/bin/python');

/** A built checkout of nix-hug. */
export interface Build {
  /** What tells it from another build in a table; empty when there is only one. */
  readonly label: string;
  readonly folder: string;
  /** Node and the file of the command, to which arguments are added. */
  readonly command: readonly [node: string, file: string];
}

/** What to measure, and how often. */
export interface BenchOptions {
  readonly rounds: number;
  /** Size of the large file in GiB. */
  readonly gib: number;
  /** This build; before it the earlier one of `--against`. */
  readonly builds: readonly [Build, ...Build[]];
  /** Whether an earlier build is compared: then other programs and long cases are left out. */
  readonly isAgainst: boolean;
}

/** A process to be measured. */
export interface Invocation {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Runs after the process, outside of the measured time. */
  readonly cleanUp?: () => Promise<void>;
}

/** One of several ways to do the same work. */
export interface Contender {
  readonly name: string;
  /** Makes ready, outside of the measured time. */
  readonly prepare: (folder: string) => Promise<Invocation>;
  /** What is done, and the name of the contender that does it with an earlier build. */
  readonly before?: { readonly task: string; readonly name: string };
}

/** The work, and how often it is done. */
export interface Work {
  readonly title: string;
  /** Size of the work in bytes, for a rate. */
  readonly bytes?: number;
  readonly rounds: number;
  /** What to compare with that was not measured but computed. */
  readonly floor?: { readonly name: string; readonly seconds: number };
}

interface Run {
  readonly seconds: number;
  /** Seconds that processors worked for it. */
  readonly cpu: number;
  /** Peak memory of the largest process in bytes. */
  readonly peak: number;
}

/** One table of the report. */
export interface Comparison {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Figures of this build divided by those of the earlier one. */
  readonly toBefore: readonly {
    readonly task: string;
    readonly time: number;
    readonly cpu: number;
  }[];
}

const MIB = 1024 ** 2;

/** The build of a checkout. */
export function buildIn(folder: string, label: string): Build {
  const { bin } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const file = path.join(folder, bin['nix-hug']);
  if (!existsSync(file)) throw new Error(`There is no ${file}: run \`make build\` in ${folder}`);
  return { label, folder, command: [process.execPath, file] };
}

/** The same work by each build. */
export function contendersOf(
  builds: readonly Build[],
  name: string,
  prepare: (build: Build) => Contender['prepare'],
): Contender[] {
  const nameOf = ({ label }: Build) => (label === '' ? name : `${name}, ${label}`);
  const [first] = builds;
  return builds.map((build) => ({
    name: nameOf(build),
    prepare: prepare(build),
    ...(first === undefined || build === first
      ? {}
      : { before: { task: name, name: nameOf(first) } }),
  }));
}

/**
 * Measures contenders one after the other in each round, so that all of them meet the same noise.
 *
 * @returns medians, and their ratio to the first row: the floor, or the first contender
 */
export async function compare(work: Work, contenders: readonly Contender[]): Promise<Comparison> {
  const runs = contenders.map(({ name }) => ({ name, runs: new Array<Run>() }));
  for (let round = 0; round < work.rounds; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      runs[index]?.runs.push(await measure(contender));
    }
  }
  const measured = runs.map(({ name, runs: all }) => ({ name, ...summary(all) }));
  const rows = [
    ...(work.floor === undefined ? [] : [{ ...work.floor, cpu: NaN, peak: NaN }]),
    ...measured,
  ];
  const first = rows[0]?.seconds ?? NaN;
  const { bytes } = work;
  return {
    toBefore: contenders.flatMap(({ name, before }) => {
      const now = measured.find((row) => row.name === name);
      const then = measured.find((row) => row.name === before?.name);
      if (before === undefined || now === undefined || then === undefined) return [];
      return [{ task: before.task, time: now.seconds / then.seconds, cpu: now.cpu / then.cpu }];
    }),
    title: `${work.title}; median of ${work.rounds}`,
    head: ['', 'time', ...(bytes === undefined ? [] : ['rate']), 'ratio', 'CPU', 'peak memory'],
    rows: rows.map(({ name, seconds, cpu, peak }) => [
      name,
      timeText(seconds),
      ...(bytes === undefined ? [] : [`${(bytes / MIB / seconds).toFixed(0)} MiB/s`]),
      (seconds / first).toFixed(2),
      Number.isNaN(cpu) ? '' : timeText(cpu),
      Number.isNaN(peak) ? '' : `${(peak / MIB).toFixed(0)} MiB`,
    ]),
  };
}

const timeText = (seconds: number): string =>
  seconds < 1 ? `${(seconds * 1_000).toFixed(0)} ms` : `${seconds.toFixed(2)} s`;

async function measure({ prepare }: Contender): Promise<Run> {
  const parent = process.env['BENCH_DIR'] ?? tmpdir();
  const folder = await mkdtemp(path.join(parent, 'nix-hug-bench-'));
  try {
    const { argv, env, cwd, cleanUp } = await prepare(folder);
    const measured = await promisify(execFile)(
      PYTHON,
      [path.join(ROOT, 'bench/measure.py'), ...argv],
      { env: { PATH: process.env['PATH'], HOME: folder, ...env }, cwd: cwd ?? folder },
    );
    await cleanUp?.();
    return JSON.parse(measured.stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Medians, and the highest peak of all. */
function summary(runs: readonly Run[]): Run {
  return {
    seconds: median(runs.map(({ seconds }) => seconds)),
    cpu: median(runs.map(({ cpu }) => cpu)),
    peak: Math.max(...runs.map(({ peak }) => peak)),
  };
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? NaN;
}
