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

  /** The plans of caches, which name the folder of each repository. */
  const foldersOf = async (attribute: string): Promise<string[]> => {
    const plan = await nix().evaluate(`${imported}.${attribute}.plan`);
    const folders = String(plan).match(/(?:models|datasets)--[a-z-]+/gu) ?? [];
    return [...new Set(folders)].toSorted();
  };

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
