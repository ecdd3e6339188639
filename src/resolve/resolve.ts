import { sriOfHex } from '../digest.ts';
import type { HubApi, Revision } from '../hub/api.ts';
import type { TreeFile } from '../hub/tree.ts';
import { pathNames } from '../lock/names.ts';
import type { LockedEntry, LockedFile } from '../lock/schema.ts';
import type { ManifestEntry } from '../manifest/schema.ts';
import type { RepoType } from '../repo.ts';
import { selectFiles } from './select.ts';
import { type LookupContext, type Target, targetOf } from './target.ts';

/** Services for resolving entries. */
export interface ResolveContext extends LookupContext {
  readonly hashes: PlainHashes;
  /** Shows the progress of an entry. */
  readonly report: (status: string) => void;
}

/** An entry as the lock has it, and warnings for the user. */
export interface Resolved {
  readonly entry: LockedEntry;
  readonly warnings: readonly string[];
}

/**
 * Resolves one entry of a manifest: ref or version range to commit, commit to files, files to
 * digests. LFS digests come from the tree; plain files are downloaded and checked.
 *
 * @throws HugError of the Hub client; `EHUG_VERSION`, `EHUG_SELECTION`, `EHUG_GATED`,
 *   `EHUG_REPO_REPLACED`
 */
export async function resolveEntry(
  wanted: ManifestEntry,
  context: ResolveContext,
): Promise<Resolved> {
  context.report('resolving');
  return lockAt(wanted, await targetOf(wanted, context), context);
}

/**
 * Resolves an entry at the commit that the lock has for it.
 *
 * @throws HugError of the Hub client; `EHUG_SELECTION`, `EHUG_GATED`, `EHUG_REPO_REPLACED`
 */
export async function resolveAgain(
  wanted: ManifestEntry,
  { ref, rev }: LockedEntry,
  context: ResolveContext,
): Promise<Resolved> {
  const { hub, repos, report } = context;
  report('resolving');
  const at = await hub.revision(wanted.type, wanted.repo, rev);
  return lockAt(wanted, { ref, at: repos?.confirm(wanted, at) ?? at }, context);
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
  return { warnings, entry: lockedEntry(wanted, target, { files: new Map(locked) }) };
}

/** The SHA-256 of a file in SRI form. */
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

/** What the commit and the selection of an entry determine, whatever its ref and id. */
type Content = Pick<LockedEntry, 'date' | 'license' | 'licenseName' | 'needs' | 'files'>;

/** An entry as the lock has it. */
export function lockedEntry(
  { repo, want, select }: ManifestEntry,
  { ref, at }: Target,
  { date, license, licenseName, needs, files }: Content,
): LockedEntry {
  return {
    repo: at.id,
    ...(at.id === repo ? {} : { requested: repo }),
    ...(at.repoId === undefined ? {} : { repoId: at.repoId }),
    ...('version' in want ? { version: want.version } : {}),
    ref,
    rev: at.rev,
    ...(date === undefined ? {} : { date }),
    ...(license === undefined ? {} : { license }),
    ...(licenseName === undefined ? {} : { licenseName }),
    ...(select === undefined ? {} : { select }),
    ...(needs === undefined ? {} : { needs }),
    files,
  };
}

/** A file as the lock has it; `hash` is its SHA-256 in SRI form. */
function lockedFile(file: TreeFile, hash: string): LockedFile {
  return {
    size: file.size,
    hash,
    oid: file.oid,
    ...(file.lfs === undefined ? {} : { lfs: true as const }),
    ...pathNames(file.path),
  };
}

/** Digests of plain files, shared by all entries of a run. */
interface PlainHashes {
  /** The digest of a file's content; `download` is called for a content that is not known yet. */
  get(file: TreeFile, download: () => Promise<string>): Promise<string>;
}

/**
 * Remembers digests of plain files, so that each content is downloaded once.
 *
 * @param known files of an earlier lock
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
