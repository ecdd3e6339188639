import { describe, expect, it } from 'vitest';
import { formatLock } from '../../src/lock/codec.ts';
import { hasConflictMarkers, parseConflict } from '../../src/lock/conflict.ts';
import type { Lock } from '../../src/lock/schema.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';
import { conflictedByGit } from '../support/git-conflict.ts';

const base = lockOf({ a: lockedEntry(), b: lockedEntry() });
const ours = lockOf({ a: lockedEntry({ rev: 'a'.repeat(40) }), b: lockedEntry() });
const theirs = lockOf({
  a: lockedEntry({ rev: 'b'.repeat(40) }),
  b: lockedEntry(),
  c: lockedEntry(),
});

// Git merges the new entry c by itself, so that both sides have it.
describe('conflict markers', () => {
  it.each(['merge', 'diff3', 'zdiff3'] as const)(
    'both sides of a real %s conflict',
    async (style) => {
      const text = await conflictedByGit(style, [base, ours, theirs].map(formatLock));
      expect(hasConflictMarkers(text)).toBe(true);
      const sides = parseConflict(text, 'hug.lock.json');
      const revs = ({ models }: Lock) => [...models].map(([name, { rev }]) => [name, rev[0]]);
      expect(revs(sides.ours)).toEqual([
        ['a', 'a'],
        ['b', 'c'],
        ['c', 'c'],
      ]);
      expect(revs(sides.theirs)).toEqual([
        ['a', 'b'],
        ['b', 'c'],
        ['c', 'c'],
      ]);
    },
  );

  it('drop an entry that one side removed and the other changed', async () => {
    const removed = lockOf({ b: lockedEntry() });
    const text = await conflictedByGit('diff3', [base, ours, removed].map(formatLock));
    const sides = parseConflict(text, 'hug.lock.json');
    expect([...sides.ours.models.keys()]).toEqual(['a', 'b']);
    expect([...sides.theirs.models.keys()]).toEqual(['b']);
  });

  it('are not found in a clean lock', () => {
    expect(hasConflictMarkers(formatLock(ours))).toBe(false);
  });

  it('are an error when a side does not parse', () => {
    const text = '<<<<<<< HEAD\n{}\n=======\nnonsense\n>>>>>>> theirs\n';
    expect(() => parseConflict(text, 'hug.lock.json')).toThrow(
      expect.objectContaining({ code: 'EHUG_LOCK_CONFLICT' }),
    );
  });
});
