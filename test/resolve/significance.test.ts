import { describe, expect, it } from 'vitest';
import type { LockedEntry } from '../../src/lock/schema.ts';
import type { WantedEntry } from '../../src/manifest/schema.ts';
import type { Moved } from '../../src/resolve/move.ts';
import { keepInsignificant, onlyDocsChanged } from '../../src/resolve/significance.ts';
import { lockedEntry, lockedFile } from '../support/locks.ts';

const before = lockedEntry({
  license: ['mit'],
  files: new Map([
    ['README.md', lockedFile('r')],
    ['config.json', lockedFile('c')],
  ]),
});

const rev = 'd'.repeat(40);

/** The entry at a newer commit, with another README. */
const newer = (over: Partial<LockedEntry> = {}): LockedEntry => ({
  ...before,
  rev,
  files: new Map([...before.files, ['README.md', lockedFile('s')]]),
  ...over,
});

const withFile = (path: string) =>
  newer({ files: new Map([...before.files, [path, lockedFile('x')]]) });

describe('only docs changed', () => {
  it.each([
    ['the README', newer(), true],
    ['no file', newer({ files: before.files }), true],
    ['a new licence file', withFile('LICENSE'), true],
    ['a README that is gone', newer({ files: new Map([['config.json', lockedFile('c')]]) }), true],
    ['the ref, as of a version range', newer({ ref: 'v1.1' }), true],
    ['the groups of the manifest', newer({ groups: ['gpu'] }), true],
    ['the date under minimumAge', newer({ date: '2024-01-01T00:00:00Z' }), true],
    ['a tokenizer', withFile('tokenizer.json'), false],
    ['code', withFile('modeling.py'), false],
    ['a file of no known kind', withFile('notes.txt'), false],
    ['a configuration that is gone', newer({ files: new Map() }), false],
    ['another licence', newer({ license: ['apache-2.0'] }), false],
    ['another name of the licence', newer({ licenseName: 'house' }), false],
    ['another repository', newer({ repo: 'org/other' }), false],
    ['another id of the repository', newer({ repoId: '1'.repeat(24) }), false],
    ['another need', newer({ needs: [{ repo: 'org/b', ref: 'main', by: 'README.md' }] }), false],
  ])('with %s: %#', (_title, after, expected) => {
    expect(onlyDocsChanged('model', before, after)).toBe(expected);
  });

  it('is decided by the type: an image of a dataset is data', () => {
    expect(onlyDocsChanged('model', before, withFile('cat.png'))).toBe(true);
    expect(onlyDocsChanged('dataset', before, withFile('cat.png'))).toBe(false);
  });
});

const entry = (name: string): WantedEntry => ({
  name,
  type: 'model',
  repo: 'org/name',
  want: { ref: 'main' },
});

const move = (after: LockedEntry, over: Partial<Moved> = {}): Moved => ({
  entry: after,
  warnings: [],
  dates: { to: '2024-01-01T00:00:00Z' },
  ...over,
});

describe('entries that stay', () => {
  const [a, b] = [entry('a'), entry('b')];

  it('keep the locked entry and are listed with both', () => {
    const { moves, kept } = keepInsignificant(new Map([[a, move(newer())]]), () => before);
    expect(moves.get(a)?.entry).toBe(before);
    expect(moves.get(a)?.dates).toEqual({});
    expect(kept).toEqual([{ type: 'model', name: 'a', locked: before, newest: newer() }]);
  });

  it('are not listed at their newest commit', () => {
    const { moves, kept } = keepInsignificant(new Map([[a, move(before)]]), () => before);
    expect([moves.get(a)?.entry, kept]).toEqual([before, []]);
  });

  it.each([
    ['is not locked', move(newer()), undefined],
    ['has lost its commit', move(newer(), { isLost: true }), before],
    ['changed otherwise', move(withFile('w.gguf')), before],
  ])('are none where the entry %s', (_title, moved, locked) => {
    const { moves, kept } = keepInsignificant(new Map([[a, moved]]), () => locked);
    expect([moves.get(a), kept]).toEqual([moved, []]);
  });

  it('move with another entry of the same ref of the repository', () => {
    const other = move(withFile('w.gguf'));
    const both = new Map([
      [a, move(newer())],
      [b, other],
    ]);
    const { moves, kept } = keepInsignificant(both, () => before);
    expect([moves, kept]).toEqual([both, []]);
    const apart = new Map([
      [a, move(newer())],
      [b, move({ ...other.entry, ref: 'v1' })],
    ]);
    expect(keepInsignificant(apart, () => before).kept).toHaveLength(1);
  });
});
