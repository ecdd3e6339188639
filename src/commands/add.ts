import { EXIT, HugError, usageError } from '../errors.ts';
import { diffLocks } from '../lock/diff.ts';
import { placeOf } from '../lock/entries.ts';
import type { NewEntry } from '../manifest/edit-entry.ts';
import { addEntries } from '../manifest/edit.ts';
import { parseManifest } from '../manifest/parse.ts';
import { isRange } from '../manifest/rules.ts';
import { ENTRY_NAME, type EntryFile, type ManifestEntry } from '../manifest/schema.ts';
import { quote } from '../quote.ts';
import { DEFAULT_REF, parseRepoForm, type RepoType } from '../repo.ts';
import { lockText } from '../output/lock-changes.ts';
import { planLock } from './lock.ts';
import type { Output } from '../output/json-schema.ts';
import { readProject, writeProject } from '../project/project.ts';
import { type RemoteOptions, type RepoRequest, parseRepoRequest } from '../project/arguments.ts';
import type { CommandContext } from '../project/context.ts';
import { forEachRepository, detectType } from '../project/repository.ts';
import type { CommandResult } from '../output/result.ts';

export interface AddOptions extends RemoteOptions {
  /** Name of the entry; by default it is made from the repository's. */
  readonly name?: string;
  /** Semver range over the tags, instead of a ref. */
  readonly version?: string;
}

/** A repository that is to be added, and its type. */
interface Addition extends RepoRequest {
  readonly type: RepoType;
}

/** What tells an entry from another one of the same repository. */
type Known = Pick<ManifestEntry, 'name' | 'type' | 'repo'>;

/**
 * `nix-hug add <url>…`: adds entries to the manifest, and locks them. The manifest and its lock are
 * written at the end, both or none.
 */
export async function run(
  context: CommandContext,
  urls: readonly string[],
  options: AddOptions,
): Promise<CommandResult> {
  checkOptions(urls, options);
  const project = readProject(context);
  const { manifestName, manifestText, lockName } = project;
  const { endpoint, entries: present } = project.manifest;
  const requests = urls.map((url) => parseRepoRequest(url, options, endpoint, context.endpoint));
  if (options.version !== undefined && requests.some(({ named }) => named)) {
    const problem = 'a revision and a version range exclude each other';
    throw usageError(problem, 'Keep --ref, or --version.');
  }
  const entries = (await withTypes(requests, endpoint, context)).map((addition) =>
    entryOf(addition, options),
  );
  for (const [index, entry] of entries.entries()) {
    const known = [...present, ...entries.slice(0, index)];
    refuseDuplicate(known, entry, options.name !== undefined);
  }
  const text = addEntries(manifestText, manifestName, entries);
  const manifest = parseManifest(text, manifestName, { endpoint: context.endpoint });
  const plan = await planLock({ ...project, manifest }, context);
  await writeProject(project, text, plan.changed ? plan.text : undefined);
  const changes = diffLocks(plan.from, plan.to);
  return {
    json: {
      changed: plan.changed,
      entries: changes,
      added: entries.map(({ name, type, repo }) => ({ name, type, repo })),
    } satisfies Output<'add'>,
    text: lockText({
      file: `${manifestName} and ${lockName}`,
      entries: changes,
      total: manifest.entries.length,
      outcome: 'written',
    }),
    exitStatus: EXIT.ok,
  };
}

function checkOptions(urls: readonly string[], { name, version }: AddOptions): void {
  if (name !== undefined && urls.length > 1) {
    throw usageError('--name names one entry', 'Add one repository at a time.');
  }
  if (name !== undefined && !ENTRY_NAME.test(name)) {
    throw usageError(
      `--name ${quote(name)} cannot name an entry`,
      'A name has letters, digits, "_" and "-", begins with a letter or "_", and is not reserved.',
    );
  }
  if (version !== undefined && !isRange(version)) {
    throw usageError(`--version ${quote(version)} is not a semver range`, 'For example: ^1.2');
  }
}

/** Asks the Hub whether bare ids are models or datasets; sends no request when all types are known. */
async function withTypes(
  requests: readonly RepoRequest[],
  endpoint: string | undefined,
  context: CommandContext,
): Promise<readonly Addition[]> {
  if (requests.every((one): one is Addition => one.type !== undefined)) return requests;
  return forEachRepository(requests, endpoint, context, async (hub, one) => ({
    ...one,
    type: await detectType(hub, one),
  }));
}

/** The entry in its shortest form, and the id of its repository. */
function entryOf(
  { type, id, ref, select }: Addition,
  { name, version }: AddOptions,
): NewEntry & Known {
  const repo = shortestForm(type, id);
  const fields: EntryFile = {
    repo,
    ...(version === undefined ? {} : { version }),
    ...(ref === DEFAULT_REF ? {} : { ref }),
    ...select,
  };
  const value = Object.keys(fields).length === 1 ? repo : fields;
  return { name: name ?? nameFor(id), type, value, repo: id };
}

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

/** @param isNamed whether the user chose the name, and so may want a repository twice */
function refuseDuplicate(
  known: readonly Known[],
  { type, name, repo }: Known,
  isNamed: boolean,
): void {
  const ofType = known.filter((entry) => entry.type === type);
  const same = ofType.find((entry) => entry.name === name);
  if (same !== undefined) {
    throw new HugError('EHUG_ENTRY_EXISTS', `there is already an entry ${placeOf(same)}`, {
      hint: 'Give the new one another name with --name.',
    });
  }
  const twin = ofType.find((entry) => entry.repo.toLowerCase() === repo.toLowerCase());
  if (twin === undefined || isNamed) return;
  throw new HugError('EHUG_ENTRY_EXISTS', `${repo} is there already, as ${placeOf(twin)}`, {
    hint: 'To move it on, run nix-hug update. To have it twice, choose a name with --name.',
  });
}
