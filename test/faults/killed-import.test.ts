import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type CachedProject,
  cachedProject,
  fillCache,
  isSound,
  realiseAll,
  workFiles,
} from '../support/cached-project.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { storeObjects } from '../support/isolated-store.ts';
import { spawnCli } from '../support/spawn-cli.ts';
import { randomMoments } from './moments.ts';

const MIB = 1024 * 1024;
const SHARDS = 24;

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  const repo = await hub.createRepo({ type: 'model', id: 'org/sharded' });
  const shards = Array.from({ length: SHARDS }, (_, index) => index);
  await repo.commit({
    files: shards.map((seed) => [`${seed}.bin`, lfs.generated({ size: 4 * MIB, seed })] as const),
  });
});
afterAll(() => hub.close());

const start = ({ folder, env }: CachedProject) =>
  spawnCli(['-C', folder, 'import'], { cwd: folder, env, detached: true });

/** Has the store forget every file. */
async function removeAll({ store }: CachedProject): Promise<void> {
  const paths = await store.nix('nix-store', '--gc', '--print-dead');
  const files = paths.split('\n').filter((line) => line.endsWith('.bin'));
  await store.nix('nix-store', '--delete', ...files);
}

it(
  'import, killed with Nix at random moments, leaves a sound store, and the next run completes it',
  {
    timeout: 300_000,
  },
  async () => {
    const made = await cachedProject(hub, 'models: { sharded: org/sharded }');
    await fillCache(made);
    const began = performance.now();
    expect((await start(made).ended).status).toBe(0);
    const duration = performance.now() - began;
    let unfinished = 0;
    for (const { percent } of randomMoments(10)) {
      await removeAll(made);
      const { child, ended } = start(made);
      await setTimeout((percent / 100) * duration);
      const { pid } = child;
      // Nix with it, as when the machine loses power.
      if (pid !== undefined && child.exitCode === null) process.kill(-pid, 'SIGKILL');
      await ended;
      if ((await storeObjects(made.store)).length < SHARDS) unfinished += 1;
      expect(await isSound(made), `killed at ${percent} %`).toBe(true);
      expect((await made.run(['import'])).status, `killed at ${percent} %`).toBe(0);
      expect(await isSound(made), `killed at ${percent} %`).toBe(true);
    }
    expect((await realiseAll(made)).length).toBe(SHARDS);
    expect(unfinished).toBeGreaterThan(0);
    expect(await workFiles(made)).toEqual([]);
  },
);
