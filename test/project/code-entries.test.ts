import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../src/manifest/parse.ts';
import { entriesOfCode } from '../../src/project/code-entries.ts';
import type { PlacedRepo } from '../../src/python/program.ts';

let line = 0;
const load = (id: string, more: Partial<PlacedRepo> = {}): PlacedRepo => ({
  type: 'model',
  id,
  ref: 'main',
  part: {},
  mayBePath: true,
  place: `a.py:${(line += 1)}`,
  ...more,
});

const valuesOf = (...repos: readonly PlacedRepo[]) =>
  Object.fromEntries(entriesOfCode(repos, []).added.map(({ name, value }) => [name, value]));

describe('entriesOfCode', () => {
  it('makes one entry of several calls for a repository and revision, two of two revisions', () => {
    const rev = 'c'.repeat(40);
    expect(
      valuesOf(
        load('org/Big.1', { ref: 'v1/x' }),
        load('org/Big.1'),
        load('ORG/big.1'),
        load('org/Big.1', { ref: rev }),
      ),
    ).toEqual({
      'big-1': 'org/Big.1',
      'big-1-v1-x': { repo: 'org/Big.1', ref: 'v1/x' },
      'big-1-ccccccc': { repo: 'org/Big.1', ref: rev },
    });
  });

  it('gives a revision that is alone the name of the repository', () => {
    expect(valuesOf(load('org/name', { ref: 'v1' }))).toEqual({
      name: { repo: 'org/name', ref: 'v1' },
    });
  });

  it('keeps the names of several organisations, and of models and datasets, apart', () => {
    const { added } = entriesOfCode(
      [
        load('a/x'),
        load('b/x'),
        load('b_x'),
        load('x', { type: 'dataset' }),
        load('b-x'),
        load('b/X'),
      ],
      [],
    );
    expect(added.map(({ type, name, id }) => `${type} ${name} ${id}`)).toEqual([
      'model x a/x',
      'model b-x b/x',
      'model b_x b_x',
      'dataset x x',
      'model b-x-main b-x',
    ]);
  });

  it.each([
    [
      'the files of all calls',
      [{ files: ['b', 'a'] }, { files: ['a', 'c'] }],
      { files: ['a', 'b', 'c'] },
    ],
    ['everything where one call takes it', [{ files: ['a'] }, {}, { include: ['b'] }], undefined],
    ['globs and files', [{ files: ['a'] }, { include: ['*.b'] }], { include: ['*.b', 'a'] }],
    ['everything where a file is no glob', [{ files: ['a[1]'] }, { include: ['*.b'] }], undefined],
    [
      'what all exclude',
      [{ exclude: ['c'] }, { include: ['b'], exclude: ['c'] }],
      { exclude: ['c'] },
    ],
    [
      'without what some exclude',
      [{ include: ['a'], exclude: ['c'] }, { include: ['b'] }],
      { include: ['a', 'b'] },
    ],
    ['everything where two exclude others', [{ exclude: ['a'] }, { exclude: ['b'] }], undefined],
  ])('selects %s', (_, parts, select) => {
    const { name } = valuesOf(...parts.map((part) => load('org/name', { part })));
    expect(name).toEqual(select === undefined ? 'org/name' : { repo: 'org/name', ...select });
  });

  it('leaves a repository that has an entry alone', () => {
    const { entries } = parseManifest(
      'models: { a: { repo: Org/Name, ref: v1 }, b: org/name, other: x/y, z: q/r }\ndatasets: { d: org/d }',
      'hug.yaml',
    );
    const repos = [load('org/name'), load('org/name', { ref: 'v2' }), load('org/d'), load('p/z')];
    const { added, present } = entriesOfCode(repos, entries);
    expect(added.map(({ name, id }) => [name, id])).toEqual([
      ['d', 'org/d'],
      ['p-z', 'p/z'],
    ]);
    expect(present.map(({ entry, ref }) => [entry.name, ref])).toEqual([
      ['b', 'main'],
      ['a', 'v2'],
    ]);
  });

  it('names three places in the comment, and the number of the others', () => {
    const places = ['a:1', 'a:1', 'b:2', 'c:3', 'd:4', 'e:5'];
    const [entry] = entriesOfCode(
      places.map((place) => load('org/name', { place })),
      [],
    ).added;
    expect(entry?.comment).toBe('a:1, b:2, c:3 and 2 more');
    expect(entry?.places).toHaveLength(5);
  });
});
