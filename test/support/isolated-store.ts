import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { tempFolder } from './temp.ts';

const exec = promisify(execFile);

/** A Nix store of a test's own, with its own database. */
export interface IsolatedStore {
  /** The store folder. */
  readonly folder: string;
  /** Environment in which Nix tools, and nix-hug, use this store and nothing else. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a Nix tool and returns what it prints. */
  readonly nix: (tool: string, ...args: readonly string[]) => Promise<string>;
}

/** Digits in base 32 and a dash before the name. */
const STORE_OBJECT = /^[0-9a-z]{32}-/u;

/** Makes an empty store that is removed when the test ends. */
export async function isolatedStore(): Promise<IsolatedStore> {
  const root = await tempFolder('nix store');
  const [folder = '', state = '', log = '', conf = '', home = ''] = await Promise.all(
    ['store', 'var', 'log', 'etc', 'home'].map(async (name) => {
      await mkdir(path.join(root, name));
      return path.join(root, name);
    }),
  );
  onTestFinished(() => makeRemovable(folder));
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    NIX_STORE_DIR: folder,
    NIX_STATE_DIR: state,
    NIX_LOCALSTATE_DIR: state,
    NIX_LOG_DIR: log,
    NIX_CONF_DIR: conf,
    NIX_CONFIG: 'substituters =\nsandbox = false\nbuild-users-group =',
  };
  return {
    folder,
    env,
    nix: async (tool, ...args) => {
      const { stdout } = await exec(tool, args, { env, maxBuffer: 64 * 1024 * 1024 });
      return stdout;
    },
  };
}

/** Base names of what is in a store, without Nix's own files. */
export async function storeObjects({ folder }: IsolatedStore): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter((name) => STORE_OBJECT.test(name) && !/\.(?:lock|drv)$/u.test(name));
}

/** Folders in a store are read-only, which stops anyone but root from emptying them. */
async function makeRemovable(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory());
  await Promise.all(folders.map((entry) => chmod(path.join(entry.parentPath, entry.name), 0o755)));
}
