import { describe, expect, it } from 'vitest';
import type { Manifest, ManifestEntry } from '../../src/manifest/schema.ts';
import { driftOf } from '../../src/resolve/drift.ts';
import { sharedCommits } from '../../src/resolve/shared-commit.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';

const OLD = '1'.repeat(40);

const entry = (name: string, over: Partial<ManifestEntry> = {}): ManifestEntry => ({
  name,
  type: 'model',
  repo: 'org/name',
  want: { ref: 'main' },
  position: { line: 1, column: 1 },
  ...over,
});

/** Which stale entries share the commit of which others. */
function shared(manifest: Manifest, lock = lockOf({ kept: lockedEntry({ rev: OLD }) })) {
  const { stale } = driftOf(manifest, lock);
  return [...sharedCommits(manifest, lock, stale)].map(([wanted, other]) => [
    `${wanted.type} ${wanted.name}`,
    `${other.type} ${other.name}`,
    other.entry.rev[0],
  ]);
}

const beside = (...entries: ManifestEntry[]): Manifest => ({
  entries: [entry('kept'), ...entries],
});

describe('a commit is shared', () => {
  it('by each new entry of the same ref, whatever its files', () => {
    const some = entry('some', { select: { files: ['a'] } });
    expect(shared(beside(entry('all'), some))).toEqual([
      ['model all', 'model kept', '1'],
      ['model some', 'model kept', '1'],
    ]);
  });

  it('by an entry whose text changed', () => {
    const lock = lockOf({ kept: lockedEntry({ rev: OLD }), changed: lockedEntry({ ref: 'dev' }) });
    expect(shared(beside(entry('changed')), lock)).toEqual([['model changed', 'model kept', '1']]);
  });

  it('by entries of the same range, or of the same commit', () => {
    const lock = lockOf({
      range: lockedEntry({ version: '^1', ref: 'v1.2.0', rev: OLD }),
      pinned: lockedEntry({ ref: OLD, rev: OLD }),
    });
    const range = { want: { version: '^1' } };
    const pinned = { want: { ref: OLD } };
    const entries = [
      entry('range', range),
      entry('pinned', pinned),
      entry('newRange', range),
      entry('newPinned', pinned),
    ];
    expect(shared({ entries }, lock)).toEqual([
      ['model newRange', 'model range', '1'],
      ['model newPinned', 'model pinned', '1'],
    ]);
  });

  it.each(['gpt2', 'openai-community/gpt2', 'OpenAI-Community/GPT2'])(
    'by a repository requested as %s',
    (repo) => {
      const lock = lockOf({
        kept: lockedEntry({ repo: 'openai-community/gpt2', requested: 'gpt2', rev: OLD }),
      });
      const entries = [entry('kept', { repo: 'gpt2' }), entry('new', { repo })];
      expect(shared({ entries }, lock)).toEqual([['model new', 'model kept', '1']]);
    },
  );

  it('with the first by name, when some are at different commits', () => {
    const lock = lockOf({ b: lockedEntry(), a: lockedEntry({ rev: OLD }) });
    expect(shared({ entries: [entry('b'), entry('a'), entry('new')] }, lock)).toEqual([
      ['model new', 'model a', '1'],
    ]);
  });
});

describe('no commit is shared', () => {
  it.each<[string, Partial<ManifestEntry>]>([
    ['another ref', { want: { ref: 'dev' } }],
    ['the locked commit as ref', { want: { ref: OLD } }],
    ['a range', { want: { version: '^1' } }],
    ['another repository', { repo: 'org/other' }],
    ['another type', { type: 'dataset' }],
  ])('with %s', (_what, over) => {
    expect(shared(beside(entry('new', over)))).toEqual([]);
  });

  it.each([{ version: '^2' }, { ref: 'v1.2.0' }])('of a range with %o', (want) => {
    const lock = lockOf({ kept: lockedEntry({ version: '^1', ref: 'v1.2.0' }) });
    const entries = [entry('kept', { want: { version: '^1' } }), entry('new', { want })];
    expect(shared({ entries }, lock)).toEqual([]);
  });

  it('with an entry that changed, too, or that the manifest no longer has', () => {
    const changed = entry('kept', { select: { files: ['a'] } });
    expect(shared({ entries: [changed, entry('new')] })).toEqual([]);
    expect(shared({ entries: [entry('new')] })).toEqual([]);
  });

  it('with a lock of another Hub', () => {
    expect(shared({ ...beside(entry('new')), endpoint: 'https://hub.example' })).toEqual([]);
  });
});
