import { EXIT, HugError } from '../errors.ts';
import { diffLocks } from '../lock/diff.ts';
import { placeOf } from '../lock/entries.ts';
import { nameFor } from '../manifest/edit-name.ts';
import { addEntry, type NewEntry } from '../manifest/edit.ts';
import { parseManifest } from '../manifest/parse.ts';
import { isRange } from '../manifest/rules.ts';
import { ENTRY_NAME, type EntryFile, type Manifest } from '../manifest/schema.ts';
import { quote } from '../quote.ts';
import { DEFAULT_REF, parseRepoForm, type RepoType } from '../repo.ts';
import { lockText } from '../output/lock-changes.ts';
import { type LockContext, planLock } from './lock.ts';
import type { Output } from '../output/json-schema.ts';
import { readProject } from '../project/project.ts';
import { type RemoteOptions, type RepoRequest, parseRepoRequest } from '../project/arguments.ts';
import { forEachRepository, detectType, withHub } from '../project/repository.ts';
import type { CommandResult } from '../output/result.ts';
import { usageError } from '../errors.ts';
import { writeProject } from '../project/write-project.ts';

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

/**
 * `nix-hug add <url>…`: adds entries to the manifest, and locks them. The manifest and its lock are
 * written at the end, both or none.
 */
export async function run(
  urls: readonly string[],
  options: AddOptions,
  context: LockContext,
): Promise<CommandResult> {
  checkOptions(urls, options);
  const project = readProject(context);
  const { manifestName, manifestText, lockName } = project;
  const hubs = [project.manifest.endpoint, context.endpoint];
  const additions = await withTypes(
    urls.map((url) => wantedFor(url, options, hubs)),
    project.manifest.endpoint,
    context,
  );
  const parse = (text: string) => parseManifest(text, manifestName, { endpoint: context.endpoint });
  let text = manifestText;
  for (const addition of additions) {
    const entry = entryOf(addition, options);
    refuseDuplicate(parse(text), entry, addition.id, options.name !== undefined);
    text = addEntry(text, manifestName, entry);
  }
  const manifest = parse(text);
  const plan = await planLock({ ...project, manifest }, context);
  await writeProject(project, text, plan.changed ? plan.text : undefined);
  const entries = diffLocks(plan.from, plan.to);
  return {
    json: {
      changed: plan.changed,
      entries,
      added: additions.map(({ type, id }) => ({
        name: options.name ?? nameFor(id),
        type,
        repo: id,
      })),
    } satisfies Output<'add'>,
    text: lockText({
      file: `${manifestName} and ${lockName}`,
      entries,
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

function wantedFor(
  url: string,
  options: AddOptions,
  hubs: readonly (string | undefined)[],
): RepoRequest {
  const wanted = parseRepoRequest(url, options, ...hubs);
  if (options.version !== undefined && wanted.named) {
    throw usageError(
      'a revision and a version range exclude each other',
      'Keep --ref, or --version.',
    );
  }
  return wanted;
}

/**
 * Looks up what bare ids are; asks nobody when every type is known.
 *
 * @param endpoint address that the manifest names
 */
async function withTypes(
  wanted: readonly RepoRequest[],
  endpoint: string | undefined,
  context: LockContext,
): Promise<readonly Addition[]> {
  if (wanted.every(isTyped)) return wanted;
  return withHub(
    context,
    (hub) =>
      forEachRepository(wanted, context.warn, async (one) => ({
        ...one,
        type: await detectType(hub, one),
      })),
    endpoint,
  );
}

const isTyped = (wanted: RepoRequest): wanted is Addition => wanted.type !== undefined;

/** The entry in its shortest form. */
function entryOf({ type, id, ref, select }: Addition, { name, version }: AddOptions): NewEntry {
  const repo = shortestForm(type, id);
  const fields: EntryFile = {
    repo,
    ...(version === undefined ? {} : { version }),
    ...(ref === DEFAULT_REF ? {} : { ref }),
    ...select,
  };
  const value = Object.keys(fields).length === 1 ? repo : fields;
  return { name: name ?? nameFor(id), type, value };
}

/** The id alone, unless it looks like another form: an organisation may be called `models`. */
function shortestForm(type: RepoType, id: string): string {
  if (parseRepoForm(id).id === id) return id;
  return type === 'dataset' ? `hf-datasets:${id}` : `hf:${id}`;
}

/** @param isNamed whether the user chose the name, and so may want a repository twice */
function refuseDuplicate(
  { entries }: Manifest,
  { type, name }: NewEntry,
  id: string,
  isNamed: boolean,
): void {
  const ofType = entries.filter((entry) => entry.type === type);
  const same = ofType.find((entry) => entry.name === name);
  if (same !== undefined) {
    throw new HugError('EHUG_ENTRY_EXISTS', `there is already an entry ${placeOf(same)}`, {
      hint: 'Give the new one another name with --name.',
    });
  }
  const twin = ofType.find(({ repo }) => repo.toLowerCase() === id.toLowerCase());
  if (twin === undefined || isNamed) return;
  throw new HugError('EHUG_ENTRY_EXISTS', `${id} is there already, as ${placeOf(twin)}`, {
    hint: 'To move it on, run nix-hug update. To have it twice, choose a name with --name.',
  });
}
