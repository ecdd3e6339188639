import { describe, expect, it } from 'vitest';
import { FINDING_KINDS } from '../../src/resolve/audit.ts';
import { createProject } from '../support/project.ts';
import { plansFor } from './plan.ts';
import { assertTidy, lockOf, MANIFEST, useFaultyWorld } from './world.ts';

const world = useFaultyWorld();

/** Entries of the lock, the base model of `lora` included. */
const ENTRIES = 7;

const TOLD: ReadonlySet<string> = new Set(['renamed', 'replaced', 'unsafe']);

describe('audit under random faults asks about every entry, or says which it could not', () => {
  it.each(plansFor('audit'))('%s', async (_title, plan) => {
    const { hub, surroundings, underFaults } = world();
    const truth = await lockOf(world(), MANIFEST);
    const project = await createProject(hub.endpoint, MANIFEST);
    await project.writeLock(truth);

    const { ok, wasLiedTo, run } = await underFaults(plan, (signal) =>
      project.run(['audit', '--json'], { ...surroundings, signal }),
    );
    expect(await project.lockText()).toBe(truth);
    await assertTidy(project);
    const { error, findings = [], failed = [] } = run.json();
    if (error !== undefined) return;
    expect(ok).toBe(findings.length + failed.length === 0);
    expect(failed.length).toBeLessThanOrEqual(ENTRIES);
    const kinds = findings.map(({ kind }: { kind: string }) => kind);
    expect(FINDING_KINDS).toEqual(expect.arrayContaining(kinds));
    // A refusal may be any of the others, but only an answer tells of these.
    if (!wasLiedTo) expect(kinds.filter((kind: string) => TOLD.has(kind))).toEqual([]);
  });
});
