import compareBuild from 'semver/functions/compare-build.js';
import parse from 'semver/functions/parse.js';
import satisfies from 'semver/functions/satisfies.js';
import { byCodeUnit } from '../collections.ts';
import { isGitId } from '../digest.ts';
import { HugError } from '../errors.ts';
import type { HubApi, Revision } from '../hub/api.ts';
import type { LockedEntry } from '../lock/schema.ts';
import type { WantedEntry } from '../manifest/schema.ts';
import { dateOfCommit, notAfter, oldEnoughAt } from './age.ts';
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
  /** When the commit was made, ISO 8601, where the policy needs it. */
  readonly date?: string | undefined;
  /** Names of all tags, when a version range had to choose among them. */
  readonly tags?: readonly string[];
  /** A newer commit of the ref or range, which is not old enough yet. */
  readonly waiting?: Waiting;
}

/** A commit that is not old enough yet. */
export interface Waiting {
  readonly ref: string;
  readonly rev: string;
  readonly date: string;
}

/** What looking up a commit needs. */
export interface LookupContext {
  readonly hub: HubApi;
  /** The present, in ms since 1970. */
  readonly now: number;
  /** The repositories that are locked; without it none is known. */
  readonly repos?: KnownRepos;
}

/**
 * Looks up the commit of an entry: under `minimumAge` the newest one that is old enough.
 *
 * @param locked the entry in the lock; explains the error for what the Hub had when it was locked
 * @throws HugError of the Hub client; `EHUG_VERSION`, `EHUG_REPO_REPLACED`; `EHUG_POLICY` when none
 *   is old enough
 */
export async function targetOf(
  entry: WantedEntry,
  { hub, repos, now }: LookupContext,
  locked?: LockedEntry,
): Promise<Target> {
  try {
    const target = await lookUp(entry, hub, now);
    return repos === undefined ? target : { ...target, at: repos.confirm(entry, target.at) };
  } catch (error) {
    throw locked === undefined ? error : explainMissing(error, entry, locked);
  }
}

/** Most tags that are asked for their age, two requests each. */
const MAX_TRIED = 100;

async function lookUp(entry: WantedEntry, hub: HubApi, now: number): Promise<Target> {
  const { type, repo, want, minAge } = entry;
  const latest = minAge === undefined ? undefined : notAfter(minAge, now);
  if ('ref' in want) {
    const target = { ref: want.ref, at: await hub.revision(type, repo, want.ref) };
    return latest === undefined ? target : oldEnough(entry, target, latest, hub);
  }
  const tags = await hub.tags(type, repo);
  const matching = tagsInRange(tags, want.version);
  let waiting: Waiting | undefined;
  for (const ref of matching.slice(0, MAX_TRIED)) {
    const at = await hub.revision(type, repo, ref);
    if (latest === undefined) return { ref, at, tags };
    const date = await dateOfCommit(hub, type, at.id, at.rev);
    const found = { ref, at, tags, date };
    if (Date.parse(date) <= latest) return waiting === undefined ? found : { ...found, waiting };
    waiting ??= { ref, rev: at.rev, date };
  }
  if (waiting !== undefined) throw tooYoung(entry, waiting);
  const problem = `no tag of ${type} ${repo} is in the range ${want.version}`;
  throw new HugError('EHUG_VERSION', problem, { hint: hintOfTags(tags) });
}

/**
 * The newest commit of a branch that is old enough. A tag, a pull request or a commit that is not stays:
 * the policy refuses it with the place of its entry.
 *
 * @param latest date of a commit that is just old enough, in ms since 1970
 */
async function oldEnough(
  entry: WantedEntry,
  { ref, at }: Target,
  latest: number,
  hub: HubApi,
): Promise<Target> {
  const { type } = entry;
  const { id, rev } = at;
  const date = await dateOfCommit(hub, type, id, rev);
  // A pull request begins in the history of its branch, and is none of its commits there.
  const isNoBranch = ref.startsWith('refs/') && !ref.startsWith('refs/heads/');
  const isFixed = async () =>
    isPinned(entry) || isNoBranch || (await namesTag(entry, { ref, at }, hub));
  if (Date.parse(date) <= latest || (await isFixed())) return { ref, at, date };
  const waiting = { ref, rev, date };
  const found = await hub.commitUpTo(type, id, rev, new Date(latest).toISOString());
  if (found === undefined) throw tooYoung(entry, waiting);
  return { ref, at: { ...at, rev: found.rev }, date: found.date, waiting };
}

/** The error for a repository without any commit that is old enough. */
function tooYoung({ type, repo, minAge = 0 }: WantedEntry, { ref, date }: Waiting): HugError {
  return new HugError(
    'EHUG_POLICY',
    `no commit of ${type} ${repo} at ${ref} is as old as minimumAge asks: the newest is of ${date}`,
    {
      hint: `It is old enough at ${oldEnoughAt(date, minAge)}, or name the rule minimumAge in "allow" of the entry.`,
    },
  );
}

/** Whether the ref of a target is a tag; `main` is always a branch. */
export async function namesTag(
  { type, want }: WantedEntry,
  { ref, at }: Pick<Target, 'ref' | 'at'>,
  hub: HubApi,
): Promise<boolean> {
  if ('version' in want || ref.startsWith('refs/tags/')) return true;
  if (ref === 'main' || ref.startsWith('refs/')) return false;
  return (await hub.tags(type, at.id)).includes(ref);
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
export const lockedTarget = ({ repo, repoId, ref, rev, date }: LockedEntry): Target => ({
  ref,
  at: { id: repo, rev, ...(repoId === undefined ? {} : { repoId }) },
  date,
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
 * The tags with versions in a range, by npm's semver, the highest first: prereleases only when the
 * range names one. Tags that are not versions are ignored.
 *
 * @param tags names of all tags, in any order
 * @param range semver range
 */
export function tagsInRange(tags: readonly string[], range: string): string[] {
  return highestFirst(tags.filter((tag) => isVersion(tag) && satisfies(tag, range)));
}

/**
 * The tag with the highest version of all.
 *
 * @param prereleases whether prereleases count
 * @returns `undefined` when no tag is such a version
 */
export function newestTag(tags: readonly string[], prereleases: boolean): string | undefined {
  const allowed = tags.filter((tag) => isVersion(tag) && (prereleases || !namesPrerelease(tag)));
  return highestFirst(allowed)[0];
}

const highestFirst = (tags: readonly string[]): string[] =>
  tags.toSorted((a, b) => compareBuild(b, a) || byCodeUnit(a, b));

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
