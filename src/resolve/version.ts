import compareBuild from 'semver/functions/compare-build.js';
import parse from 'semver/functions/parse.js';
import satisfies from 'semver/functions/satisfies.js';
import { byCodeUnit } from '../collections.ts';

/**
 * `1.0.0-rc.1`, alone or in a range; the hyphen of the range `1.0 - 2.0` has spaces around it, and
 * one of `1.0.0+2024-05-01` is of the build. A range has no parsed form that would tell: `^1` is
 * `>=1.0.0 <2.0.0-0` to semver.
 */
const PRERELEASE = /(?<!\+[0-9A-Za-z.-]*)\d-[0-9A-Za-z-]/u;

/** Whether a tag is a version, with or without `v` in front. */
export const isVersion = (tag: string): boolean => /^v?\d/u.test(tag) && parse(tag) !== null;

/** `v1.0` or `2-rc`, which npm's semver does not take for a version. */
const SHORT_VERSION = /^v?\d+(?:\.\d+)?(?:[-+].*)?$/u;

/** Whether some tags would be versions if they had three numbers, and none is one as it is. */
export const areShortVersions = (tags: readonly string[]): boolean =>
  tags.some((tag) => SHORT_VERSION.test(tag)) && !tags.some(isVersion);

/** Whether a version is a prerelease, or a range names one. */
export const namesPrerelease = (text: string): boolean => PRERELEASE.test(text);

/**
 * The tag with the highest version in a range, by npm's semver: prereleases only when the range
 * names one. Tags that are no versions are ignored.
 *
 * @param tags names of all tags, in any order
 * @param range semver range
 * @returns `undefined` when no tag is in the range
 */
export function highestTag(tags: readonly string[], range: string): string | undefined {
  return highest(tags.filter((tag) => isVersion(tag) && satisfies(tag, range)));
}

/**
 * The tag with the highest version of all.
 *
 * @param prereleases whether those count as well
 * @returns `undefined` when no tag is such a version
 */
export function newestTag(tags: readonly string[], prereleases: boolean): string | undefined {
  return highest(tags.filter((tag) => isVersion(tag) && (prereleases || !namesPrerelease(tag))));
}

function highest(tags: readonly string[]): string | undefined {
  return tags.toSorted((a, b) => compareBuild(b, a) || byCodeUnit(a, b)).at(0);
}
