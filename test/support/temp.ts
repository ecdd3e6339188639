import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** Makes an empty folder that is removed when the running test ends. */
export async function tempFolder(name = 'nix-hug'): Promise<string> {
  const folder = await mkdtemp(path.join(await realpath(tmpdir()), `${name}-`));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
