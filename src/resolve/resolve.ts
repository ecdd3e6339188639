import { type ErrorCode, HugError } from '../errors.ts';
import type { HubApi, Revision } from '../hub/api.ts';
import type { TreeFile } from '../hub/tree.ts';
import { sriOfHex } from '../digest.ts';
import { type NamedEntry, placeOf } from '../lock/entries.ts';
import { pathNames } from '../lock/names.ts';
import type { LockedEntry, LockedFile } from '../lock/schema.ts';
import type { ManifestEntry } from '../manifest/schema.ts';
import type { RepoType } from '../repo.ts';
import { selectFiles } from './select.ts';
import { areShortVersions, highestTag } from './version.ts';

/** What resolving an entry needs beside the entry. */
export interface ResolveContext {
  readonly hub: HubApi;
  readonly hashes: PlainHashes;
  /** Tells how far it is, for a progress display. */
  readonly report: (status: string) => void;
}

/** What an entry means at the moment. */
export interface Target {
  /** Branch, tag or commit; the chosen tag for a version range. */
  readonly ref: string;
  /** The commit that the Hub has there. */
  readonly at: Revision;
  /** Names of all tags, where a version range had to choose among them. */
  readonly tags?: readonly string[];
}

/** Digests of plain files, shared by all entries of a run. */
export interface PlainHashes {
  /** The digest of a file's content; `download` is called when no entry could get it yet. */
  get(file: TreeFile, download: () => Promise<string>): Promise<string>;
}

/** An entry as it goes into the lock, and what is worth telling the user. */
export interface Resolved {
  readonly entry: LockedEntry;
  readonly warnings: readonly string[];
}

/**
 * Resolves one entry of a manifest: ref or version range to commit, commit to files, files to
 * digests. LFS digests come from the tree, plain files are downloaded and checked.
 *
 * @throws HugError of the Hub client; `EHUG_VERSION`, `EHUG_SELECTION`, `EHUG_GATED`
 */
export async function resolveEntry(
  wanted: ManifestEntry,
  context: ResolveContext,
): Promise<Resolved> {
  context.report('resolving');
  return lockAt(wanted, await targetOf(wanted, context.hub), context);
}

/**
 * Resolves an entry at the commit that a lock has for it.
 *
 * @throws HugError of the Hub client; `EHUG_SELECTION`, `EHUG_GATED`
 */
export async function resolveAgain(
  wanted: ManifestEntry,
  { ref, rev }: LockedEntry,
  context: ResolveContext,
): Promise<Resolved> {
  context.report('resolving');
  const at = await context.hub.revision(wanted.type, wanted.repo, rev);
  return lockAt(wanted, { ref, at }, context);
}

/** What it is called when a commit is gone, or lacks a file; another commit may do. */
const NOT_AT_COMMIT: ReadonlySet<ErrorCode> = new Set([
  'EHUG_REVISION_NOT_FOUND',
  'EHUG_REPO_NOT_FOUND',
  'EHUG_SELECTION',
]);

/**
 * Resolves an entry at the commit that another one is locked at, without looking up its ref. When
 * that commit is gone, or lacks what the entry selects and the newest one has, it is resolved by
 * itself, with a warning.
 *
 * @param other entry that wants the same ref or version range of the same repository
 * @throws HugError those of `resolveEntry`
 */
export async function resolveWith(
  wanted: ManifestEntry,
  other: NamedEntry,
  context: ResolveContext,
): Promise<Resolved> {
  const { repo, ref, rev } = other.entry;
  const place = placeOf(other);
  let shared: Resolved | undefined;
  let lack = 'include keeps no LFS file there';
  try {
    const { entry, warnings } = await lockAt(wanted, { ref, at: { id: repo, rev } }, context);
    shared = {
      entry,
      warnings: warnings.map((warning) => `at the commit of ${place}: ${warning}`),
    };
    if (!includesNothing(wanted, entry)) return shared;
  } catch (error) {
    if (!(error instanceof HugError && NOT_AT_COMMIT.has(error.code))) throw error;
    lack = error.message;
  }
  const alone = await resolveEntry(wanted, context);
  if (alone.entry.rev === rev) return alone;
  if (shared !== undefined && includesNothing(wanted, alone.entry)) return shared;
  const reason = `cannot share the commit of ${place}: ${lack}`;
  return { ...alone, warnings: [reason, ...alone.warnings] };
}

/** Whether globs that name LFS files kept none: their files may be newer than the commit. */
const includesNothing = ({ select }: ManifestEntry, { files }: LockedEntry): boolean =>
  select !== undefined &&
  'include' in select &&
  [...files.values()].every(({ lfs }) => lfs === undefined);

/**
 * Looks up the commit of an entry.
 *
 * @throws HugError of the Hub client; `EHUG_VERSION`
 */
export async function targetOf({ type, repo, want }: ManifestEntry, hub: HubApi): Promise<Target> {
  if ('ref' in want) return { ref: want.ref, at: await hub.revision(type, repo, want.ref) };
  const tags = await hub.tags(type, repo);
  const ref = tagInRange(tags, want.version, `${type} ${repo}`);
  return { ref, at: await hub.revision(type, repo, ref), tags };
}

/**
 * Resolves the files of an entry at a commit.
 *
 * @throws HugError of the Hub client; `EHUG_SELECTION`, `EHUG_GATED`
 */
export async function lockAt(
  wanted: ManifestEntry,
  target: Target,
  { hub, hashes, report }: ResolveContext,
): Promise<Resolved> {
  const { type, select } = wanted;
  const { at } = target;
  report('listing files');
  const { files, warnings } = selectFiles(await hub.tree(type, at.id, at.rev), select);
  let done = 0;
  const locked = await Promise.all(
    files.map(async (file) => {
      const hash = await hashOf(file, type, at, hub, hashes);
      done += 1;
      report(`${done} of ${files.length} files`);
      return [file.path, lockedFile(file, hash)] as const;
    }),
  );
  return { warnings, entry: lockedEntry(wanted, target, new Map(locked)) };
}

/** An entry as it goes into the lock. */
export function lockedEntry(
  { repo, want, select }: ManifestEntry,
  { ref, at }: Target,
  files: LockedEntry['files'],
): LockedEntry {
  return {
    repo: at.id,
    ...(at.id === repo ? {} : { requested: repo }),
    ...('version' in want ? { version: want.version } : {}),
    ref,
    rev: at.rev,
    ...(select === undefined ? {} : { select }),
    files,
  };
}

/**
 * Digests that are known, and a memory for those that are not yet.
 *
 * @param known SHA-256 (SRI) of plain files of an earlier lock
 */
export function createPlainHashes(known: Iterable<LockedFile>): PlainHashes {
  const key = (file: { oid: string; size: number }) => `${file.oid} ${file.size}`;
  const hashes = new Map<string, Promise<string>>();
  for (const file of known) {
    if (file.lfs === undefined) hashes.set(key(file), Promise.resolve(file.hash));
  }
  return {
    get(file, download) {
      const hash = hashes.get(key(file))?.catch(download) ?? download();
      hashes.set(key(file), hash);
      return hash;
    },
  };
}

/** @param of the repository, for a message */
function tagInRange(tags: readonly string[], range: string, of: string): string {
  const tag = highestTag(tags, range);
  if (tag !== undefined) return tag;
  throw new HugError('EHUG_VERSION', `no tag of ${of} is in the range ${range}`, {
    hint: tags.length === 0 ? 'It has no tags; use ref.' : hintOfTags(tags),
  });
}

function hintOfTags(tags: readonly string[]): string {
  const short = 'A version has three numbers, as in 1.2.0; name a tag like these with ref. ';
  return `${areShortVersions(tags) ? short : ''}Its tags: ${someOf(tags)}`;
}

function hashOf(
  file: TreeFile,
  type: RepoType,
  at: Revision,
  hub: HubApi,
  hashes: PlainHashes,
): Promise<string> | string {
  if (file.lfs === undefined) return hashes.get(file, () => hub.hashOf(type, at.id, at.rev, file));
  if (file.lfs === 'masked') throw hub.gated(type, at.id);
  return sriOfHex(file.lfs.sha256);
}

/** A file as it goes into the lock; `hash` is its SHA-256 in SRI form. */
function lockedFile(file: TreeFile, hash: string): LockedFile {
  return {
    size: file.size,
    hash,
    oid: file.oid,
    ...(file.lfs === undefined ? {} : { lfs: true as const }),
    ...pathNames(file.path),
  };
}

function someOf(names: readonly string[]): string {
  const most = 10;
  return names.slice(0, most).join(', ') + (names.length > most ? ', …' : '');
}
