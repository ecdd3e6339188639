import { describe, expect, it } from 'vitest';
import { highestTag } from '../../src/resolve/version.ts';

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
    expect(highestTag(tags, range)).toBe(expected);
    expect(highestTag(tags.toReversed(), range)).toBe(expected);
  });

  it('prefers the same spelling whatever the order, when two tags are one version', () => {
    expect(highestTag(['v1.0.0', '1.0.0'], '^1')).toBe('1.0.0');
    expect(highestTag(['1.0.0', 'v1.0.0'], '^1')).toBe('1.0.0');
  });
});
