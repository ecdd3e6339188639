import { describe, expect, it } from 'vitest';
import { snapshotOfEntry } from '../../src/copy/blob.ts';
import { viewedRepos } from '../../src/copy/viewed.ts';
import { lockedEntry } from '../support/locks.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

/** A snapshot of an entry. */
const snapshot = (name: string, over: Parameters<typeof lockedEntry>[0]) =>
  snapshotOfEntry({ type: 'model', name, entry: lockedEntry(over) }, undefined);

/** The refs of each repository, by its folder. */
const refsOf = (...snapshots: readonly ReturnType<typeof snapshot>[]) =>
  Object.fromEntries(
    viewedRepos(snapshots).map(({ folder, refs }) => [folder, Object.fromEntries(refs)]),
  );

describe('the refs of a view', () => {
  it('are main, the ref and the commit of the only revision', () => {
    expect(refsOf(snapshot('a', { ref: 'v1', rev: A }))).toEqual({
      'models--org--name': { main: A, v1: A, [A]: A },
    });
  });

  it('have no main where a repository has several revisions, and none is main', () => {
    const several = [snapshot('a', { ref: 'v1', rev: A }), snapshot('b', { ref: B, rev: B })];
    expect(refsOf(...several)).toEqual({ 'models--org--name': { v1: A, [A]: A, [B]: B } });
  });

  it('are the same under the id that was asked for', () => {
    const refs = { main: A, [A]: A };
    expect(refsOf(snapshot('a', { requested: 'old/name', rev: A }))).toEqual({
      'models--old--name': refs,
      'models--org--name': refs,
    });
  });

  it('cannot be at two commits', () => {
    const both = [snapshot('a', { rev: A }), snapshot('b', { rev: B })];
    expect(() => viewedRepos(both)).toThrow(
      expect.objectContaining({
        code: 'EHUG_LOCK_INVALID',
        message: `main of org/name is ${A} in models.a, but ${B} in models.b`,
      }),
    );
  });
});
