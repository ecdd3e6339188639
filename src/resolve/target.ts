import compareBuild from 'semver/functions/compare-build.js';
import parse from 'semver/functions/parse.js';
import satisfies from 'semver/functions/satisfies.js';
import { byCodeUnit } from '../collections.ts';
import { isGitId } from '../digest.ts';
import { HugError } from '../errors.ts';
import type { HubApi, Revision } from '../hub/api.ts';
import type { LockedEntry } from '../lock/schema.ts';
import type { WantedEntry } from '../manifest/schema.ts';
import type { KnownRepos } from './identity.ts';
import type { License } from './license.ts';

/** The commit that an entry of a manifest means at the moment. */
export interface Target {
  /** Branch, tag or commit; the chosen tag for a version range. */
  readonly ref: string;
  /** The commit that the Hub has there. */
  readonly at: Revision;
  /** The licence at that commit, where the lock knows it already. */
  readonly license?: License | undefined;
  /** Names of all tags, when a version range had to choose among them. */
  readonly tags?: readonly string[];
}

/** What looking up a commit needs. */
export interface LookupContext {
  readonly hub: HubApi;
  /** The repositories that are locked; without it none is known. */
  readonly repos?: KnownRepos;
}

/**
 * Looks up the commit of an entry.
 *
 * @param locked the entry in the lock; explains the error for what the Hub had when it was locked
 * @throws HugError of the Hub client; `EHUG_VERSION`, `EHUG_REPO_REPLACED`
 */
export async function targetOf(
  entry: WantedEntry,
  { hub, repos }: LookupContext,
  locked?: LockedEntry,
): Promise<Target> {
  try {
    const target = await lookUp(entry, hub);
    return repos === undefined ? target : { ...target, at: repos.confirm(entry, target.at) };
  } catch (error) {
    throw locked === undefined ? error : explainMissing(error, entry, locked);
  }
}

async function lookUp({ type, repo, want }: WantedEntry, hub: HubApi): Promise<Target> {
  if ('ref' in want) return { ref: want.ref, at: await hub.revision(type, repo, want.ref) };
  const tags = await hub.tags(type, repo);
  const ref = highestTag(tags, want.version);
  if (ref === undefined) {
    const problem = `no tag of ${type} ${repo} is in the range ${want.version}`;
    throw new HugError('EHUG_VERSION', problem, { hint: hintOfTags(tags) });
  }
  return { ref, at: await hub.revision(type, repo, ref), tags };
}

/**
 * Asks the Hub for a commit that is known: that of the lock, or where the user has an entry begin.
 *
 * @throws HugError of the Hub client; `EHUG_REPO_REPLACED`
 */
export async function targetAtCommit(
  wanted: WantedEntry,
  { ref, rev }: Pick<LockedEntry, 'ref' | 'rev'>,
  { hub, repos }: LookupContext,
): Promise<Target> {
  const at = await hub.revision(wanted.type, wanted.repo, rev);
  return { ref, at: repos?.confirm(wanted, at) ?? at };
}

/** The commit of a locked entry, without asking the Hub. */
export const lockedTarget = ({ repo, repoId, ref, rev }: LockedEntry): Target => ({
  ref,
  at: { id: repo, rev, ...(repoId === undefined ? {} : { repoId }) },
});

/** Whether an entry names a commit, which never moves. */
export const isPinned = ({ want }: WantedEntry): boolean => 'ref' in want && isGitId(want.ref);

/** Warnings when the Hub has renamed a repository since it was locked, or the user accepted another one. */
export const renameWarnings = (
  locked: LockedEntry,
  { id, repoId }: Revision,
): readonly string[] => [
  ...(id === locked.repo ? [] : [`${locked.repo} is now ${id} on the Hub`]),
  ...(repoId === undefined || locked.repoId === undefined || repoId === locked.repoId
    ? []
    : [`accepted ${id} (${repoId}) in place of ${locked.repo} (${locked.repoId})`]),
];

/** The error for a repository or commit that the Hub had when it was locked; else the same error. */
function explainMissing(error: unknown, entry: WantedEntry, { repo, rev }: LockedEntry): unknown {
  if (!(error instanceof HugError)) return error;
  const { code, hint = '' } = error;
  const what = `${entry.type} ${repo}`;
  if (code === 'EHUG_REPO_NOT_FOUND') {
    const problem = `${what} was on the Hub when it was locked, and is deleted or private now`;
    return new HugError(code, problem, {
      hint: `Files that the Nix store or a binary cache has stay usable. ${hint}`.trim(),
      cause: error,
    });
  }
  if (code === 'EHUG_REVISION_NOT_FOUND' && isPinned(entry)) {
    const problem = `${what} has lost the commit ${rev}: its history was rewritten`;
    return new HugError(code, problem, {
      hint: 'Set ref to another commit, or to a branch.',
      cause: error,
    });
  }
  return error;
}

/** Whether a tag is a version, with or without `v` in front. */
export const isVersion = (tag: string): boolean => /^v?\d/u.test(tag) && parse(tag) !== null;

/**
 * `1.0.0-rc.1`, alone or in a range. The hyphen of the range `1.0 - 2.0` has spaces around it, and
 * the one of `1.0.0+2024-05-01` belongs to the build. semver's parsed form of a range does not tell:
 * it reads `^1` as `>=1.0.0 <2.0.0-0`.
 */
const PRERELEASE = /(?<!\+[0-9A-Za-z.-]*)\d-[0-9A-Za-z-]/u;

/** Whether a version is a prerelease, or a range names one. */
export const namesPrerelease = (text: string): boolean => PRERELEASE.test(text);

/**
 * The tag with the highest version in a range, by npm's semver: prereleases only when the range
 * names one. Tags that are not versions are ignored.
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
 * @param prereleases whether prereleases count
 * @returns `undefined` when no tag is such a version
 */
export function newestTag(tags: readonly string[], prereleases: boolean): string | undefined {
  return highest(tags.filter((tag) => isVersion(tag) && (prereleases || !namesPrerelease(tag))));
}

function highest(tags: readonly string[]): string | undefined {
  return tags.toSorted((a, b) => compareBuild(b, a) || byCodeUnit(a, b)).at(0);
}

/** `v1.0` or `2-rc`, which is not a version for npm's semver. */
const SHORT_VERSION = /^v?\d+(?:\.\d+)?(?:[-+].*)?$/u;

/** Whether some tags have fewer than three numbers, and no tag is a version. */
export const areShortVersions = (tags: readonly string[]): boolean =>
  tags.some((tag) => SHORT_VERSION.test(tag)) && !tags.some(isVersion);

const MAX_TAGS_IN_HINT = 10;

function hintOfTags(tags: readonly string[]): string {
  if (tags.length === 0) return 'The repository has no tags; use ref.';
  const short = 'A version has three numbers, as in 1.2.0; name a tag like these with ref. ';
  const names = tags.slice(0, MAX_TAGS_IN_HINT).join(', ');
  const more = tags.length > MAX_TAGS_IN_HINT ? ', …' : '';
  return `${areShortVersions(tags) ? short : ''}Its tags: ${names}${more}`;
}
