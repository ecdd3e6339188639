import type { Selection } from '../../manifest/schema.ts';
import { quoted } from '../../quote.ts';
import { badRefReason, DEFAULT_REF, parseRepoForm, type RepoType } from '../../repo.ts';
import { unsafeReason } from '../../safe-path.ts';
import { usageError } from '../usage.ts';

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
export interface Wanted {
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
export function wantedOf(
  url: string,
  options: RemoteOptions,
  ...endpoints: readonly (string | undefined)[]
): Wanted {
  const form = parseRepoForm(url, ...endpoints.filter((endpoint) => endpoint !== undefined));
  const named = oneOf('revision', [form.ref, options.ref]);
  const ref = named ?? DEFAULT_REF;
  const badRef = badRefReason(ref);
  if (badRef !== undefined) throw usageError(`--ref ${quoted(ref)} ${badRef}`);
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
    if (reason !== undefined) throw usageError(`--file ${quoted(path)} ${reason}`);
  }
  for (const glob of [...include, ...exclude]) {
    if (glob === '') throw usageError('a pattern is empty');
    if (glob.startsWith('!')) {
      throw usageError(`the pattern ${quoted(glob)} begins with "!"`, 'List it under --exclude.');
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
    throw usageError(`two values for the ${what}: ${[...values].map(quoted).join(' and ')}`);
  }
  return [...values][0];
}
