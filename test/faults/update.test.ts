import { describe, expect, it } from 'vitest';
import { formatLock, parseLock } from '../../src/lock/codec.ts';
import { createProject } from '../support/project.ts';
import { plansFor } from './plan.ts';
import { assertTidy, lockOf, MANIFEST, useFaultyWorld } from './world.ts';

const world = useFaultyWorld();

/** The lock of an earlier day, before a branch and a range moved on. */
async function earlierLock(): Promise<string> {
  const { revisions } = world();
  const pinned = MANIFEST.replace('tiny: tiny', `tiny: { repo: tiny, ref: ${revisions.tiny} }`)
    .replace('{ repo: org/tiny,', `{ repo: org/tiny, ref: ${revisions.tiny},`)
    .replace('version: ^1.0', 'version: 1.0.0');
  return (await lockOf(world(), pinned))
    .replaceAll(`"ref": "${revisions.tiny}"`, '"ref": "main"')
    .replace('"version": "1.0.0"', '"version": "^1.0"');
}

describe('update under random faults leaves the lock as it was, or writes the true one', () => {
  it.each(plansFor('update'))('%s', async (_title, plan) => {
    const { hub, surroundings, underFaults } = world();
    const truth = await lockOf(world(), MANIFEST);
    const before = await earlierLock();
    const project = await createProject(hub.endpoint, MANIFEST);
    await project.writeLock(before);

    const { ok, wasLiedTo } = await underFaults(plan, (signal) =>
      project.run(['update', '--json'], { ...surroundings, signal }),
    );
    const after = await project.lockText();
    await assertTidy(project);
    if (!ok) expect(after).toBe(before);
    else if (wasLiedTo) expect(formatLock(parseLock(after ?? '', 'hug.lock.json'))).toBe(after);
    else expect(after).toBe(truth);

    if (wasLiedTo && ok) return;
    expect((await project.run(['update'], surroundings)).status).toBe(0);
    expect(await project.lockText()).toBe(truth);
  });
});
