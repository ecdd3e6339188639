import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseLock } from '../../src/lock/codec.ts';
import { allEntries } from '../../src/lock/entries.ts';
import { createProject } from '../support/project.ts';
import { tempFolder } from '../support/temp.ts';
import { blobsOf, hashOf } from './contents.ts';
import { plansFor } from './plan.ts';
import { lockOf, MANIFEST, useFaultyWorld } from './world.ts';

const world = useFaultyWorld();

/** Blobs that are still on their way, which nobody takes for whole. */
const UNDER_WAY = /\.incomplete$/u;

/** Checks that a cache holds nothing but what the lock names, and returns what it holds. */
async function soundBlobs(cache: string, lockText: string): Promise<Set<string>> {
  const expected = blobsOf(lockText);
  const names = await readdir(cache, { recursive: true }).catch(() => []);
  const blobs = names.filter((name) => /\/blobs\/[^/]+$/u.test(name) && !UNDER_WAY.test(name));
  for (const blob of blobs) {
    const hash = await hashOf(path.join(cache, blob));
    expect([blob, hash]).toEqual([blob, expected.get(path.basename(blob))]);
  }
  return new Set(blobs.map((blob) => path.basename(blob)));
}

/** Checks that every file of the lock is in its snapshot. */
async function assertWhole(cache: string, lockText: string): Promise<void> {
  for (const { type, entry } of allEntries(parseLock(lockText, 'lock'))) {
    const folder = path.join(cache, `${type}s--${entry.repo.replace('/', '--')}`);
    for (const [name, { hash }] of entry.files) {
      expect(await hashOf(path.join(folder, 'snapshots', entry.rev, name))).toBe(hash);
    }
    expect(await readFile(path.join(folder, 'refs', entry.ref), 'utf8')).toBe(entry.rev);
  }
}

describe('export under random faults writes no blob but what the lock names', () => {
  it.each(plansFor('export'))('%s', async (_title, plan) => {
    const { hub, surroundings, underFaults } = world();
    const lockText = await lockOf(world(), MANIFEST);
    const project = await createProject(hub.endpoint, MANIFEST);
    await project.writeLock(lockText);
    const home = await tempFolder('home');
    const cache = path.join(home, 'hf', 'hub');
    // Without Nix, everything has to come from the hub.
    const env = { ...surroundings.env, XDG_CACHE_HOME: home, HF_HOME: `${home}/hf`, PATH: home };

    const { ok } = await underFaults(plan, (signal) =>
      project.run(['export', '--json'], { ...surroundings, env, home, signal }),
    );
    await soundBlobs(cache, lockText);
    if (ok) await assertWhole(cache, lockText);
    expect(await project.lockText()).toBe(lockText);

    if (ok) return;
    const { status, stderr } = await project.run(['export'], { ...surroundings, env, home });
    expect([status, stderr]).toEqual([0, expect.anything()]);
    await assertWhole(cache, lockText);
    expect(await soundBlobs(cache, lockText)).toEqual(new Set(blobsOf(lockText).keys()));
  });
});
