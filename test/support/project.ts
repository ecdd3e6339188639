import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Hub } from './hub/index.ts';
import { type CliRun, type CliWorld, runCli } from './run-cli.ts';
import { tempFolder } from './temp.ts';

/** A folder with a manifest, in which commands run. */
export interface Project {
  readonly folder: string;
  /** Replaces `hug.yaml`. */
  readonly manifest: (text: string) => Promise<void>;
  /**
   * Runs nix-hug in the folder. The warning that `nix build` will ask another Hub is left out, since it
   * is right for every hub on loopback.
   */
  readonly run: (argv: readonly string[], world?: Partial<CliWorld>) => Promise<CliRun>;
  /** Text of `hug.lock.json`; `undefined` when there is none. */
  readonly lockText: () => Promise<string | undefined>;
  /** Content of `hug.lock.json`, as JSON. */
  readonly lock: () => Promise<any>;
  /** Replaces `hug.lock.json`. */
  readonly writeLock: (text: string) => Promise<void>;
  /** What changes when a file is written, even with the same bytes. */
  readonly lockIdentity: () => Promise<{ inode: number; mtimeMs: number }>;
}

const OTHER_HUB = /^warning: locked from \S+ \(HF_ENDPOINT\), but nix build will ask .*\n/mu;

/** Makes a project that talks to the hub at `endpoint`; it is removed when the test ends. */
export async function createProject(endpoint: string, manifest: string): Promise<Project> {
  const folder = await tempFolder('project ä');
  const file = (name: string) => path.join(folder, name);
  await writeFile(file('hug.yaml'), manifest);
  return {
    folder,
    manifest: (text) => writeFile(file('hug.yaml'), text),
    run: async (argv, world = {}) => {
      const env = { HF_ENDPOINT: endpoint, ...world.env };
      const end = await runCli(argv, { cwd: folder, ...world, env });
      return { ...end, stderr: end.stderr.replace(OTHER_HUB, '') };
    },
    lockText: () => readFile(file('hug.lock.json'), 'utf8').catch(() => undefined),
    lock: async () => JSON.parse(await readFile(file('hug.lock.json'), 'utf8')),
    writeLock: (text) => writeFile(file('hug.lock.json'), text),
    lockIdentity: async () => {
      const { ino, mtimeMs } = await stat(file('hug.lock.json'));
      return { inode: ino, mtimeMs };
    },
  };
}

/** A project that is locked; the hub has forgotten the requests. */
export async function lockedProject(hub: Hub, manifest: string): Promise<Project> {
  const project = await createProject(hub.endpoint, manifest);
  const { status, stderr } = await project.run(['lock']);
  if (status !== 0) throw new Error(stderr);
  hub.clearRequests();
  return project;
}
