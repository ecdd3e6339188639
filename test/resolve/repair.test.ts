import { describe, expect, it } from 'vitest';
import type { Lock } from '../../src/lock/schema.ts';
import type { ManifestEntry } from '../../src/manifest/schema.ts';
import { repairLock } from '../../src/resolve/repair.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';

const entryOf = (name: string): ManifestEntry => ({
  name,
  type: 'model',
  repo: 'org/name',
  want: { ref: 'main' },
  position: { line: 1, column: 1 },
});
const at = (digit: string) => lockedEntry({ rev: digit.repeat(40) });
const stale = lockedEntry({ ref: 'old' });

describe('repair of a conflict', () => {
  it('takes each entry from the side that satisfies the manifest, and warns of a choice', () => {
    const wanted = ['same', 'ours', 'theirs', 'both', 'left', 'neither', 'new'].map(entryOf);
    const { entries, contested, warnings } = repairLock(
      { entries: wanted },
      {
        ours: lockOf({
          same: at('1'),
          ours: at('2'),
          theirs: stale,
          both: at('3'),
          neither: stale,
        }),
        theirs: lockOf({
          same: at('1'),
          theirs: at('4'),
          both: at('5'),
          neither: stale,
          left: at('6'),
        }),
      },
    );
    expect([...entries].map(([{ name }, { rev }]) => [name, rev[0]])).toEqual([
      ['same', '1'],
      ['ours', '2'],
      ['theirs', '4'],
      ['both', '3'],
      ['left', '6'],
    ]);
    expect([...contested].map(({ name }) => name)).toEqual(['theirs', 'both']);
    expect(warnings).toEqual([
      `models.both: the sides have different commits; kept ours, ${'3'.repeat(40)}`,
    ]);
  });

  it('takes an entry that only one side has without doubt', () => {
    const sides = { ours: lockOf({}), theirs: lockOf({ a: at('1') }) };
    expect(repairLock({ entries: [entryOf('a'), entryOf('b')] }, sides)).toMatchObject({
      contested: new Set(),
      warnings: [],
    });
  });

  describe('keeps beside the entries', () => {
    const needed = (...names: string[]) => ({
      needed: new Map(
        names.map((name) => [`models/org/${name}@main`, lockedEntry({ repo: `org/${name}` })]),
      ),
    });
    const old = { lockfileVersion: 1 } as const;
    const restOf = (ours: Lock, theirs: Lock) => repairLock({ entries: [] }, { ours, theirs }).rest;

    it('what entries of both sides need, ours where both have it', () => {
      const theirs = lockOf({ a: at('1') }, needed('one', 'two'));
      const ours = lockOf({}, { needed: new Map([['models/org/two@main', at('2')]]) });
      const rest = restOf(ours, theirs);
      expect(rest).toMatchObject({ lockfileVersion: 2, models: new Map(), datasets: new Map() });
      expect([...(rest.needed ?? [])].map(([key, { rev }]) => [key, rev[0]])).toEqual([
        ['models/org/one@main', 'c'],
        ['models/org/two@main', '2'],
      ]);
    });

    it('nothing where nothing is needed', () => {
      expect(restOf(lockOf({}), lockOf({}))).toEqual(lockOf({}));
    });

    it.each([
      ['ours', lockOf({}, old), lockOf({}, needed('one'))],
      ['theirs', lockOf({}, needed('one')), lockOf({}, old)],
    ])('the older version, which needs nothing: %s', (_, ours, theirs) => {
      expect(restOf(ours, theirs)).toEqual(lockOf({}, old));
    });
  });
});
