import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { ended } from './ended.ts';

/** A version of the official client, huggingface_hub, in its virtual environment. */
export interface PythonClient {
  /** Version of huggingface_hub. */
  readonly version: string;
  /** Path of the interpreter that has it. */
  readonly python: string;
}

/** A function of huggingface_hub and its keyword arguments. */
export interface PythonCall {
  readonly call: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** What a call returned, or the class and message of what it raised. */
export type PythonOutcome =
  | { readonly value: unknown }
  | { readonly error: string; readonly message: string };

/** Where a client lives and which hub it talks to. */
export interface PythonSettings {
  /** `HF_HOME`: cache and token file. */
  readonly home: string;
  /** `HF_ENDPOINT`. */
  readonly endpoint: string;
  /** `HF_TOKEN`; default none. */
  readonly token?: string;
  /** Further environment variables, such as `HF_HUB_OFFLINE`. */
  readonly env?: Readonly<Record<string, string>>;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const REQUIREMENTS = `${ROOT}test/python`;
const SET_UP = 'scripts/setup-python.sh';

const WANTED_CLIENTS: readonly PythonClient[] = readdirSync(REQUIREMENTS)
  .flatMap((file) => /^requirements-(?<name>.+)\.txt$/u.exec(file)?.groups?.['name'] ?? [])
  .map((name) => ({
    version: wantedVersion(name),
    python: `${ROOT}.cache/python/${name}/bin/python`,
  }));

/**
 * The versions of the official client that are installed. A missing one is an error where `CI` is
 * `true`; elsewhere it is left out with a warning.
 *
 * @public
 */
export const pythonClients: readonly PythonClient[] = WANTED_CLIENTS.filter(isInstalled);

/** Has the same tests for every version of the official client; those not installed are skipped. */
export function describeClients(tests: (client: PythonClient) => void): void {
  for (const client of WANTED_CLIENTS) {
    const isMissing = !pythonClients.includes(client);
    describe.skipIf(isMissing)(`huggingface_hub ${client.version}`, () => tests(client));
  }
}

/**
 * Calls the official client, one call after the other in one process that sees nothing of this
 * one's environment. The process is not waited for synchronously, so that a hub can answer it.
 */
export async function callPython(
  client: PythonClient,
  settings: PythonSettings,
  calls: readonly PythonCall[],
): Promise<PythonOutcome[]> {
  const child = spawn(client.python, [`${REQUIREMENTS}/client.py`], {
    env: {
      HOME: settings.home,
      HF_HOME: settings.home,
      HF_ENDPOINT: settings.endpoint,
      HF_HUB_DISABLE_TELEMETRY: '1',
      HF_HUB_DISABLE_XET: '1',
      HF_HUB_DISABLE_PROGRESS_BARS: '1',
      PYTHONUTF8: '1',
      ...(settings.token === undefined ? {} : { HF_TOKEN: settings.token }),
      ...settings.env,
    },
  });
  child.stdin.end(JSON.stringify(calls));
  const { stdout, stderr, status } = await ended(child);
  if (status !== 0) throw new Error(`The Python client ended with ${status}: ${stderr}`);
  const outcomes: PythonOutcome[] = JSON.parse(stdout);
  return outcomes;
}

/**
 * Runs a script that uses the official client, without a network, and returns what it prints.
 *
 * @param env all that it sees of an environment
 */
export async function runPython(
  client: PythonClient,
  script: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const settings = { HF_HUB_OFFLINE: '1', HF_HUB_DISABLE_TELEMETRY: '1', PYTHONUTF8: '1', ...env };
  const { stdout, stderr, status } = await ended(
    spawn(client.python, [script], { env: settings, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  if (status !== 0) throw new Error(`The Python script ended with ${status}: ${stderr}`);
  return stdout;
}

function wantedVersion(name: string): string {
  const requirements = readFileSync(`${REQUIREMENTS}/requirements-${name}.txt`, 'utf8');
  return /^huggingface_hub==(?<version>\S+)$/mu.exec(requirements)?.groups?.['version'] ?? name;
}

function isInstalled({ version, python }: PythonClient): boolean {
  if (existsSync(python)) return true;
  const message = `huggingface_hub ${version} is not installed: run ${SET_UP}`;
  if (process.env['CI'] === 'true') throw new Error(message);
  console.warn(`Tests are skipped: ${message}`);
  return false;
}
