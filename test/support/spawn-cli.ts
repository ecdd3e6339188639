import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { ended, type Ended } from './ended.ts';

/** A run of nix-hug in a process of its own. */
export interface SpawnedCli {
  readonly child: ChildProcess;
  /** How it ended. */
  readonly ended: Promise<Ended>;
}

const BIN = path.join(import.meta.dirname, '..', '..', 'src', 'bin.ts');

/**
 * Starts nix-hug from its sources, with the environment of this process and `env`.
 *
 * @param uid user and group that it runs as; only root can choose
 */
export function spawnCli(
  argv: readonly string[],
  { cwd, env, uid }: { cwd: string; env: Readonly<Record<string, string>>; uid?: number },
): SpawnedCli {
  const tsx = import.meta.resolve('tsx');
  const child = spawn(process.execPath, ['--import', tsx, BIN, ...argv], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  return { child, ended: ended(child) };
}
