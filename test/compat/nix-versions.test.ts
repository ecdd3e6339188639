import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import { serveFiles } from '../nix/file-server.ts';
import { makeRepository } from '../nix/repository.ts';
import { lockOf } from '../support/locks.ts';
import { createNix, LIBRARY, type Nix, nixString, PKGS } from '../support/nix.ts';

const FIXTURES = path.join(import.meta.dirname, '..', 'fixtures', 'lock', 'valid');
const VALID = await readdir(FIXTURES);

describe('the Nix of this system, of Debian 13 and the current one', () => {
  const all: Nix[] = [];
  beforeAll(async () => {
    const system = await createNix('system');
    all.push(
      system,
      await createNix('stable', system.storeDir),
      await createNix('current', system.storeDir),
    );
  });
  afterAll(async () => {
    for (const nix of all) await nix.close();
  });

  /** Expects the same result from all of them. */
  async function expectSame(run: (nix: Nix) => Promise<unknown>): Promise<void> {
    const [system, stable, current] = [await run(all[0]!), await run(all[1]!), await run(all[2]!)];
    expect(stable).toEqual(system);
    expect(current).toEqual(system);
  }

  it('are three, with stores of the same path', () => {
    console.log(`Nix ${all.map(({ version }) => version).join(', ')}`);
    expect(new Set(all.map(({ version }) => version)).size).toBe(3);
    expect(new Set(all.map(({ storeDir }) => storeDir)).size).toBe(1);
  });

  it.each(VALID)('make the same derivations and store paths of %s', async (name) => {
    const hug = `(${LIBRARY} { pkgs = ${PKGS}; }).importLock ${nixString(path.join(FIXTURES, name))}`;
    const paths = `
      let
        hug = ${hug};
        values = builtins.attrValues hug.models ++ builtins.attrValues hug.datasets;
        files = builtins.concatMap (value: builtins.attrValues value.files) values;
      in
      map (value: value.drvPath + value.outPath) ([ hug.cache ] ++ values ++ files)`;
    await expectSame((nix) => nix.evaluate(paths));
  });

  it('build the same cache', async () => {
    const model = await makeRepository({
      files: { 'config.json': '{}', 'ü "x"': 'odd' },
      lfs: { 'model.bin': 'weights' },
    });
    const server = await serveFiles(model.addresses);
    onTestFinished(() => server.close());
    const lock = formatLock(lockOf({ m: model.entry }, { endpoint: server.endpoint }));
    await expectSame(async (nix) => {
      const file = path.join(nix.folder, 'hug.lock.json');
      await writeFile(file, lock);
      const hug = `(${LIBRARY} { pkgs = ${PKGS}; }).importLock ${nixString(file)}`;
      const built = await nix.build(`(${hug}).cache`);
      return [built, await nix.run('nix-hash', '--type', 'sha256', built)];
    });
  });
});
