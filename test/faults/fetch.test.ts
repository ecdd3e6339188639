import { describe, expect, it } from 'vitest';
import { isolatedStore } from '../support/isolated-store.ts';
import { createProject } from '../support/project.ts';
import { tempFolder } from '../support/temp.ts';
import { expectedIn, foundIn } from './contents.ts';
import { plansFor } from './plan.ts';
import { lockOf, MANIFEST, useFaultyWorld } from './world.ts';

const world = useFaultyWorld();

describe('fetch under random faults puts nothing into the store but what the lock names', () => {
  it.each(plansFor('fetch'))('%s', async (_title, plan) => {
    const { hub, surroundings, underFaults } = world();
    const lockText = await lockOf(world(), MANIFEST);
    const project = await createProject(hub.endpoint, MANIFEST);
    await project.writeLock(lockText);
    const store = await isolatedStore();
    const home = await tempFolder('home');
    const env = { ...surroundings.env, ...store.env, XDG_CACHE_HOME: home, HF_HOME: `${home}/hf` };
    const expected = expectedIn(store, lockText);

    const { ok } = await underFaults(plan, (signal) =>
      project.run(['fetch', '--json'], { ...surroundings, env, home, signal }),
    );
    const found = await foundIn(store);
    for (const [name, hash] of found) expect([name, hash]).toEqual([name, expected.get(name)]);
    if (ok) expect(found.size).toBe(expected.size);
    expect(await project.lockText()).toBe(lockText);

    if (ok) return;
    const { status, stderr } = await project.run(['fetch'], { ...surroundings, env, home });
    expect([status, stderr]).toEqual([0, expect.anything()]);
    expect(await foundIn(store)).toEqual(expected);
  });
});
