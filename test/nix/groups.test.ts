import { expect, it } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';
import { describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';

const entry = (name: string, groups?: readonly string[]) =>
  lockedEntry({ repo: `org/${name}`, ...(groups === undefined ? {} : { groups }) });

const LOCK = lockOf(
  { always: entry('always'), big: entry('big', ['dev', 'gpu']), small: entry('small', ['gpu']) },
  {
    datasets: new Map([['rows', entry('rows', ['dev'])]]),
    needed: new Map([
      ['models/org/base@main', entry('base')],
      ['datasets/org/table@main', entry('table')],
    ]),
  },
);

describeNix('the groups of a lock', (nix) => {
  const imported = `((${LIBRARY} { pkgs = ${PKGS}; }).importLock (builtins.fromJSON ${nixString(formatLock(LOCK))}))`;

  /** The repositories of a cache, by their folders in its plan. */
  const foldersIn = async (cache: string): Promise<string[]> => {
    const plan = await nix().evaluate(`${cache}.plan`);
    const folders = String(plan).match(/(?:models|datasets)--[a-z-]+/gu) ?? [];
    return [...new Set(folders)].toSorted();
  };
  const foldersOf = (attribute: string) => foldersIn(`${imported}.${attribute}`);

  it('have a cache each, of the entries without groups and theirs', async () => {
    expect(await foldersOf('groups.gpu.cache')).toEqual([
      'models--org--always',
      'models--org--big',
      'models--org--small',
    ]);
    expect(await foldersOf('groups.dev.cache')).toEqual([
      'datasets--org--rows',
      'models--org--always',
      'models--org--big',
    ]);
  });

  it('have one cache together', async () => {
    const folders = await Promise.all(['groups.gpu.cache', 'groups.dev.cache'].map(foldersOf));
    const joined = await foldersIn(`(${imported}.forGroups [ "gpu" "dev" ]).cache`);
    expect(joined).toEqual([...new Set(folders.flat())].toSorted());
  });

  it('are all in the cache of the lock, with all of needed', async () => {
    expect(await foldersOf('cache')).toHaveLength(6);
    expect(await nix().evaluate(`builtins.attrNames ${imported}.groups`)).toEqual(['dev', 'gpu']);
  });

  it('give the cache of the lock where they have every entry', async () => {
    const lock = lockOf({ a: entry('a', ['x']), b: entry('b') });
    const hug = `((${LIBRARY} { pkgs = ${PKGS}; }).importLock (builtins.fromJSON ${nixString(formatLock(lock))}))`;
    expect(
      await nix().evaluate(
        `let hug = ${hug}; in hug.groups.x.cache.outPath == hug.cache.outPath && hug.groups.x.env.HF_HUB_CACHE == hug.cache`,
      ),
    ).toBe(true);
  });

  it('have what is needed as models and datasets of their own', async () => {
    expect(
      await nix().evaluate(
        `builtins.mapAttrs (_: value: [ value.passthru.type value.repo value.entry ]) ${imported}.needed`,
      ),
    ).toEqual({
      'datasets/org/table@main': ['dataset', 'org/table', 'needed.datasets/org/table@main'],
      'models/org/base@main': ['model', 'org/base', 'needed.models/org/base@main'],
    });
  });
});
