import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatLock, parseLock } from '../../src/lock/codec.ts';
import { createProject } from '../support/project.ts';
import { plansFor } from './plan.ts';
import { assertTidy, lockOf, useFaultyWorld } from './world.ts';

const world = useFaultyWorld();

const BEFORE = '# mine\nmodels:\n  other: org/other\n';
const AFTER = `${BEFORE}  added: org/tiny\n`;

describe('add under random faults leaves both files as they were, or writes both', () => {
  it.each(plansFor('add'))('%s', async (_title, plan) => {
    const { hub, surroundings, underFaults } = world();
    const truth = await lockOf(world(), AFTER);
    const before = await lockOf(world(), BEFORE);
    const project = await createProject(hub.endpoint, BEFORE);
    await project.writeLock(before);
    const manifest = () => readFile(path.join(project.folder, 'hug.yaml'), 'utf8');
    const argv = ['add', 'hf:org/tiny', '--name', 'added'];

    const { ok, wasLiedTo } = await underFaults(plan, (signal) =>
      project.run([...argv, '--json'], { ...surroundings, signal }),
    );
    const after = await project.lockText();
    await assertTidy(project);
    if (!ok) expect([await manifest(), after]).toEqual([BEFORE, before]);
    else if (wasLiedTo) expect(formatLock(parseLock(after ?? '', 'hug.lock.json'))).toBe(after);
    else expect(after).toBe(truth);

    if (ok) return;
    expect((await project.run(argv, surroundings)).status).toBe(0);
    expect(await project.lockText()).toBe(truth);
  });
});
