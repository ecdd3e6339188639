import { usageError } from '../errors.ts';
import type { Selection } from '../manifest/schema.ts';
import { quote } from '../quote.ts';
import { DEFAULT_REF, type RepoType, badRefReason, parseRepoForm } from '../repo.ts';
import { unsafeReason } from '../safe-path.ts';

/** Options that say which files are meant. */
export interface SelectionOptions {
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly file?: readonly string[] | undefined;
}

/** Options that say which repository, revision and files are meant, without a manifest. */
export interface RemoteOptions extends SelectionOptions {
  readonly ref?: string | undefined;
  readonly model?: boolean | undefined;
  readonly dataset?: boolean | undefined;
  readonly repoType?: RepoType | undefined;
}

/** What a repository form and its options mean together. */
export interface RepoRequest {
  /** Absent when nothing says it. */
  readonly type: RepoType | undefined;
  /** Repository id as the user knows it. */
  readonly id: string;
  /** Branch, tag, `refs/pr/N` or commit. */
  readonly ref: string;
  /** Whether the user named the ref, and it is not just the default. */
  readonly named: boolean;
  readonly select: Selection | undefined;
}

/**
 * Reads a repository form and the options beside it.
 *
 * @param url any repository form
 * @param endpoints addresses that count as the Hub beside the usual ones
 * @throws HugError `EHUG_REPO_INVALID`; `EHUG_USAGE` when two of them contradict each other
 */
export function parseRepoRequest(
  url: string,
  options: RemoteOptions,
  ...endpoints: readonly (string | undefined)[]
): RepoRequest {
  const form = parseRepoForm(url, ...endpoints.filter((endpoint) => endpoint !== undefined));
  const named = oneOf('revision', [form.ref, options.ref]);
  const ref = named ?? DEFAULT_REF;
  const badRef = badRefReason(ref);
  if (badRef !== undefined) throw usageError(`--ref ${quote(ref)} ${badRef}`);
  return {
    type: oneOf('type', [
      form.type,
      options.repoType,
      options.model === true ? 'model' : undefined,
      options.dataset === true ? 'dataset' : undefined,
    ]),
    id: form.id,
    ref,
    named: named !== undefined,
    select: selectionOf(form.file, options),
  };
}

/**
 * The selection that options make.
 *
 * @param file that an address names
 * @throws HugError `EHUG_USAGE`
 */
export function selectionOf(
  file: string | undefined,
  options: SelectionOptions,
): Selection | undefined {
  const include = [...new Set(options.include)];
  const exclude = [...new Set(options.exclude)];
  const files = [...new Set([...(file === undefined ? [] : [file]), ...(options.file ?? [])])];
  for (const path of files) {
    const reason = unsafeReason(path);
    if (reason !== undefined) throw usageError(`--file ${quote(path)} ${reason}`);
  }
  for (const glob of [...include, ...exclude]) {
    if (glob === '') throw usageError('a pattern is empty');
    if (glob.startsWith('!')) {
      throw usageError(`the pattern ${quote(glob)} begins with "!"`, 'List it under --exclude.');
    }
  }
  const globs = include.length + exclude.length;
  if (files.length > 0 && globs > 0) {
    throw usageError('exact files and patterns exclude each other', 'Keep --file, or --include.');
  }
  if (files.length > 0) return { files };
  if (globs === 0) return undefined;
  return {
    ...(include.length === 0 ? {} : { include }),
    ...(exclude.length === 0 ? {} : { exclude }),
  };
}

/** The one value that is given, from whichever side. */
function oneOf<T extends string>(what: string, given: readonly (T | undefined)[]): T | undefined {
  const values = new Set(given.filter((value) => value !== undefined));
  if (values.size > 1) {
    throw usageError(`two values for the ${what}: ${[...values].map(quote).join(' and ')}`);
  }
  return [...values][0];
}

/** What the arguments of a command name. */
export interface Targets {
  /** Entries of the lock; all of them where nothing at all is named. */
  readonly names: readonly string[];
  /** Repositories, in any form. */
  readonly urls: readonly string[];
}

/** Whether a command is about the lock. */
export const isOfLock = ({ names, urls }: Targets): boolean =>
  names.length > 0 || urls.length === 0;

/** What a repository is written with; names of entries have neither `/` nor `:`. */
const REPOSITORY = /[/:]/u;

/** What options about files may narrow: repositories alone, or entries of the lock too. */
type Narrowed = 'repositories' | 'entries';

/**
 * Tells repositories from names of entries among the arguments of a command that takes both, each
 * once.
 *
 * @param options those of the command
 * @param narrowed what its options about files may narrow
 * @throws HugError `EHUG_USAGE` for options that do not say of what they are
 */
export function targetsOf(
  targets: readonly string[],
  { ref, model, dataset, repoType, include, exclude, file }: RemoteOptions,
  narrowed: Narrowed = 'repositories',
): Targets {
  const ofOne = [ref, model, dataset, repoType];
  const ofFiles = narrowed === 'entries' ? [] : [include, exclude, file];
  const unique = [...new Set(targets)];
  const urls = unique.filter((target) => REPOSITORY.test(target));
  const names = unique.filter((target) => !REPOSITORY.test(target));
  if (urls.length > 1 && areGiven(ofOne)) {
    throw usageError(
      'these options say something of one repository, and there are several',
      'Say it in the addresses: hf:org/name, hf-datasets:org/name, …/org/name/tree/REF.',
    );
  }
  if ((urls.length === 0 && areGiven(ofOne)) || (isOfLock({ names, urls }) && areGiven(ofFiles))) {
    throw usageError(
      'these options say something of a repository, not of entries of the lock',
      'A repository is written org/name, or hf:gpt2 without org.',
    );
  }
  return { names, urls };
}

/**
 * The same for a command that takes one repository, or names of entries.
 *
 * @returns `undefined` when the arguments are names of entries
 * @throws HugError `EHUG_USAGE` when both are mixed, too
 */
export function repositoryAmong(
  targets: readonly string[],
  options: RemoteOptions,
  narrowed?: Narrowed,
): string | undefined {
  const { names, urls } = targetsOf(targets, options, narrowed);
  if (names.length + urls.length > 1 && urls.length > 0) {
    throw usageError('a repository comes alone', 'Name one repository, or entries of the lock.');
  }
  return urls[0];
}

const areGiven = (values: readonly unknown[]): boolean =>
  values.some((value) => value !== undefined);
