import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type CliRun, type CliWorld, runCli } from './run-cli.ts';
import { tempFolder } from './temp.ts';

/** A folder with a manifest, in which commands run. */
export interface Project {
  readonly folder: string;
  /** Replaces `hug.yaml`. */
  readonly manifest: (text: string) => Promise<void>;
  /** Runs nix-hug in the folder. */
  readonly run: (argv: readonly string[], world?: Partial<CliWorld>) => Promise<CliRun>;
  /** Text of `hug.lock.json`; `undefined` when there is none. */
  readonly lockText: () => Promise<string | undefined>;
  /** Replaces `hug.lock.json`. */
  readonly writeLock: (text: string) => Promise<void>;
  /** What changes when a file is written, even with the same bytes. */
  readonly lockIdentity: () => Promise<{ inode: number; mtimeMs: number }>;
}

/** Makes a project that talks to the hub at `endpoint`; it is removed when the test ends. */
export async function createProject(endpoint: string, manifest: string): Promise<Project> {
  const folder = await tempFolder('project ä');
  const file = (name: string) => path.join(folder, name);
  await writeFile(file('hug.yaml'), manifest);
  return {
    folder,
    manifest: (text) => writeFile(file('hug.yaml'), text),
    run: (argv, world = {}) =>
      runCli(argv, { cwd: folder, ...world, env: { HF_ENDPOINT: endpoint, ...world.env } }),
    lockText: () => readFile(file('hug.lock.json'), 'utf8').catch(() => undefined),
    writeLock: (text) => writeFile(file('hug.lock.json'), text),
    lockIdentity: async () => {
      const { ino, mtimeMs } = await stat(file('hug.lock.json'));
      return { inode: ino, mtimeMs };
    },
  };
}
