import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createNix } from '../test/support/nix.ts';
import type { Build } from './compare.ts';

/** A locked project with a Hugging Face cache and a Nix store of its own. */
export interface FilledProject {
  readonly project: string;
  /** The Hugging Face cache. */
  readonly cache: string;
  readonly env: Readonly<Record<string, string>>;
  readonly close: () => Promise<void>;
}

/**
 * Locks a repository in a new project, and runs commands there.
 *
 * @param endpoint address of the Hub
 * @param commands such as `export`, after `lock`
 */
export async function fillProject(
  { command: [node, file] }: Build,
  endpoint: string,
  id: string,
  commands: readonly string[],
): Promise<FilledProject> {
  const parent = process.env['BENCH_DIR'] ?? tmpdir();
  const project = await mkdtemp(path.join(parent, 'nix-hug-bench-'));
  const cache = path.join(project, 'hub');
  const nix = await createNix();
  const env = { ...nix.environment, HOME: project, HF_ENDPOINT: endpoint, HF_HUB_CACHE: cache };
  await writeFile(path.join(project, 'hug.yaml'), `models: { m: ${id} }\n`);
  for (const command of ['lock', ...commands]) {
    await promisify(execFile)(node, [file, command], { cwd: project, env });
  }
  return {
    project,
    cache,
    env,
    close: async () => {
      await nix.close();
      await rm(project, { recursive: true, force: true });
    },
  };
}
