import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseLock } from '../../src/lock/codec.ts';
import { namedEntries } from '../../src/lock/entries.ts';
import { placeFiles } from '../../src/store/plan.ts';
import { type IsolatedStore, isolatedStore, storeObjects } from '../support/isolated-store.ts';
import { createProject } from '../support/project.ts';
import { tempFolder } from '../support/temp.ts';
import { plansFor } from './plan.ts';
import { lockOf, MANIFEST, useFaultyWorld } from './world.ts';

const world = useFaultyWorld();

/** The digest by base name of everything that a lock puts into a store. */
function expectedIn({ folder }: IsolatedStore, lockText: string): Map<string, string> {
  const files = placeFiles(namedEntries(parseLock(lockText, 'lock')), folder);
  return new Map(files.map(({ storePath, file }) => [path.basename(storePath), file.hash]));
}

/** The digest by base name of everything that is in a store. */
async function foundIn(store: IsolatedStore): Promise<Map<string, string>> {
  const names = await storeObjects(store);
  const hashes = names.map(async (name): Promise<[string, string]> => {
    const bytes = await readFile(path.join(store.folder, name));
    return [name, `sha256-${createHash('sha256').update(bytes).digest('base64')}`];
  });
  return new Map(await Promise.all(hashes));
}

describe('fetch', () => {
  it.each(plansFor('fetch'))('%s', async (_title, plan) => {
    const { hub, surroundings, underFaults } = world();
    const lockText = await lockOf(world(), MANIFEST);
    const project = await createProject(hub.endpoint, MANIFEST);
    await project.writeLock(lockText);
    const store = await isolatedStore();
    const home = await tempFolder('home');
    const env = { ...store.env, ...surroundings.env, XDG_CACHE_HOME: home, HF_HOME: `${home}/hf` };
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
