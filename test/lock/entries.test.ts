import { describe, expect, it } from 'vitest';
import { refClashes } from '../../src/lock/entries.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';

const [ONE, TWO] = ['1'.repeat(40), '2'.repeat(40)];

describe('clashes of refs', () => {
  it('are different commits of one ref of one repository', () => {
    const lock = lockOf({
      a: lockedEntry({ rev: ONE }),
      b: lockedEntry({ rev: TWO }),
      c: lockedEntry({ rev: ONE, requested: 'name' }),
    });
    expect(refClashes(lock)).toEqual([
      'models.a and models.b have main of org/name at different commits, and one cache cannot hold both; update both',
    ]);
  });

  it('are none for other refs, repositories or types', () => {
    const rows = new Map([['a', lockedEntry({ rev: TWO })]]);
    const lock = lockOf(
      {
        a: lockedEntry({ rev: ONE }),
        same: lockedEntry({ rev: ONE }),
        dev: lockedEntry({ rev: TWO, ref: 'dev' }),
        pinned: lockedEntry({ rev: TWO, ref: TWO }),
        other: lockedEntry({ rev: TWO, repo: 'org/other' }),
      },
      { datasets: rows },
    );
    expect(refClashes(lock)).toEqual([]);
  });
});
