import { describe, expect, it } from 'vitest';
import { compareLocks, differs, hasMoved } from '../../src/lock/compare.ts';
import type { Lock, LockedEntry } from '../../src/lock/schema.ts';
import { lockedEntry, lockedFile, lockOf } from '../support/locks.ts';

const before = lockedEntry({ repoId: 'a'.repeat(24), license: ['mit'] });

/** The one entry that differs. */
function only(
  from: LockedEntry | undefined,
  to: LockedEntry | undefined,
  over: Partial<Lock> = {},
) {
  const lock = (entry: LockedEntry | undefined, more: Partial<Lock> = {}) =>
    lockOf(entry === undefined ? {} : { m: entry }, more);
  const compared = compareLocks(lock(from, over), lock(to));
  expect(compared.length).toBeLessThan(2);
  return compared[0];
}

describe('comparing locks', () => {
  it('finds nothing in equal entries', () => {
    expect(only(before, { ...before })).toBeUndefined();
  });

  it.each<[field: string, over: Partial<LockedEntry>]>([
    ['requested', { requested: 'other' }],
    ['version', { version: '^1' }],
    ['groups', { groups: ['gpu'] }],
    ['select', { select: { quant: 'Q4' } }],
    ['needs', { needs: [{ repo: 'a/b', ref: 'main', by: 'config.json' }] }],
  ])('names the field %s', (field, over) => {
    expect(only(before, { ...before, ...over })?.fields).toEqual([field]);
  });

  it('tells licences, repositories and their ids, of both sides', () => {
    const to = { ...before, repo: 'org/new', repoId: 'b'.repeat(24), license: ['apache-2.0'] };
    expect(only(before, to)).toMatchObject({
      repo: 'org/new',
      repoBefore: 'org/name',
      license: { from: ['mit'], to: ['apache-2.0'] },
      repoId: { from: 'a'.repeat(24), to: 'b'.repeat(24) },
      fields: [],
    });
  });

  it('tells of a new and of a removed entry what there is', () => {
    expect(only(undefined, before)).toMatchObject({
      from: null,
      repoBefore: null,
      license: { from: null, to: ['mit'] },
      repoId: { from: null, to: 'a'.repeat(24) },
      fields: [],
    });
    expect(only(before, undefined)).toMatchObject({
      to: null,
      license: { from: ['mit'], to: null },
      repoId: { from: 'a'.repeat(24), to: null },
      fields: [],
    });
  });

  it('gives "other" its name, in any case, and no licence as an empty list', () => {
    const named = { ...before, license: ['Other', 'mit'], licenseName: 'own' };
    expect(only(before, named)?.license.to).toEqual(['Other (own)', 'mit']);
    const unnamed = { ...before, license: ['other'] };
    expect(only(before, unnamed)?.license.to).toEqual(['other']);
    const { license: _license, ...without } = before;
    expect(only(before, without)?.license.to).toEqual([]);
  });

  describe('of version 1 and 2', () => {
    const old = { lockfileVersion: 1 } as const;
    const { repoId: _id, license: _license, ...known } = before;

    it('is silent on what version 1 has not', () => {
      expect(only(known, { ...before, groups: ['gpu'] }, old)).toBeUndefined();
    });

    it('tells of files, commits, refs and repositories', () => {
      const moved = [
        { ...before, rev: 'd'.repeat(40) },
        { ...before, ref: 'dev' },
        { ...before, repo: 'org/other' },
        { ...before, files: new Map([['config.json', lockedFile('b')]]) },
        { ...before, files: new Map([...before.files, ['b', lockedFile('b')]]) },
        { ...before, files: new Map() },
      ];
      for (const to of moved) {
        expect(only(known, to, old)).toMatchObject({ license: { from: null }, fields: [] });
      }
    });
  });
});

describe('has moved', () => {
  const change = {
    name: 'm',
    type: 'model' as const,
    repo: 'org/name',
    from: { ref: 'main', rev: 'a' },
    to: { ref: 'main', rev: 'a' },
    added: [],
    removed: [],
    modified: [],
    classes: [],
    onlyReadme: false,
    sizeChange: 0,
    downloadBytes: 0,
  };
  it.each([
    ['nothing', {}, false],
    ['the commit', { to: { ref: 'main', rev: 'b' } }, true],
    ['the ref', { to: { ref: 'dev', rev: 'a' } }, true],
    ['a new file', { added: ['a'] }, true],
    ['a removed file', { removed: ['a'] }, true],
    ['a changed file', { modified: ['a'] }, true],
    ['a new entry', { from: null }, true],
  ])('for %s: %s', (_what, over, expected) => {
    expect(hasMoved({ ...change, ...over })).toBe(expected);
  });
});

it.each([
  [{ from: null, to: 'a' }, false],
  [{ from: 'a', to: null }, false],
  [{ from: 'a', to: 'a' }, false],
  [{ from: 'a', to: 'b' }, true],
])('differs: %o is %s', (fromTo, expected) => {
  expect(differs(fromTo)).toBe(expected);
});
