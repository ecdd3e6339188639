import { readdir } from 'node:fs/promises';
import { onTestFinished } from 'vitest';
import { createNix } from './nix.ts';

/** A Nix store of a test's own. */
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

/**
 * Makes an empty store that is removed when the test ends.
 *
 * @param folder an empty folder for it; default a new one
 */
export async function isolatedStore(folder?: string): Promise<IsolatedStore> {
  const nix = await createNix('system', folder);
  onTestFinished(() => nix.close());
  return {
    folder: nix.storeDir,
    env: nix.environment,
    nix: async (tool, ...args) => {
      const { status, stdout, stderr } = await nix.run(tool, ...args);
      if (status !== 0) throw new Error(stderr);
      return stdout;
    },
  };
}

/** Base names of what is in a store, without Nix's own files. */
export async function storeObjects({ folder }: IsolatedStore): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter((name) => STORE_OBJECT.test(name) && !/\.(?:lock|drv)$/u.test(name));
}
