import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { ended, type Ended } from './ended.ts';

/** A run of nix-hug in a process of its own. */
export interface SpawnedCli {
  readonly child: ChildProcess;
  /** How it ended. */
  readonly ended: Promise<Ended>;
}

/** How a process starts. */
export interface SpawnOptions {
  readonly cwd: string;
  /** Beside the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Has it lead a process group of its own. */
  readonly detached?: boolean;
  /** Another user to run as, in the group of the same number; only root can ask for one. */
  readonly uid?: number;
}

/** The program, to be run with tsx. */
export const BIN = path.join(import.meta.dirname, '..', '..', 'src', 'bin.ts');

/** Starts nix-hug from its sources. */
export function spawnCli(
  argv: readonly string[],
  { env, uid, ...options }: SpawnOptions,
): SpawnedCli {
  const tsx = import.meta.resolve('tsx');
  const child = spawn(process.execPath, ['--import', tsx, BIN, ...argv], {
    ...options,
    ...(uid === undefined ? {} : { uid, gid: uid }),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { child, ended: ended(child) };
}
