import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { nixString } from '../../src/quote.ts';
import { ended, type Ended } from './ended.ts';

/** Which Nix: the one of this system, or one of `scripts/setup-newer-nix.sh`. */
export type NixKind = 'system' | 'stable' | 'current';

/** The real Nix with a store of its own, which needs no root and is not `/nix`. */
export interface Nix {
  readonly kind: NixKind;
  /** Version, such as `2.8.0`. */
  readonly version: string;
  /** A folder that Nix sees under the same path; what an expression reads must lie here. */
  readonly folder: string;
  /** The store, in `folder` unless another was asked for. */
  readonly storeDir: string;
  /** Environment in which programs of this system use the store and no other. */
  readonly environment: Readonly<Record<string, string>>;
  /** The command line that runs a command of Nix, with `environment`. */
  commandLine(command: string, ...args: readonly string[]): readonly string[];
  /** Runs a command of Nix. */
  run(command: string, ...args: readonly string[]): Promise<Ended>;
  /** Value of an expression. Builds nothing, fetches nothing and reads only what belongs to the test. */
  evaluate(expression: string): Promise<unknown>;
  /** The message with which the evaluation of an expression fails. */
  evaluationError(expression: string): Promise<string>;
  /** Builds an expression and returns its store path. */
  build(expression: string): Promise<string>;
  /** Removes the folder and the store. */
  close(): Promise<void>;
}

const REPOSITORY = path.join(import.meta.dirname, '..', '..');
const SET_UP: Readonly<Record<NixKind, string>> = {
  system: 'scripts/setup-nix.sh',
  stable: 'scripts/setup-newer-nix.sh',
  current: 'scripts/setup-newer-nix.sh',
};

/** `vitest.compat.config.ts` sets this, to run the same tests with the other Nix. */
const DEFAULT_KIND: NixKind = process.env['NIX_HUG_TEST_NIX'] === 'current' ? 'current' : 'system';

/** A Nix expression: the function of `nix/default.nix`. */
export const LIBRARY = `(import ${nixString(path.join(REPOSITORY, 'nix'))})`;

/** Folder of the stand-in for nixpkgs, which a test cannot download. */
export const NIXPKGS = path.join(import.meta.dirname, 'nixpkgs-stand-in');

/**
 * The folder `lib` of a nixpkgs, or of github.com/nix-community/nixpkgs.lib. The tests then use it in
 * place of the stand-in's `lib`. Nix 2.8 evaluates its module system, but not `lib.fileset`:
 *
 *     NIX_HUG_TEST_NIXPKGS_LIB=/path/lib npx vitest run test/nix/modules.test.ts
 *     NIX_HUG_TEST_NIXPKGS_LIB=/path/lib NIX_HUG_TEST_NIX=current npx vitest run test/nix
 */
export const NIXPKGS_LIB = process.env['NIX_HUG_TEST_NIXPKGS_LIB'];

/** A Nix expression: the packages of the stand-in, and `lib`. */
export const PKGS = `(import ${nixString(NIXPKGS)} {${
  NIXPKGS_LIB === undefined ? '' : ` lib = import ${nixString(NIXPKGS_LIB)};`
} })`;

export { nixString };

const defaultIsMissing = (await versionOf(DEFAULT_KIND)) === undefined && reportMissing();

/**
 * Has tests that need Nix; they share one store. Where there is no Nix they are skipped with a
 * warning, or fail if `CI` is `true`.
 */
export function describeNix(name: string, tests: (nix: () => Nix) => void): void {
  describe.skipIf(defaultIsMissing)(name, () => {
    let nix: Nix | undefined;
    beforeAll(async () => {
      nix = await createNix();
    });
    afterAll(() => nix?.close());
    tests(() => {
      if (nix === undefined) throw new Error('Nix is there within tests and hooks only');
      return nix;
    });
  });
}

/**
 * Makes an empty store.
 *
 * @param kind which Nix
 * @param storeDir path of the store as Nix sees it; default in the new folder
 */
export async function createNix(kind: NixKind = DEFAULT_KIND, storeDir?: string): Promise<Nix> {
  const version = await versionOf(kind);
  if (version === undefined) throw new Error(missing(kind));
  const folder = await mkdtemp(path.join(await realpath(tmpdir()), 'nix-hug-'));
  const store = path.join(folder, 'store');
  await Promise.all(['store', 'home', 'tmp', 'conf'].map((name) => mkdir(path.join(folder, name))));

  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: path.join(folder, 'home'),
    TMPDIR: path.join(folder, 'tmp'),
    NIX_STORE_DIR: storeDir ?? store,
    NIX_STATE_DIR: path.join(folder, 'state'),
    NIX_LOG_DIR: path.join(folder, 'log'),
    NIX_CONF_DIR: path.join(folder, 'conf'),
    NIX_REMOTE: 'local',
    NIX_CONFIG: [
      'substituters =',
      'sandbox = false',
      'build-users-group =',
      'max-jobs = 4',
      'allow-import-from-derivation = false',
    ].join('\n'),
  };
  const visible = [REPOSITORY, folder, ...(NIXPKGS_LIB === undefined ? [] : [NIXPKGS_LIB])];
  const binds = [
    ...visible.map((name) => [name, name]),
    ...(storeDir === undefined ? [] : [[store, storeDir]]),
  ];
  const readable = visible.flatMap((name) => ['-I', name]);
  const commandLine = (...command: readonly string[]) => inRoot(kind, binds, command);
  const run = (command: string, ...args: readonly string[]) =>
    runProcess(commandLine(command, ...args), environment);
  const strictly = (command: string, expression: string, ...options: readonly string[]) =>
    run(
      command,
      ...options,
      '--option',
      'restrict-eval',
      'true',
      ...readable,
      '--expr',
      expression,
    );
  const instantiate = (expression: string) =>
    strictly('nix-instantiate', expression, '--eval', '--strict', '--json');

  // Two processes that meet in a store that was never used trip over each other while it is made.
  successful(await run('nix-store', '--init'));

  return {
    kind,
    version,
    folder,
    storeDir: environment.NIX_STORE_DIR,
    environment,
    commandLine,
    run,
    evaluate: async (expression) => JSON.parse(successful(await instantiate(expression))),
    evaluationError: async (expression) => {
      const { status, stdout, stderr } = await instantiate(expression);
      if (status === 0) throw new Error(`Evaluated to ${stdout}`);
      return stderr;
    },
    build: async (expression) =>
      successful(await strictly('nix-build', expression, '--no-out-link')).trim(),
    close: async () => {
      // Nix leaves its folders without write permission.
      await runProcess(['chmod', '-R', 'u+w', folder], environment);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function successful({ status, stdout, stderr }: Ended): string {
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

async function versionOf(kind: NixKind): Promise<string | undefined> {
  try {
    const { stdout } = await runProcess(inRoot(kind, [], ['nix', '--version']), process.env);
    return /(?<version>\d+(?:\.\d+)+)/u.exec(stdout)?.groups?.['version'];
  } catch {
    return undefined;
  }
}

function missing(kind: NixKind): string {
  return `There is no ${kind} Nix: run ${SET_UP[kind]}`;
}

function reportMissing(): true {
  const message = missing(DEFAULT_KIND);
  if (process.env['CI'] === 'true') throw new Error(message);
  console.warn(`Tests are skipped: ${message}`);
  return true;
}

/** The command line that runs a command of this Nix with some folders in sight. */
function inRoot(
  kind: NixKind,
  binds: readonly (readonly string[])[],
  command: readonly string[],
): readonly string[] {
  if (kind === 'system') return command;
  return [
    path.join(REPOSITORY, 'scripts', 'in-debian-root'),
    path.join(REPOSITORY, '.cache', `nix-${kind}`),
    ...binds.flatMap((bind) => ['--bind', ...bind]),
    ...command,
  ];
}

function runProcess(
  [command = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Ended> {
  return ended(spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
}
