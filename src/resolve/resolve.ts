import { sriOfHex } from '../digest.ts';
import { HugError } from '../errors.ts';
import type { HubApi } from '../hub/api.ts';
import type { TreeFile } from '../hub/tree.ts';
import { pathNames } from '../lock/names.ts';
import type { LockedEntry, LockedFile } from '../lock/schema.ts';
import type { WantedEntry } from '../manifest/schema.ts';
import { dateOfCommit } from './age.ts';
import { type ByContent, createByContent } from './by-content.ts';
import { type Licenses, README, createLicenses, isReadable, readLicense } from './readme.ts';
import type { ReadLicense } from './license.ts';
import { incompleteness } from './completeness.ts';
import { isCode, isForCode } from './policy.ts';
import { createEdgeSources, edgeFilesToRead, type EdgeSources, readEdges } from './edge-sources.ts';
import { type Edge } from './edges.ts';
import { needsOf } from './take.ts';
import { selectFiles } from './select.ts';
import { indexesToRead, shardsNamedIn } from './shards.ts';
import { type LookupContext, type Target, targetAtCommit, targetOf } from './target.ts';

/** Services for resolving entries. */
export interface ResolveContext extends LookupContext {
  readonly hashes: PlainHashes;
  /** Licences that are known; without it each README is read. */
  readonly licenses?: Licenses;
  /** Files that indexes of shards name; without it each index is read. */
  readonly shardIndexes?: ShardIndexes;
  /** Files that name no other repository; without it each file that may is read. */
  readonly edgeSources?: EdgeSources;
  /** Shows the progress of an entry. */
  readonly report: (status: string) => void;
}

/** An entry as the lock has it, and warnings for the user. */
export interface Resolved {
  readonly entry: LockedEntry;
  /** What its files name; absent where they were not read, since the lock has the entry already. */
  readonly edges?: readonly Edge[];
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
  wanted: WantedEntry,
  context: ResolveContext,
): Promise<Resolved> {
  context.report('resolving');
  return lockAt(wanted, await targetOf(wanted, context), context);
}

/**
 * Resolves an entry at a commit that is known: that of the lock, or where the user has it begin.
 *
 * @throws HugError of the Hub client; `EHUG_SELECTION`, `EHUG_GATED`, `EHUG_REPO_REPLACED`
 */
export async function resolveAgain(
  wanted: WantedEntry,
  commit: Pick<LockedEntry, 'ref' | 'rev'>,
  context: ResolveContext,
): Promise<Resolved> {
  context.report('resolving');
  return lockAt(wanted, await targetAtCommit(wanted, commit, context), context);
}

/**
 * Resolves the files of an entry at a commit.
 *
 * @throws HugError of the Hub client; `EHUG_SELECTION`, `EHUG_GATED`
 */
export async function lockAt(
  wanted: WantedEntry,
  target: Target,
  {
    hub,
    hashes,
    licenses = createLicenses([]),
    shardIndexes = createByContent([]),
    edgeSources = createEdgeSources([]),
    report,
  }: ResolveContext,
): Promise<Resolved> {
  const { type, select } = wanted;
  const { at } = target;
  report('listing files');
  const tree = await hub.tree(type, at.id, at.rev);
  const selected = selectFiles(tree, select);
  const { warnings } = selected;
  const files =
    wanted.code === false ? selected.files.filter(({ path }) => !isCode(path)) : selected.files;
  if (files.length === 0) {
    throw new HugError('EHUG_SELECTION', 'without code, no file is left', {
      hint: 'Remove the entry, or name the rule remoteCode in its "allow".',
    });
  }
  const readme = tree.find(({ path }) => path === README);
  const contentOf = oncePerFile((file) => hub.contentOf(type, at.id, at.rev, file));
  const indexes = indexesToRead(files);
  const naming =
    type === 'model' ? edgeFilesToRead(files, at.id, edgeSources) : { files: [], warnings: [] };
  const read = new Set([
    ...(readme !== undefined && isReadable(readme) ? [readme] : []),
    ...indexes,
    ...naming.files,
  ]);
  const hashOf = async (file: TreeFile) => {
    if (file.lfs === 'masked') throw hub.gated(type, at.id);
    if (file.lfs !== undefined) return sriOfHex(file.lfs.sha256);
    return hashes.get(file, async () =>
      read.has(file) ? (await contentOf(file)).hash : hub.hashOf(type, at.id, at.rev, file),
    );
  };
  let done = 0;
  report(`0 of ${files.length} files`);
  const [declared, named, shards, locked] = await Promise.all([
    target.license ??
      readLicense(readme, readme !== undefined && files.includes(readme), licenses, contentOf),
    readEdges(naming.files, [at.id, wanted.repo], edgeSources, contentOf),
    Promise.all(
      indexes.map(async (file) => {
        const names = shardIndexes.get(file, async () => {
          return shardsNamedIn((await contentOf(file)).bytes);
        });
        return [file.path, await names] as const;
      }),
    ),
    Promise.all(
      files.map(async (file) => {
        const hash = await hashOf(file);
        done += 1;
        report(`${done} of ${files.length} files`);
        return [file.path, lockedFile(file, hash)] as const;
      }),
    ),
  ]);
  const { warning, ...license }: ReadLicense = declared;
  const edges =
    wanted.code === false ? named.edges.filter((edge) => !isForCode(edge)) : named.edges;
  return {
    warnings: [
      ...warnings,
      ...(warning === undefined ? [] : [warning]),
      ...naming.warnings,
      ...named.warnings,
      ...incompleteness(tree, files, select, new Map(shards)),
    ],
    edges,
    entry: lockedEntry(wanted, target, {
      ...(await dateOf(wanted, target, hub)),
      ...license,
      ...needsOf(edges),
      files: new Map(locked),
    }),
  };
}

/** The date of the commit, where the policy needs it. */
async function dateOf({ type, minAge }: WantedEntry, { at, date }: Target, hub: HubApi) {
  if (minAge === undefined) return {};
  return { date: date ?? (await dateOfCommit(hub, type, at.id, at.rev)) };
}

/** Calls a function once for each file, and gives its result from then on. */
function oncePerFile<T extends object>(run: (file: TreeFile) => T): (file: TreeFile) => T {
  const results = new Map<TreeFile, T>();
  return (file) => {
    const result = results.get(file) ?? run(file);
    results.set(file, result);
    return result;
  };
}

/** What the commit and the selection of an entry determine, whatever its ref and id. */
type Content = Pick<LockedEntry, 'date' | 'license' | 'licenseName' | 'needs' | 'files'>;

/** An entry as the lock has it. */
export function lockedEntry(
  { repo, want, select, groups, code }: WantedEntry,
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
    ...(groups === undefined ? {} : { groups }),
    ...(select === undefined && code === undefined
      ? {}
      : { select: { ...select, ...(code === undefined ? {} : { code }) } }),
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

/** The files that an index names by its content, shared by all entries of a run. */
type ShardIndexes = ByContent<readonly string[] | undefined>;

/** SHA-256 of plain files in SRI form, shared by all entries of a run. */
type PlainHashes = ByContent<string>;

/**
 * Remembers digests of plain files, so that each content is downloaded once.
 *
 * @param known files of an earlier lock
 */
export function createPlainHashes(known: Iterable<LockedFile>): PlainHashes {
  const plain = [...known].filter(({ lfs }) => lfs === undefined);
  return createByContent(plain.map((file) => [file, file.hash]));
}
