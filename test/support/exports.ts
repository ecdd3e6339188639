import { expect, onTestFinished } from 'vitest';
import { folderFacts } from './folder-facts.ts';
import { type HfUser, hfUser } from './hf-user.ts';
import { type Hub, lfs } from './hub/index.ts';
import { callPython, pythonClients } from './python.ts';
import { spawnCli, type SpawnedCli } from './spawn-cli.ts';

const MIB = 1024 * 1024;
const FILES = 12;

/** Path and content of everything in a cache, see {@link folderFacts}. */
type Facts = Readonly<Record<string, string>>;

/** Adds the models `org/one` and `org/two` to a hub, and returns the commit of `org/one`. */
export async function addModels(hub: Hub): Promise<string> {
  let rev = '';
  for (const name of ['two', 'one']) {
    const repo = await hub.createRepo({ type: 'model', id: `org/${name}` });
    rev = await repo.commit({
      files: Array.from({ length: FILES }, (_, index) => [
        `part ${index}/${index % 2 === 0 ? 'config.json' : 'w.safetensors'}`,
        index % 2 === 0
          ? `{ "n": "${name} ${index}" }\n`
          : lfs.generated({ size: MIB / 2 + index, seed: `${name} ${index}` }),
      ]),
    });
  }
  return rev;
}

/** Starts a command in a process of its own, which is killed at the latest when the test ends. */
export function start({ folder, env }: HfUser, argv: readonly string[]): SpawnedCli {
  const spawned = spawnCli(argv, { cwd: folder, env });
  onTestFinished(() => void spawned.child.kill('SIGKILL'));
  return spawned;
}

/** Slows all answers of a hub down until the test ends. */
export function throttle(hub: Hub): void {
  const slow = hub.inject({
    match: () => true,
    fault: { kind: 'slow', bytesPerSecond: 4 * MIB },
    times: Infinity,
  });
  onTestFinished(() => slow.remove());
}

/** Exports without an interruption: content of the cache afterwards, and number of requests. */
export async function undisturbedExport(
  hub: Hub,
  manifest: string,
): Promise<{ facts: Facts; requests: number }> {
  const user = await hfUser(hub.endpoint, manifest);
  hub.clearRequests();
  expect((await user.run(['export'])).status).toBe(0);
  return { facts: await folderFacts(user.cache), requests: hub.requests.length };
}

/** Checks that every official client finds all files of `org/one` or none, without a warning. */
export async function assertWhole(
  { endpoint }: Hub,
  revision: string,
  { home, cache }: HfUser,
  facts: Facts,
): Promise<void> {
  for (const client of pythonClients) {
    const env = { HF_HUB_OFFLINE: '1', HF_HUB_CACHE: cache };
    const [byRef, byCommit, scan] = await callPython(client, { home, endpoint, env }, [
      { call: 'snapshot_download', args: { repo_id: 'org/one' } },
      {
        call: 'snapshot_download',
        args: { repo_id: 'org/one', revision, local_files_only: true },
      },
      { call: 'scan_cache_dir', args: { cache_dir: cache } },
    ]);
    if (scan !== undefined && 'value' in scan) {
      expect(scan.value).toMatchObject({ warnings: [] });
    } else expect(scan).toMatchObject({ error: 'CacheNotFound' });
    for (const outcome of [byRef, byCommit]) {
      if (outcome !== undefined && 'value' in outcome) {
        const present = await folderFacts(cache);
        const wanted = Object.entries(facts).filter(([name]) => /snapshots|blobs/u.test(name));
        expect(present).toMatchObject(Object.fromEntries(wanted));
      } else expect(outcome).toMatchObject({ error: 'LocalEntryNotFoundError' });
    }
  }
}
