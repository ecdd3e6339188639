import compareBuild from 'semver/functions/compare-build.js';
import parse from 'semver/functions/parse.js';
import satisfies from 'semver/functions/satisfies.js';
import { byCodeUnit } from '../code-unit.ts';

/**
 * The tag with the highest version in a range, by npm's semver: prereleases only when the range
 * names one. Tags that are no versions (with or without `v` in front) are ignored.
 *
 * @param tags names of all tags, in any order
 * @param range semver range
 * @returns `undefined` when no tag is in the range
 */
export function highestTag(tags: readonly string[], range: string): string | undefined {
  return tags
    .filter((tag) => /^v?\d/u.test(tag) && parse(tag) !== null && satisfies(tag, range))
    .toSorted((a, b) => compareBuild(b, a) || byCodeUnit(a, b))
    .at(0);
}
