import path from 'node:path';
import { createProject } from './project.ts';
import type { CliRun } from './run-cli.ts';
import { tempFolder } from './temp.ts';

type Env = Readonly<Record<string, string>>;

/** Somebody with a Hugging Face cache, and without Nix unless the environment has it. */
export interface HfUser {
  readonly home: string;
  /** The Hugging Face cache; nothing is there at first. */
  readonly cache: string;
  /** Environment of the user's processes. */
  readonly env: Env;
  /** Folder of the user's project. */
  readonly folder: string;
  /** Runs nix-hug in the project. */
  readonly run: (argv: readonly string[], env?: Env) => Promise<CliRun>;
}

/** A path of a repository in the cache, such as `models--org--name/refs/main`. */
export const inCache = ({ cache }: Pick<HfUser, 'cache'>, ...segments: readonly string[]): string =>
  path.join(cache, ...segments);

/**
 * Makes a user who works with the hub at `endpoint`.
 *
 * @param manifest text of `hug.yaml`, which is locked; none for an empty one
 */
export async function hfUser(endpoint: string, manifest = '', env: Env = {}): Promise<HfUser> {
  const home = await tempFolder('home ü');
  const own: Record<string, string> = {
    PATH: '/nonexistent',
    HF_ENDPOINT: endpoint,
    HF_HOME: `${home}/hf`,
    XDG_CACHE_HOME: `${home}/xdg`,
    ...env,
  };
  const { folder, run } = await createProject(endpoint, manifest);
  const user: HfUser = {
    home,
    cache: own['HF_HUB_CACHE'] ?? `${home}/hf/hub`,
    env: own,
    folder,
    run: (argv, more = {}) => run(argv, { home, env: { ...own, ...more } }),
  };
  if (manifest === '') return user;
  const { status, stderr } = await user.run(['lock']);
  if (status !== 0) throw new Error(stderr);
  return user;
}
