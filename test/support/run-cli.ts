import { setMaxListeners } from 'node:events';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { RetryPolicy } from '../../src/hub/retry.ts';
import { main } from '../../src/cli/main.ts';
import { collector } from './collector.ts';

/** How a run of the command line ended. */
export interface CliRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as JSON; throws when it is none. */
  readonly json: () => any;
}

/** The surroundings of a run; nothing of the real environment leaks in. */
export interface CliWorld {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Home folder; one that nobody can make unless it is set. */
  readonly home?: string;
  readonly signal?: AbortSignal;
  /** What the user types, at a terminal that shows what is written to stderr. */
  readonly typed?: Readable;
  /** Default: as many tries as users get, with waits of milliseconds. */
  readonly retry?: RetryPolicy;
  /** The present, in ms since 1970; default that of the clock. */
  readonly now?: number;
}

/** What forgets to say where its files go fails here, even as root. */
const NO_HOME = '/dev/null/home';

const IMPATIENT: RetryPolicy = { retries: 5, baseMs: 2, longestWaitMs: 5_000 };

/** Runs nix-hug in this process and collects what it writes. */
export async function runCli(argv: readonly string[], world: CliWorld): Promise<CliRun> {
  const stdout = collector();
  const stderr = collector();
  const signal = world.signal ?? new AbortController().signal;
  // As `bin.ts` does: every file that is read listens to it.
  setMaxListeners(0, signal);
  const status = await main(argv, {
    packageFolder: path.join(import.meta.dirname, '..', '..'),
    cwd: world.cwd,
    env: world.env ?? {},
    home: world.home ?? NO_HOME,
    stdout: stdout.stream,
    stderr: Object.assign(stderr.stream, { isTTY: world.typed !== undefined }),
    ...(world.typed === undefined ? {} : { stdin: Object.assign(world.typed, { isTTY: true }) }),
    signal,
    // Programs want a process with standard streams: `spawnCli`.
    runProgram: () => Promise.reject(new Error('no program runs in this process')),
    retry: world.retry ?? IMPATIENT,
    now: world.now,
  });
  return {
    status,
    stdout: stdout.text(),
    stderr: stderr.text(),
    json: () => JSON.parse(stdout.text()),
  };
}
