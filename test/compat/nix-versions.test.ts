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

describe('this Nix and the current one', () => {
  let system: Nix;
  let current: Nix;
  beforeAll(async () => {
    system = await createNix('system');
    current = await createNix('current', system.storeDir);
  });
  afterAll(async () => {
    await system.close();
    await current.close();
  });

  const onBoth = async <T>(run: (nix: Nix) => Promise<T>): Promise<[T, T]> => [
    await run(system),
    await run(current),
  ];

  it('are two, with stores of the same path', () => {
    expect(current.version).not.toBe(system.version);
    expect(current.storeDir).toBe(system.storeDir);
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
    const [one, other] = await onBoth((nix) => nix.evaluate(paths));
    expect(other).toEqual(one);
  });

  it('build the same cache', async () => {
    const model = await makeRepository({
      files: { 'config.json': '{}', 'ü "x"': 'odd' },
      lfs: { 'model.bin': 'weights' },
    });
    const server = await serveFiles(model.addresses);
    onTestFinished(() => server.close());
    const lock = formatLock(lockOf({ m: model.entry }, { endpoint: server.endpoint }));
    const [one, other] = await onBoth(async (nix) => {
      const file = path.join(nix.folder, 'hug.lock.json');
      await writeFile(file, lock);
      const hug = `(${LIBRARY} { pkgs = ${PKGS}; }).importLock ${nixString(file)}`;
      const built = await nix.build(`(${hug}).cache`);
      return [built, await nix.run('nix-hash', '--type', 'sha256', built)];
    });
    expect(other).toEqual(one);
  });
});
