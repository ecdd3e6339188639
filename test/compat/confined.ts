import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ended, type Ended } from '../support/ended.ts';

/**
 * Which libraries, both of `scripts/setup-loaders.sh`: those of Debian, with torch, or the newest of
 * the Python index, without.
 */
export type Libraries = 'debian' | 'newest';

/** What a program sees of this machine. */
export interface Confinement {
  /** A folder that it may write to. */
  readonly folder: string;
  /** A folder that is read-only to it, as the store is to a user; may lie in `folder`. */
  readonly store?: string;
  /** Its environment; nothing but `PATH` leaks in. */
  readonly env: Readonly<Record<string, string>>;
}

const REPOSITORY = path.join(import.meta.dirname, '..', '..');
const DEBIAN_ROOT = path.join(REPOSITORY, '.cache', 'loaders-root');
const IN_DEBIAN_ROOT = path.join(REPOSITORY, 'scripts', 'in-debian-root');
const LLAMA_ROOT = path.join(REPOSITORY, '.cache', 'llama-root');
const FUNCTIONS = path.join(import.meta.dirname, 'loaders.py');

/** The virtual environment that has the newest libraries. */
export const NEWEST = path.join(REPOSITORY, '.cache', 'python', 'loaders');

/** Makes `$1` read-only and runs the rest; the mount ends with the process. */
const READ_ONLY = `
  mount --bind "$1" "$1"
  mount -o remount,ro,bind "$1"
  shift
  exec "$@"`;

/** Runs a program of this system. Needs root where there is a store. */
export function runConfined(
  command: readonly string[],
  { store, env }: Confinement,
): Promise<Ended> {
  const inNamespace = ['unshare', '--mount', '--propagation', 'private', '--'];
  const [program = '', ...args] =
    store === undefined
      ? command
      : [...inNamespace, 'sh', '-euc', READ_ONLY, 'sh', store, ...command];
  return ended(
    spawn(program, args, {
      env: { PATH: process.env['PATH'], PYTHONUTF8: '1', HF_HUB_DISABLE_TELEMETRY: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}

const bindsOf = (folders: readonly string[]): string[] =>
  folders.flatMap((name) => ['--bind', name, name]);

/** Whether Debian's llama.cpp is there, which `scripts/setup-loaders.sh` installs. */
export const hasLlama = existsSync(LLAMA_ROOT);

/**
 * The command line that generates one token with a model of a Hub.
 *
 * @param folders what llama.cpp sees of this system
 * @param model `org/name:QUANT`
 * @param flags further ones
 */
export const llamaCli = (
  folders: readonly string[],
  model: string,
  flags: readonly string[] = [],
): readonly string[] => [
  IN_DEBIAN_ROOT,
  LLAMA_ROOT,
  ...bindsOf(folders),
  'llama-cli',
  '-hf',
  model,
  ...flags,
  '-p',
  'x',
  '-n',
  '1',
];

/**
 * Runs Python with these libraries and returns what it prints.
 *
 * @throws Error with what it wrote to stderr when it fails
 */
export async function runPython(
  libraries: Libraries,
  confinement: Confinement,
  args: readonly string[],
): Promise<string> {
  const { folder, store = folder } = confinement;
  const python =
    libraries === 'newest'
      ? [path.join(NEWEST, 'bin', 'python')]
      : [IN_DEBIAN_ROOT, DEBIAN_ROOT, ...bindsOf([REPOSITORY, folder, store]), 'python3'];
  const { status, stdout, stderr } = await runConfined([...python, ...args], confinement);
  if (status !== 0) throw new Error(`Python ended with ${status}: ${stderr}`);
  return stdout;
}

/** A function of `loaders.py` and its keyword arguments. */
export type Call = readonly [name: string, args: Readonly<Record<string, unknown>>];

/** Calls functions of `loaders.py`, all in one process, and returns their results. */
export async function callLoaders(
  libraries: Libraries,
  confinement: Confinement,
  calls: readonly Call[],
): Promise<unknown[]> {
  const text = await runPython(libraries, confinement, [FUNCTIONS, JSON.stringify(calls)]);
  const results: unknown[] = JSON.parse(text);
  return results;
}
