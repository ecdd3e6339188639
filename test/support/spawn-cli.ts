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
  /** Runs the command of `dist`, which starts faster and has to be built before. */
  readonly isBuilt?: boolean;
}

/** The program, to be run with tsx. */
export const BIN = path.join(import.meta.dirname, '..', '..', 'src', 'bin.ts');

/** The built command. */
export const BUILT = path.join(import.meta.dirname, '..', '..', 'dist', 'launch.cjs');

const ROOT = path.join(import.meta.dirname, '..', '..');

/** Starts nix-hug, from its sources unless the built command is asked for. */
export function spawnCli(
  argv: readonly string[],
  { env, uid, isBuilt = false, ...options }: SpawnOptions,
): SpawnedCli {
  const program = isBuilt ? [BUILT] : ['--import', import.meta.resolve('tsx'), BIN];
  const own = [process.execPath, ...program];
  const [command = '', ...args] = [...(uid === undefined ? own : asUser(uid, own)), ...argv];
  const child = spawn(command, args, {
    ...options,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { child, ended: ended(child) };
}

/**
 * The command line for the same as another user, who may not be allowed to look into the folder that
 * this repository lies in, such as `/root`: it sees the repository at another place. Needs root.
 */
export function asUser(uid: number, command: readonly string[]): readonly string[] {
  // Full paths, since a test may want an empty PATH.
  const script = '/bin/mount --bind "$0" /mnt && exec /usr/bin/setpriv "$@"';
  const place = [
    '/usr/bin/unshare',
    '--mount',
    '--propagation',
    'private',
    '/bin/sh',
    '-c',
    script,
  ];
  const user = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  return [...place, ROOT, ...user, ...command.map((word) => word.replace(ROOT, '/mnt'))];
}
