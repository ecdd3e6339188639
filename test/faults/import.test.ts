import { execFile } from 'node:child_process';
import {
  lstat,
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isolatedStore } from '../support/isolated-store.ts';
import { createProject } from '../support/project.ts';
import { tempFolder } from '../support/temp.ts';
import { expectedIn, foundIn } from './contents.ts';
import { lockOf, MANIFEST, useFaultyWorld } from './world.ts';

const exec = promisify(execFile);
const world = useFaultyWorld();

/** Ways in which a blob of the Hugging Face cache is not what its name says. */
const DAMAGES: Readonly<Record<string, (blob: string) => unknown>> = {
  'is empty': (blob) => truncate(blob, 0),
  'is short': async (blob) => truncate(blob, Math.max(0, (await readFile(blob)).length - 1)),
  'is long': (blob) => writeFile(blob, 'x', { flag: 'a' }),
  'has other bytes': async (blob) => writeFile(blob, Buffer.alloc((await readFile(blob)).length)),
  'is gone': (blob) => rm(blob),
  'is a folder': (blob) => replaced(blob, () => mkdir(blob)),
  'is a pipe': (blob) => replaced(blob, () => exec('mkfifo', [blob])),
  'is a link to a secret': (blob) => replaced(blob, () => symlink('/etc/passwd', blob)),
  'is a link to itself': (blob) => replaced(blob, () => symlink(blob, blob)),
  'is a device': (blob) => replaced(blob, () => symlink('/dev/zero', blob)),
};

async function replaced(blob: string, make: () => unknown): Promise<void> {
  await rm(blob);
  await make();
}

const plan = fc.array(
  fc.record({ at: fc.nat(100), damage: fc.constantFrom(...Object.keys(DAMAGES)) }),
  { minLength: 1, maxLength: 4 },
);
const plans = fc
  .sample(plan, {
    seed: Number(process.env['FAULT_SEED']),
    numRuns: Math.ceil(Number(process.env['FAULT_RUNS']) / 10),
  })
  .map(
    (steps) => [steps.map(({ at, damage }) => `blob ${at} ${damage}`).join(' + '), steps] as const,
  );

describe('import from a damaged cache', () => {
  it.each(plans)('%s', async (_title, steps) => {
    const { hub, surroundings } = world();
    const lockText = await lockOf(world(), MANIFEST);
    const project = await createProject(hub.endpoint, MANIFEST);
    await project.writeLock(lockText);
    const store = await isolatedStore();
    const home = await tempFolder('home');
    const cache = path.join(home, 'hf', 'hub');
    const env = { ...surroundings.env, XDG_CACHE_HOME: home, HF_HOME: `${home}/hf` };
    // Without Nix, the export takes everything from the hub.
    const made = await project.run(['export'], {
      ...surroundings,
      env: { ...env, PATH: home },
      home,
    });
    expect([made.status, made.stderr]).toEqual([0, expect.anything()]);
    const blobs = (await readdir(cache, { recursive: true }))
      .filter((name) => /\/blobs\/[^/]+$/u.test(name))
      .toSorted();
    for (const { at, damage } of steps) {
      const blob = path.join(cache, blobs[at % blobs.length] ?? '');
      // Two damages may be for one blob; what is no file any more is damaged enough.
      const stats = await lstat(blob).catch(() => undefined);
      if (stats?.isFile() === true) await DAMAGES[damage]?.(blob);
    }
    hub.clearRequests();

    const { status, json } = await project.run(['import', '--json'], {
      ...surroundings,
      env: { ...store.env, ...env },
      home,
    });
    if (status !== 0) expect(json().error.code).toBe('EHUG_NOT_CACHED');
    const expected = expectedIn(store, lockText);
    const found = await foundIn(store);
    for (const [name, hash] of found) expect([name, hash]).toEqual([name, expected.get(name)]);
    if (status === 0) expect(found.size).toBe(expected.size);
    expect(hub.requests).toEqual([]);
  });
});
