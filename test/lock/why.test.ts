import { describe, expect, it } from 'vitest';
import { placeOf } from '../../src/lock/entries.ts';
import type { Lock, LockedEntry } from '../../src/lock/schema.ts';
import { shortestChains } from '../../src/lock/why.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';

const entryOf = (repo: string, ...ids: readonly string[]) =>
  lockedEntry({ repo, needs: ids.map((id) => ({ repo: id, ref: 'main', by: `${id}.json` })) });

const lockWith = (
  models: Record<string, LockedEntry>,
  ...needed: readonly LockedEntry[]
): Lock => ({
  ...lockOf(models),
  needed: new Map(needed.map((entry) => [`models/${entry.repo}@${entry.ref}`, entry])),
});

/** Chains to some repositories: the first entry, then the file and the entry of each link. */
const chains = (lock: Lock, ...repos: readonly string[]) =>
  shortestChains(lock, ({ entry }) => repos.includes(entry.repo)).map((chain) =>
    chain.flatMap(({ named, by }) => (by === null ? [placeOf(named)] : [by, placeOf(named)])),
  );

describe('the chains to a repository', () => {
  it('begin at each entry of the manifest that leads there, and are the shortest', () => {
    const lock = lockWith(
      {
        direct: entryOf('acme/direct', 'org/code', 'org/base'),
        far: entryOf('acme/far', 'org/base'),
        other: entryOf('acme/other', 'org/elsewhere'),
      },
      entryOf('org/base', 'org/code'),
      entryOf('org/code'),
      entryOf('org/elsewhere'),
    );
    expect(chains(lock, 'org/code')).toEqual([
      ['models.direct', 'org/code.json', 'needed.models/org/code@main'],
      [
        'models.far',
        'org/base.json',
        'needed.models/org/base@main',
        'org/code.json',
        'needed.models/org/code@main',
      ],
    ]);
  });

  it('are the entry itself where the manifest has it, and those of others through it', () => {
    const lock = lockWith(
      { base: entryOf('org/base', 'org/code'), lora: entryOf('acme/lora', 'org/base') },
      entryOf('org/code'),
    );
    expect(chains(lock, 'org/base')).toEqual([
      ['models.base'],
      ['models.lora', 'org/base.json', 'models.base'],
    ]);
    expect(chains(lock, 'org/code')).toEqual([
      ['models.base', 'org/code.json', 'needed.models/org/code@main'],
      [
        'models.lora',
        'org/base.json',
        'models.base',
        'org/code.json',
        'needed.models/org/code@main',
      ],
    ]);
  });

  it('end at the nearest of several that are looked for', () => {
    const lock = lockWith(
      { lora: entryOf('acme/lora', 'org/base') },
      entryOf('org/base', 'org/code'),
      entryOf('org/code'),
    );
    expect(chains(lock, 'org/code', 'org/base')).toEqual([
      ['models.lora', 'org/base.json', 'needed.models/org/base@main'],
    ]);
  });

  it('end in cycles, and are none for what no entry needs', () => {
    const lock = lockWith(
      { a: entryOf('org/a', 'org/b'), b: entryOf('org/b', 'org/a') },
      entryOf('org/c', 'org/d'),
      entryOf('org/d', 'org/c', 'org/a'),
    );
    expect(chains(lock, 'org/a')).toEqual([['models.a'], ['models.b', 'org/a.json', 'models.a']]);
    expect(chains(lock, 'org/c')).toEqual([]);
    expect(chains(lock, 'org/nothing')).toEqual([]);
  });

  it('have a link for each of thousands, and none for a need that leads nowhere', () => {
    const ids = Array.from({ length: 5_000 }, (_, at) => `org/n${at}`);
    const needed = ids.map((id, at) => entryOf(id, 'gone/away', ...ids.slice(at + 1, at + 2)));
    const lock = lockWith({ first: entryOf('org/first', 'org/n0') }, ...needed);
    const [chain, ...others] = shortestChains(lock, ({ entry }) => entry.repo === 'org/n4999');
    expect([chain?.length, others]).toEqual([5_001, []]);
    expect(chains(lock, 'gone/away')).toEqual([]);
  });
});
