import { expect, it } from 'vitest';
import { namedEntries, neededEntries, placeOf } from '../../src/lock/entries.ts';
import { createNeedIndex } from '../../src/lock/needs.ts';
import { chainOf, NEEDS_CASES } from '../support/needs.ts';

it.each([...NEEDS_CASES, chainOf(500)])('what entries need $title', ({ lock, of, gives }) => {
  const byPlace = new Map(
    [...namedEntries(lock), ...neededEntries(lock)].map((named) => [placeOf(named), named]),
  );
  const entries = of.flatMap((place) => byPlace.get(place) ?? []);
  expect(createNeedIndex(lock).withNeeded(entries).map(placeOf)).toEqual(gives);
});
