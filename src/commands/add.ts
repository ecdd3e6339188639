import { isDeepStrictEqual } from 'node:util';
import { isGitId } from '../digest.ts';
import { EXIT, HugError, usageError } from '../errors.ts';
import { diffLocks, type EntryChange } from '../lock/diff.ts';
import { isNeededKey, lockedIn, placeOf } from '../lock/entries.ts';
import type { Lock } from '../lock/schema.ts';
import type { NewEntry } from '../manifest/edit-entry.ts';
import { addEntries } from '../manifest/edit.ts';
import { entryAsWritten, parseManifest } from '../manifest/parse.ts';
import { isRange } from '../manifest/rules.ts';
import {
  ENTRY_NAME,
  type EntryFile,
  type Manifest,
  type ManifestEntry,
} from '../manifest/schema.ts';
import { quote } from '../quote.ts';
import { isSameId } from '../repo.ts';
import { lockText, nextAfter } from '../output/lock-changes.ts';
import { offerLines } from '../output/offers.ts';
import { notCached, startInCache } from '../project/cached-start.ts';
import type { Start } from '../project/dependencies.ts';
import { planLock } from './lock.ts';
import type { Output } from '../output/json-schema.ts';
import { readExistingLock, refuseOldLock } from '../project/relock.ts';
import { readOrBeginProject, writeProject } from '../project/project.ts';
import { type RemoteOptions, type RepoRequest, parseRepoRequest } from '../project/arguments.ts';
import type { CommandContext } from '../project/context.ts';
import {
  type Addition,
  changedValue,
  type EntryOptions,
  isWantGiven,
  nameFor,
  newValue,
} from '../project/entry-value.ts';
import { forEachRepository, detectType } from '../project/repository.ts';
import type { CommandResult } from '../output/result.ts';

export interface AddOptions extends RemoteOptions, EntryOptions {
  /** Name of the entry; by default it is made from the repository's. */
  readonly name?: string;
  /** Commit at which the entry begins to follow its ref. */
  readonly at?: string;
  /** Begin at the commit that the Hugging Face cache has. */
  readonly cached?: boolean;
}

/** An entry that the manifest is to have, and what it has there now. */
interface Wanted extends NewEntry {
  readonly repo: string;
  readonly before: EntryFile | undefined;
}

/**
 * `nix-hug add <url>…`: adds entries to the manifest, or changes those that are there, and locks them.
 * The manifest and its lock are written at the end, both or none.
 */
export async function run(
  context: CommandContext,
  urls: readonly string[],
  options: AddOptions,
): Promise<CommandResult> {
  checkOptions(urls, options);
  const project = readOrBeginProject(context);
  refuseOldLock(readExistingLock(project).lock, project);
  const { manifestName, manifestText, lockName } = project;
  const { endpoint, entries: present } = project.manifest;
  const requests = urls.map((url) => parseRepoRequest(url, options, endpoint, context.endpoint));
  if (options.version !== undefined && requests.some(({ named }) => named)) {
    const problem = 'a revision and a version range exclude each other';
    throw usageError(problem, 'Keep --ref, or --version.');
  }
  const additions = await withTypes(requests, present, options, project.manifest, context);
  const wanted = additions.map((addition) => {
    const entry = presentEntry(present, addition, options);
    if (entry === undefined) return newEntry(addition, options);
    const before = entryAsWritten(manifestText, entry) ?? entry.repo;
    const hubs = [endpoint, context.endpoint].filter((hub) => hub !== undefined);
    return { ...entry, before, value: changedValue(before, entry, addition, options, hubs) };
  });
  refuseRepeated(wanted);
  const edited = wanted.filter(({ before, value }) => !isDeepStrictEqual(before, value));
  const text = addEntries(manifestText, manifestName, edited);
  const manifest = parseManifest(text, manifestName, { endpoint: context.endpoint });
  const start = await startOf(wanted, manifest, options, context);
  const plan = await planLock({ ...project, manifest }, context, start);
  await writeProject(project, text, plan.changed ? plan.text : undefined);
  const changes = diffLocks(plan.from, plan.to);
  const named = ({ name, type, repo }: Wanted) => ({ name, type, repo });
  const files = [
    ...(edited.length === 0 ? [] : [project.isNew ? `${manifestName} (new)` : manifestName]),
    ...(plan.changed ? [lockName] : []),
  ];
  const outcome = files.length === 0 ? 'current' : 'written';
  return {
    json: {
      changed: plan.changed,
      entries: changes,
      added: edited.filter(({ before }) => before === undefined).map(named),
      modified: edited.filter(({ before }) => before !== undefined).map(named),
    } satisfies Output<'add'>,
    text:
      outcome === 'current'
        ? `nothing to do: ${manifestName} has ${wanted.map(placeOf).join(' and ')} already`
        : lockText({
            file: files.join(' and '),
            entries: changes,
            total: manifest.entries.length,
            outcome,
            details: (change) => offersOf(change, wanted, manifest, plan.to),
          }),
    next: nextAfter(outcome),
    exitStatus: EXIT.ok,
  };
}

/**
 * Where the entries begin.
 *
 * @throws HugError `EHUG_NOT_CACHED`
 */
async function startOf(
  wanted: readonly Wanted[],
  manifest: Manifest,
  { at, cached = false }: AddOptions,
  context: CommandContext,
): Promise<Start | undefined> {
  if (at === undefined && !cached) return undefined;
  const places = new Set(wanted.map(placeOf));
  if (at !== undefined) return (entry) => (places.has(placeOf(entry)) ? at : undefined);
  const start = await startInCache(context);
  const missing = manifest.entries.filter(
    (entry) => places.has(placeOf(entry)) && start(entry) === undefined,
  );
  for (const { repo, want } of missing) throw notCached(repo, want);
  return (entry) =>
    places.has(placeOf(entry)) || isNeededKey(entry.name) ? start(entry) : undefined;
}

/** What a repository offers of which one part would do, where an entry has it whole. */
function offersOf(
  change: EntryChange,
  wanted: readonly Wanted[],
  { entries }: Manifest,
  lock: Lock,
): readonly string[] {
  const locked = lockedIn(lock, change);
  const entry = wanted.find((one) => placeOf(one) === placeOf(change));
  if (entry === undefined || locked === undefined || locked.select !== undefined) return [];
  const { repo, type } = entry;
  const isAlone =
    entries.filter((one) => one.type === type && isSameId(one.repo, repo)).length === 1;
  return offerLines(locked, `nix-hug add ${repo}${isAlone ? '' : ` --name ${entry.name}`}`);
}

function checkOptions(
  urls: readonly string[],
  { name, version, group = [], at, cached }: AddOptions,
): void {
  if (at !== undefined && (urls.length > 1 || cached === true || version !== undefined)) {
    throw usageError(
      '--at names the commit of one repository, and excludes --cached and --version',
      'Add one repository, with --at and perhaps --ref BRANCH.',
    );
  }
  if (at !== undefined && !isGitId(at)) {
    throw usageError(`--at ${quote(at)} is not a commit`, 'A commit has 40 hex digits.');
  }
  if (cached === true && version !== undefined) {
    throw usageError('--cached and a version range exclude each other', 'Keep one of them.');
  }
  if (name !== undefined && urls.length > 1) {
    throw usageError('--name names one entry', 'Add one repository at a time.');
  }
  if (name !== undefined && !ENTRY_NAME.test(name)) {
    throw usageError(
      `--name ${quote(name)} cannot name an entry`,
      'A name has letters, digits, "_" and "-", begins with a letter or "_", and is not reserved.',
    );
  }
  const badGroup = group.find((one) => !ENTRY_NAME.test(one));
  if (badGroup !== undefined) {
    throw usageError(
      `--group ${quote(badGroup)} cannot name a group`,
      'A name has letters, digits, "_" and "-", and begins with a letter or "_".',
    );
  }
  if (version !== undefined && !isRange(version)) {
    throw usageError(`--version ${quote(version)} is not a semver range`, 'For example: ^1.2');
  }
}

/**
 * Gives bare ids the type of the entry that is there, else asks the Hub whether they are models or
 * datasets; sends no request when all types are known.
 */
async function withTypes(
  requests: readonly RepoRequest[],
  present: readonly ManifestEntry[],
  { name }: AddOptions,
  { endpoint }: Manifest,
  context: CommandContext,
): Promise<readonly Addition[]> {
  const known = requests.map((one) => {
    const twin = present.find(
      (entry) => isSameRepo(entry, one) && (name === undefined || name === entry.name),
    );
    return { ...one, type: one.type ?? twin?.type };
  });
  if (known.every((one): one is Addition => one.type !== undefined)) return known;
  return forEachRepository(known, endpoint, context, async (hub, one) => ({
    ...one,
    type: await detectType(hub, one),
  }));
}

/**
 * The entry that an addition is about: that of `--name`, else the one of the repository.
 *
 * @returns `undefined` where it is a new one
 * @throws HugError `EHUG_ENTRY_EXISTS` when the name is another repository's, or several entries have
 *   the repository and options would change one
 */
function presentEntry(
  present: readonly ManifestEntry[],
  addition: Addition,
  options: AddOptions,
): ManifestEntry | undefined {
  const ofType = present.filter((entry) => entry.type === addition.type);
  const twins = ofType.filter((entry) => isSameRepo(entry, addition));
  const name = options.name ?? (twins.length === 0 ? nameFor(addition.id) : undefined);
  if (name !== undefined) {
    const entry = ofType.find((each) => each.name === name);
    if (entry === undefined || twins.includes(entry)) return entry;
    throw new HugError(
      'EHUG_ENTRY_EXISTS',
      `${placeOf(entry)} is there already, of ${entry.repo}`,
      {
        hint: 'Give the new entry another name with --name.',
      },
    );
  }
  if (twins.length > 1 && isChangeGiven(addition, options)) {
    const places = twins.map(placeOf).join(' and ');
    throw new HugError('EHUG_ENTRY_EXISTS', `${addition.id} is there as ${places}`, {
      hint: 'Say with --name which one is to change.',
    });
  }
  return twins[0];
}

const isSameRepo = ({ repo }: ManifestEntry, { id }: RepoRequest): boolean => isSameId(repo, id);

/** Whether options would change an entry that is there. */
const isChangeGiven = (addition: RepoRequest, options: AddOptions): boolean =>
  isWantGiven(addition, options) || addition.select !== undefined || options.group !== undefined;

const newEntry = (addition: Addition, options: AddOptions): Wanted => ({
  name: options.name ?? nameFor(addition.id),
  type: addition.type,
  value: newValue(addition, options),
  repo: addition.id,
  before: undefined,
});

function refuseRepeated(wanted: readonly Wanted[]): void {
  const places = wanted.map(placeOf);
  const repeated = places.find((place, index) => places.indexOf(place) < index);
  if (repeated === undefined) return;
  throw new HugError('EHUG_ENTRY_EXISTS', `two of the repositories would be ${repeated}`, {
    hint: 'Add one of them, or each by itself with --name.',
  });
}
