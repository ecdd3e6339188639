import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';

/** A run of nix-hug in a process of its own. */
export interface SpawnedCli {
  readonly child: ChildProcess;
  /** How it ended; `status` is `null` when a signal ended it. */
  readonly ended: Promise<{ status: number | null; stdout: string; stderr: string }>;
}

const BIN = path.join(import.meta.dirname, '..', '..', 'src', 'bin.ts');

/** Starts nix-hug from its sources, with the environment of this process and `env`. */
export function spawnCli(
  argv: readonly string[],
  { cwd, env }: { cwd: string; env: Readonly<Record<string, string>> },
): SpawnedCli {
  const tsx = import.meta.resolve('tsx');
  const child = spawn(process.execPath, ['--import', tsx, BIN, ...argv], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = Promise.all([
    new Promise<number | null>((resolve) => child.once('close', resolve)),
    text(child.stdout),
    text(child.stderr),
  ]).then(([status, stdout, stderr]) => ({ status, stdout, stderr }));
  return { child, ended };
}
