import { copyFile, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createExampleRepos } from './support/example-repos.ts';
import { type Hub, startHub } from './support/hub/index.ts';
import { describeNix, LIBRARY, nixString, PKGS } from './support/nix.ts';
import { runCli } from './support/run-cli.ts';
import { tempFolder } from './support/temp.ts';

// Locks of the examples as nix-hug 0.1 wrote them, in version 1 of the format.
const FROZEN = path.join(import.meta.dirname, 'fixtures', 'lock', 'version-1');
const EXAMPLES = path.join(import.meta.dirname, '..', 'examples');
const names = (await readdir(FROZEN)).map((file) => path.basename(file, '.json'));

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  await createExampleRepos(hub);
});
afterAll(() => hub.close());

/** An example with its lock of version 1. */
async function old(name: string) {
  const folder = await tempFolder(name);
  const lock = path.join(folder, 'hug.lock.json');
  await copyFile(path.join(FROZEN, `${name}.json`), lock);
  await copyFile(path.join(EXAMPLES, name, 'hug.yaml'), path.join(folder, 'hug.yaml'));
  const run = (...argv: string[]) =>
    runCli(argv, { cwd: folder, env: { HF_ENDPOINT: hub.endpoint } });
  return { lock, run };
}

describe.each(names)('the lock of examples/%s in version 1', (name) => {
  it('is old, not wrong', async () => {
    const { run } = await old(name);
    const { status, json } = await run('lock', '--check', '--json');
    expect([status, json().reasons]).toEqual([
      3,
      [{ entry: null, type: null, reason: 'has version 1 of the format; version 2 is current' }],
    ]);
  });

  it('is upgraded to the very bytes of the lock that is there now', async () => {
    const { run, lock } = await old(name);
    expect((await run('lock')).status).toBe(0);
    expect(await readFile(lock, 'utf8')).toBe(
      await readFile(path.join(EXAMPLES, name, 'hug.lock.json'), 'utf8'),
    );
  });
});

describeNix('locks of version 1', (nix) => {
  it.each(names)('of examples/%s give the store paths of the upgraded ones', async (name) => {
    const pathsOf = async (lock: string) =>
      nix().evaluate(`
        let
          content = builtins.fromJSON ${nixString(await readFile(lock, 'utf8'))};
          hug = (${LIBRARY} { pkgs = ${PKGS}; }).importLock content;
        in
        {
          cache = hug.cache.outPath;
          models = builtins.mapAttrs (_: model: model.outPath) (hug.models // hug.datasets);
        }`);
    const { run, lock } = await old(name);
    const before = await pathsOf(path.join(FROZEN, `${name}.json`));
    expect((await run('lock')).status).toBe(0);
    expect(await pathsOf(lock)).toEqual(before);
  });
});
