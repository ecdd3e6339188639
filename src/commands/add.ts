import { isDeepStrictEqual } from 'node:util';
import { byCodeUnit } from '../collections.ts';
import { EXIT, HugError, usageError } from '../errors.ts';
import { diffLocks } from '../lock/diff.ts';
import { placeOf } from '../lock/entries.ts';
import type { NewEntry } from '../manifest/edit-entry.ts';
import { addEntries } from '../manifest/edit.ts';
import { entryAsWritten, parseManifest } from '../manifest/parse.ts';
import { isRange } from '../manifest/rules.ts';
import {
  ENTRY_NAME,
  type EntryFields,
  type EntryFile,
  type Manifest,
  type ManifestEntry,
} from '../manifest/schema.ts';
import { quote } from '../quote.ts';
import { DEFAULT_REF, parseRepoForm, type RepoType } from '../repo.ts';
import { lockText, nextAfter } from '../output/lock-changes.ts';
import { planLock } from './lock.ts';
import type { Output } from '../output/json-schema.ts';
import { readExistingLock, refuseOldLock } from '../project/relock.ts';
import { readOrBeginProject, writeProject } from '../project/project.ts';
import { type RemoteOptions, type RepoRequest, parseRepoRequest } from '../project/arguments.ts';
import type { CommandContext } from '../project/context.ts';
import { forEachRepository, detectType } from '../project/repository.ts';
import type { CommandResult } from '../output/result.ts';

export interface AddOptions extends RemoteOptions {
  /** Name of the entry; by default it is made from the repository's. */
  readonly name?: string;
  /** Semver range over the tags, instead of a ref. */
  readonly version?: string;
  /** Groups of the entry; they replace those that it has. */
  readonly group?: readonly string[];
}

/** A repository that is to be added, and its type. */
interface Addition extends RepoRequest {
  readonly type: RepoType;
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
    return { ...entry, before, value: changed(before, entry, addition, options, hubs) };
  });
  refuseRepeated(wanted);
  const edited = wanted.filter(({ before, value }) => !isDeepStrictEqual(before, value));
  const text = addEntries(manifestText, manifestName, edited);
  const manifest = parseManifest(text, manifestName, { endpoint: context.endpoint });
  const plan = await planLock({ ...project, manifest }, context);
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
          }),
    next: nextAfter(outcome),
    exitStatus: EXIT.ok,
  };
}

function checkOptions(urls: readonly string[], { name, version, group = [] }: AddOptions): void {
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

const isSameRepo = ({ repo }: ManifestEntry, { id }: RepoRequest): boolean =>
  repo.toLowerCase() === id.toLowerCase();

/** Whether options would change an entry that is there. */
const isChangeGiven = (addition: RepoRequest, options: AddOptions): boolean =>
  isWantGiven(addition, options) || addition.select !== undefined || options.group !== undefined;

const isWantGiven = ({ named }: RepoRequest, { version }: AddOptions): boolean =>
  named || version !== undefined;

/** The entry in its shortest form, and the id of its repository. */
function newEntry({ type, id, ref, select }: Addition, options: AddOptions): Wanted {
  const { name, version } = options;
  const repo = shortestForm(type, id);
  const want = wantFields(version === undefined ? { ref } : { version });
  const fields = { repo, ...want, ...select, ...groupFields(options) };
  return { name: name ?? nameFor(id), type, value: shorthand(fields), repo: id, before: undefined };
}

/**
 * The entry with what the user gives in place of the same; what is not given stays.
 *
 * @param hubs addresses that count as the Hub
 */
function changed(
  written: EntryFile,
  { type, repo, want, select, groups }: ManifestEntry,
  addition: Addition,
  options: AddOptions,
  hubs: readonly string[],
): EntryFile {
  const { version: range } = options;
  const given = range === undefined ? { ref: addition.ref } : { version: range };
  const isMoved = isWantGiven(addition, options) && !isDeepStrictEqual(given, want);
  const isSelected = addition.select !== undefined && !isDeepStrictEqual(addition.select, select);
  const grouping = groupFields(options);
  const isGrouped =
    grouping.groups !== undefined &&
    !isDeepStrictEqual(grouping.groups.toSorted(byCodeUnit), groups);
  if (!isMoved && !isSelected && !isGrouped) return written;
  const fields = typeof written === 'string' ? { repo: written } : written;
  const { ref: refInAddress, file } = parseRepoForm(fields.repo, ...hubs);
  const isAddress = refInAddress !== undefined || file !== undefined;
  const whole: EntryFields = isAddress
    ? { ...fields, repo: shortestForm(type, repo), ...wantFields(want), ...select }
    : fields;
  const { ref: _ref, version: _version, ...withoutWant } = whole;
  const moved = isMoved ? { ...withoutWant, ...wantFields(given) } : whole;
  const { include: _in, exclude: _out, files: _files, ...withoutSelection } = moved;
  const selected = isSelected ? { ...withoutSelection, ...addition.select } : moved;
  const result = isGrouped ? { ...selected, ...grouping } : selected;
  return typeof written === 'string' ? shorthand(result) : result;
}

/** The fields of a revision; none for the default. */
const wantFields = (want: ManifestEntry['want']): Partial<EntryFields> =>
  'ref' in want && want.ref === DEFAULT_REF ? {} : want;

/** The field of `--group`; none where it is not given. */
const groupFields = ({ group }: AddOptions): Pick<EntryFields, 'groups'> =>
  group === undefined ? {} : { groups: [...new Set(group)] };

const shorthand = (fields: EntryFields): EntryFile =>
  Object.keys(fields).length === 1 ? fields.repo : fields;

/**
 * A name for an entry, made from a repository id: the last part in lower case, with `-` for `.`,
 * and a leading `_` where it would not be a name otherwise. `Mistral-7B-Instruct-v0.3` of any
 * organisation gives `mistral-7b-instruct-v0-3`.
 */
function nameFor(id: string): string {
  const last = id.slice(id.lastIndexOf('/') + 1);
  const name = last.toLowerCase().replaceAll('.', '-');
  return ENTRY_NAME.test(name) ? name : `_${name}`;
}

/** The id alone, unless it looks like another form: an organisation may be called `models`. */
function shortestForm(type: RepoType, id: string): string {
  if (parseRepoForm(id).id === id) return id;
  return type === 'dataset' ? `hf-datasets:${id}` : `hf:${id}`;
}

function refuseRepeated(wanted: readonly Wanted[]): void {
  const places = wanted.map(placeOf);
  const repeated = places.find((place, index) => places.indexOf(place) < index);
  if (repeated === undefined) return;
  throw new HugError('EHUG_ENTRY_EXISTS', `two of the repositories would be ${repeated}`, {
    hint: 'Add one of them, or each by itself with --name.',
  });
}
