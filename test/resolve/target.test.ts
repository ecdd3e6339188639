import { describe, expect, it } from 'vitest';
import {
  areShortVersions,
  namesPrerelease,
  newestTag,
  tagsInRange,
} from '../../src/resolve/target.ts';

const tags = ['latest', '1.2', 'v1.2.0', '1.2.9', 'v1.10.0', '2.0.0-rc.1', 'v2', 'release-3.0.0'];

describe('highest tag in a range', () => {
  it.each([
    ['^1.2', 'v1.10.0'],
    ['~1.2', '1.2.9'],
    ['1.2.0', 'v1.2.0'],
    ['^2.0.0-rc.0', '2.0.0-rc.1'],
    ['>=2', undefined],
    ['^3', undefined],
    ['*', 'v1.10.0'],
    ['1.2.0 || 1.2.9', '1.2.9'],
  ])('%s is %s', (range, expected) => {
    expect(tagsInRange(tags, range)[0]).toBe(expected);
    expect(tagsInRange(tags.toReversed(), range)[0]).toBe(expected);
  });

  it('prefers the same spelling of one version, in any order', () => {
    expect(tagsInRange(['v1.0.0', '1.0.0'], '^1')).toEqual(['1.0.0', 'v1.0.0']);
    expect(tagsInRange(['1.0.0', 'v1.0.0'], '^1')).toEqual(['1.0.0', 'v1.0.0']);
  });
});

describe('newest tag', () => {
  it.each([
    [['v1.0.0', '2.0.0-rc.1', 'latest', 'v3', 'release-9.0.0'], false, 'v1.0.0'],
    [['v1.0.0', '2.0.0-rc.1'], true, '2.0.0-rc.1'],
    [['v1.0.0', '1.0.0-rc.1'], true, 'v1.0.0'],
    [['2.0.0-rc.1', 'main'], false, undefined],
    [['v1.0.0', 'v2.0.0+2024-05-01', '3.0.0-rc.1+2024-05-01'], false, 'v2.0.0+2024-05-01'],
    [[], true, undefined],
  ])('of %o, prereleases %s, is %s', (from, prereleases, expected) => {
    expect(newestTag(from, prereleases)).toBe(expected);
  });
});

describe('short versions', () => {
  it.each([
    [['v1.0', '2', 'latest'], true],
    [['v1.0-beta'], true],
    [['v1.0', 'v1.1.0'], false],
    [['latest', 'v1.x', '1.0.0.0'], false],
    [[], false],
  ])('are the tags %o: %s', (among, expected) => {
    expect(areShortVersions(among)).toBe(expected);
  });
});

describe('a prerelease', () => {
  it.each([
    ['v1.0.0-rc.1', true],
    ['^1.0.0-0', true],
    ['>=1.2 <2.0.0-beta', true],
    ['1.0.0--1', true],
    ['1.0.0-rc.1+2024-05-01', true],
    ['1.0.0+2024-05-01||2.0.0-rc.1', true],
    ['1.0.0+2024-05-01', false],
    ['^1.0.0+2024-05-01', false],
    ['1.0.0', false],
    ['1.0 - 2.0', false],
    ['^1.2 || ~3', false],
  ])('is named by %s: %s', (text, expected) => {
    expect(namesPrerelease(text)).toBe(expected);
  });
});
