import { expect, it } from 'vitest';
import { allEntries, namedEntries, placeOf } from '../../src/lock/entries.ts';
import { createNeedIndex } from '../../src/lock/needs.ts';
import { lockedEntry, lockOf } from '../support/locks.ts';
import { chainOf, NEEDS_CASES } from '../support/needs.ts';

const needs = (...ids: string[]) => ids.map((repo) => ({ repo, ref: 'main', by: 'config.json' }));

it.each([...NEEDS_CASES, chainOf(500)])('what entries need $title', ({ lock, of, gives }) => {
  const byPlace = new Map(allEntries(lock).map((named) => [placeOf(named), named]));
  const entries = of.flatMap((place) => byPlace.get(place) ?? []);
  expect(createNeedIndex(lock).withNeeded(entries).map(placeOf)).toEqual(gives);
});

it('what entries need names the first of the entries asked about that needs it', () => {
  const lock = {
    ...lockOf({
      a: lockedEntry({ repo: 'acme/a', needs: needs('org/base') }),
      b: lockedEntry({ repo: 'acme/b', needs: needs('org/base', 'acme/a') }),
    }),
    needed: new Map([
      ['models/org/base@main', lockedEntry({ repo: 'org/base', needs: needs('org/code') })],
      ['models/org/code@main', lockedEntry({ repo: 'org/code', needs: needs('acme/b') })],
    ]),
  };
  const reasons = (...names: string[]) =>
    createNeedIndex(lock)
      .withNeeded(namedEntries(lock).filter(({ name }) => names.includes(name)))
      .map(({ name, neededBy }) => [name, neededBy?.name]);
  const base = 'models/org/base@main';
  const code = 'models/org/code@main';
  expect(reasons('a', 'b')).toEqual([
    ['a', undefined],
    ['b', undefined],
    [base, 'a'],
    [code, 'a'],
  ]);
  expect(reasons('b')).toEqual([
    ['b', undefined],
    [base, 'b'],
    ['a', 'b'],
    [code, 'b'],
  ]);
});
