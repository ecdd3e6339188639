import { describe, expect, it } from 'vitest';
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
});
