import { type FoundSnapshot, findCommit, lockableSnapshots } from '../cache/find-snapshot.ts';
import { type CacheScan, scanCache } from '../cache/scan.ts';
import { groupBy } from '../collections.ts';
import type { HubApi } from '../hub/api.ts';
import { isUnavailable } from '../hub/errors.ts';
import { neededEntries, placeOf } from '../lock/entries.ts';
import type { Lock } from '../lock/schema.ts';
import { addEntries } from '../manifest/edit.ts';
import type { NewEntry } from '../manifest/edit-entry.ts';
import { parseManifest } from '../manifest/parse.ts';
import { ENTRY_NAME, type ManifestEntry } from '../manifest/schema.ts';
import type { Output } from '../output/json-schema.ts';
import { code, count } from '../output/text.ts';
import { startAmong } from '../project/cached-start.ts';
import type { CommandContext } from '../project/context.ts';
import { nameFor, newValue } from '../project/entry-value.ts';
import { readOrBeginProject, writeProject } from '../project/project.ts';
import { readExistingLock, refuseOldLock } from '../project/relock.ts';
import { withHub } from '../project/repository.ts';
import { DEFAULT_REF, isSameId, type RepoType } from '../repo.ts';
import { selectionOfCached } from '../resolve/cached-selection.ts';
import { planLock } from './lock.ts';

/** What `init --from-cache` has to tell. */
export interface FromCache {
  readonly json: Pick<Output<'init'>, 'added' | 'skipped'>;
  /** Names of the files that were written. */
  readonly written: readonly string[];
  readonly text: readonly string[];
}

/** A ref of a repository in the cache. */
interface Candidate {
  readonly snapshot: FoundSnapshot;
  readonly ref: string;
}

/** An entry that is to be written. */
interface CachedEntry extends NewEntry {
  readonly repo: string;
  readonly ref: string;
  readonly rev: string;
}

/**
 * Adds an entry for each ref in the Hugging Face cache, locked at the cached commit. Entries that are
 * there stay as they are. What the Hub no longer gives is left out, with a warning.
 *
 * @throws HugError `EHUG_OFFLINE`; those of `planLock`
 */
export async function addFromCache(context: CommandContext): Promise<FromCache> {
  const project = readOrBeginProject(context);
  refuseOldLock(readExistingLock(project).lock, project);
  const { manifest, manifestName, manifestText, lockName } = project;
  const { repos } = await scanCache(context.cacheFolder, context.signal);
  const snapshots = lockableSnapshots(repos);
  const { fresh, kept } = candidatesIn(snapshots, manifest.entries);
  const { found, skipped } = await describeAll(fresh, manifest.endpoint, context);
  const entries = named(found, manifest.entries);
  if (entries.length === 0) return report([], [...kept, ...skipped], []);

  const text = addEntries(manifestText, manifestName, entries);
  const parsed = parseManifest(text, manifestName, { endpoint: context.endpoint });
  const revs = new Map(entries.map((entry) => [placeOf(entry), entry.rev]));
  const startInCache = startAmong(snapshots);
  const plan = await planLock(
    { ...project, manifest: parsed },
    context,
    (wanted) => revs.get(placeOf(wanted)) ?? startInCache(wanted),
  );
  await writeProject(project, text, plan.changed ? plan.text : undefined);
  for (const line of uncached(plan.to, { repos })) context.warn(line);
  const written = [manifestName, ...(plan.changed ? [lockName] : [])];
  return report(entries, [...kept, ...skipped], written);
}

/** The refs of the cache that the manifest has not; a snapshot without a ref by its commit. */
function candidatesIn(
  snapshots: readonly FoundSnapshot[],
  present: readonly ManifestEntry[],
): { readonly fresh: readonly Candidate[]; readonly kept: readonly Skipped[] } {
  const listed = snapshots.flatMap((snapshot) => {
    const { refs, rev } = snapshot.revision;
    const names = refs.filter((ref) => ref !== rev);
    return (names.length === 0 ? [rev] : names).map((ref) => ({ snapshot, ref }));
  });
  // `main` first, which takes the plain name.
  const all = [...groupBy(listed, ({ snapshot }) => snapshot.repo).values()].flatMap((ofRepo) =>
    ofRepo.toSorted((a, b) => Number(b.ref === DEFAULT_REF) - Number(a.ref === DEFAULT_REF)),
  );
  const entryOf = ({ snapshot: { repo }, ref }: Candidate) =>
    present.find(
      (entry) =>
        entry.type === repo.type &&
        isSameId(entry.repo, repo.id) &&
        'ref' in entry.want &&
        entry.want.ref === ref,
    );
  return {
    fresh: all.filter((candidate) => entryOf(candidate) === undefined),
    kept: all.flatMap((candidate) => {
      const entry = entryOf(candidate);
      return entry === undefined ? [] : [skip(candidate, `${placeOf(entry)} is there`)];
    }),
  };
}

type Skipped = Output<'init'>['skipped'][number];

const skip = ({ snapshot: { repo }, ref }: Candidate, reason: string): Skipped => ({
  repo: repo.id,
  type: repo.type,
  ref,
  reason,
});

type Described = Omit<CachedEntry, 'name'>;

/** What the Hub says of the snapshots: the id of the repository, and which part of the commit is cached. */
async function describeAll(
  candidates: readonly Candidate[],
  endpoint: string | undefined,
  context: CommandContext,
): Promise<{ readonly found: readonly Described[]; readonly skipped: readonly Skipped[] }> {
  if (candidates.length === 0) return { found: [], skipped: [] };
  const titleOf = ({ snapshot: { repo }, ref }: Candidate) => `${repo.type} ${repo.id} at ${ref}`;
  const results = await withHub(
    context,
    (hub) =>
      context.runTasks(
        candidates.map((candidate) => ({
          title: titleOf(candidate),
          run: async (tell) => {
            tell('listing files');
            return describe(candidate, hub);
          },
        })),
      ),
    endpoint,
  );
  const found: Described[] = [];
  const skipped: Skipped[] = [];
  for (const [index, candidate] of candidates.entries()) {
    const result = results[index];
    if (result?.status === 'fulfilled') {
      if (result.value !== undefined) found.push(result.value);
      else skipped.push(skip(candidate, 'no file of this commit is in the cache'));
    } else if (isUnavailable(result?.reason)) {
      skipped.push(skip(candidate, result.reason.message));
    } else throw result?.reason;
  }
  return { found, skipped };
}

async function describe(
  { snapshot: { repo, revision }, ref }: Candidate,
  hub: HubApi,
): Promise<Described | undefined> {
  const { type } = repo;
  const { id, rev } = await hub.revision(type, repo.id, revision.rev);
  const cached = selectionOfCached(await hub.tree(type, id, rev), revision.files);
  if (cached === undefined) return undefined;
  const request = { type, id, ref, named: true, select: cached.select };
  return { type, repo: id, ref, rev, value: newValue(request, {}) };
}

/** Gives each entry a name that no other has: with its ref for the second of a repository. */
function named(found: readonly Described[], present: readonly ManifestEntry[]): CachedEntry[] {
  const taken = new Set(present.map(placeOf));
  const isFree = (type: RepoType, name: string) =>
    ENTRY_NAME.test(name) && !taken.has(placeOf({ type, name }));
  return found.map((entry) => {
    const { type, repo, ref } = entry;
    const plain = nameFor(repo);
    const withRef = `${plain}-${ref.replaceAll(/[^A-Za-z0-9_-]/gu, '-')}`;
    let name = [plain, withRef].find((each) => isFree(type, each));
    for (let number = 2; name === undefined; number += 1) {
      if (isFree(type, `${plain}-${number}`)) name = `${plain}-${number}`;
    }
    taken.add(placeOf({ type, name }));
    return { ...entry, name };
  });
}

/** Warnings of what entries need and the cache does not have. */
const uncached = (lock: Lock, { repos }: Pick<CacheScan, 'repos'>): string[] =>
  neededEntries(lock).flatMap(({ type, name, entry }) => {
    const files = findCommit({ repos }, type, entry.rev)?.revision.files;
    const there = new Set(files?.map(({ path }) => path));
    const missing = [...entry.files.keys()].filter((path) => !there.has(path));
    const all = count(entry.files.size, 'file', 'files');
    return missing.length === 0
      ? []
      : [`${placeOf({ type, name })}: ${missing.length} of ${all} are not in the cache`];
  });

function report(
  entries: readonly CachedEntry[],
  skipped: readonly Skipped[],
  written: readonly string[],
): FromCache {
  return {
    json: {
      added: entries.map(({ name, type, repo, ref, rev }) => ({ name, type, repo, ref, rev })),
      skipped,
    },
    written,
    text: [
      ...(entries.length === 0
        ? ['no entry to add from the Hugging Face cache']
        : [
            `${written.join(' and ')} written, ${count(entries.length, 'entry', 'entries')} from the Hugging Face cache`,
          ]),
      ...entries.map(
        (entry) => `- ${code(placeOf(entry))} added: ${code(entry.repo)} at ${code(entry.ref)}`,
      ),
      ...skipped.map(
        ({ type, repo, ref, reason }) =>
          `- left out: ${type} ${code(repo)} at ${code(ref)}, ${reason}`,
      ),
    ],
  };
}
