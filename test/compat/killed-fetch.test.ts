import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { bytesAskedFor } from '../support/download.ts';
import { lfs, startHub } from '../support/hub/index.ts';
import { isolatedStore, storeObjects } from '../support/isolated-store.ts';
import { createProject } from '../support/project.ts';
import { silenceLeases } from '../support/silence.ts';
import { spawnCli } from '../support/spawn-cli.ts';
import { tempFolder } from '../support/temp.ts';

const MIB = 1024 * 1024;
const SIZE = 1024 * MIB;

/** Bytes on disk of all files in a folder; what is not written yet takes no room. */
async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = names.map((name) =>
    stat(path.join(folder, name)).then(({ blocks }) => blocks * 512),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

it('fetch of 1 GiB, killed at 60 %, asks for less than half of the bytes again', async () => {
  const hub = await startHub();
  onTestFinished(() => hub.close());
  const repo = await hub.createRepo({ type: 'model', id: 'org/large' });
  await repo.commit({ files: [['model.gguf', lfs.generated({ size: SIZE, seed: 'large' })]] });
  const store = await isolatedStore();
  const home = await tempFolder('home');
  const env = { ...store.env, HOME: home, XDG_CACHE_HOME: home, HF_ENDPOINT: hub.endpoint };
  const project = await createProject(hub.endpoint, 'models: { large: org/large }\n');
  expect((await project.run(['lock'], { env })).status).toBe(0);

  const slow = hub.inject({
    match: ({ origin }) => origin === 'cdn',
    fault: { kind: 'slow', bytesPerSecond: 64 * MIB },
    times: Infinity,
  });
  const { child, ended } = spawnCli(['fetch'], { cwd: project.folder, env });
  const partials = path.join(home, 'nix-hug', 'downloads');
  while ((await bytesIn(partials)) < 0.6 * SIZE) {
    expect(child.exitCode).toBe(null);
    await pause(20);
  }
  child.kill('SIGKILL');
  await ended;
  slow.remove();
  expect(await storeObjects(store)).toEqual([]);
  await silenceLeases(partials);

  hub.clearRequests();
  const { status, stderr } = await project.run(['fetch'], { env });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(bytesAskedFor(hub.requests, SIZE)).toBeLessThan(0.5 * SIZE);
  const [name = ''] = await storeObjects(store);
  // Nix reads and hashes it once more.
  await store.nix('nix-store', '--verify-path', path.join(store.folder, name));
  expect(await readdir(partials)).toEqual([]);
});
