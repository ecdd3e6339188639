import { describe, expect, it } from 'vitest';
import { formatLock, parseLock } from '../../src/lock/codec.ts';
import { createProject } from '../support/project.ts';
import { plansFor } from './plan.ts';
import { assertTidy, lockOf, MANIFEST, useFaultyWorld } from './world.ts';

const world = useFaultyWorld();

/** A manifest of an earlier day, whose lock is a part of that of `MANIFEST`. */
const PART = 'models: { other: org/other, tiny: tiny }';

describe('lock under random faults leaves the lock as it was, or writes the true one', () => {
  it.each(plansFor('lock'))('%s', async (_title, plan) => {
    const { hub, surroundings, underFaults } = world();
    const truth = await lockOf(world(), MANIFEST);
    const before = plan.variant % 2 === 0 ? undefined : await lockOf(world(), PART);
    const project = await createProject(hub.endpoint, MANIFEST);
    if (before !== undefined) await project.writeLock(before);

    const { ok, wasLiedTo } = await underFaults(plan, (signal) =>
      project.run(['lock', '--json'], { ...surroundings, signal }),
    );
    const after = await project.lockText();
    await assertTidy(project);
    if (!ok) expect(after).toBe(before);
    else if (wasLiedTo) expect(formatLock(parseLock(after ?? '', 'hug.lock.json'))).toBe(after);
    else expect(after).toBe(truth);

    if (ok) return;
    expect((await project.run(['lock'], surroundings)).status).toBe(0);
    expect(await project.lockText()).toBe(truth);
  });
});
