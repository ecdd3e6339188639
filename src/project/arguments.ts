import { usageError } from '../errors.ts';
import type { Selection } from '../manifest/schema.ts';
import { quote } from '../quote.ts';
import { DEFAULT_REF, type RepoForm, type RepoType, badRefReason, parseRepoForm } from '../repo.ts';
import { unsafeReason } from '../safe-path.ts';
import { type Format, QUANT, VARIANT } from '../selection.ts';

/** Options that select files. */
export interface SelectionOptions {
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly file?: readonly string[] | undefined;
  readonly format?: Format | undefined;
  readonly variant?: string | undefined;
  readonly quant?: string | undefined;
}

/** Options of a command on a repository that no manifest names. */
export interface RemoteOptions extends SelectionOptions {
  readonly ref?: string | undefined;
  readonly model?: boolean | undefined;
  readonly dataset?: boolean | undefined;
  readonly repoType?: RepoType | undefined;
}

/** A repository form together with the options beside it. */
export interface RepoRequest {
  /** `undefined` when neither the form nor an option gives it. */
  readonly type: RepoType | undefined;
  /** Repository id as the user wrote it. */
  readonly id: string;
  /** Branch, tag, `refs/pr/N` or commit. */
  readonly ref: string;
  /** Whether the user gave the ref. */
  readonly named: boolean;
  readonly select: Selection | undefined;
}

/**
 * Parses a repository form and the options beside it.
 *
 * @param url any repository form
 * @param endpoints addresses of further Hubs, beside the usual ones
 * @throws HugError `EHUG_REPO_INVALID`; `EHUG_USAGE` when the form and the options contradict each
 *   other
 */
export function parseRepoRequest(
  url: string,
  options: RemoteOptions,
  ...endpoints: readonly (string | undefined)[]
): RepoRequest {
  const form = parseRepoForm(url, ...endpoints.filter((endpoint) => endpoint !== undefined));
  const named = onlyValue('revision', [form.ref, options.ref]);
  const ref = named ?? DEFAULT_REF;
  const badRef = badRefReason(ref);
  if (badRef !== undefined) throw usageError(`--ref ${quote(ref)} ${badRef}`);
  return {
    type: onlyValue('type', [
      form.type,
      options.repoType,
      options.model === true ? 'model' : undefined,
      options.dataset === true ? 'dataset' : undefined,
    ]),
    id: form.id,
    ref,
    named: named !== undefined,
    select: selectionOf(form, options),
  };
}

/**
 * The selection that a repository form and the options make.
 *
 * @throws HugError `EHUG_USAGE`
 */
export function selectionOf(
  form: Pick<RepoForm, 'file' | 'quant'>,
  options: SelectionOptions,
): Selection | undefined {
  const files = [
    ...new Set([...(form.file === undefined ? [] : [form.file]), ...(options.file ?? [])]),
  ];
  const quant = onlyValue('quant', [form.quant, options.quant]);
  const others = filtersOf(options);
  for (const path of files) {
    const reason = unsafeReason(path);
    if (reason !== undefined) throw usageError(`--file ${quote(path)} ${reason}`);
  }
  if (files.length > 0 && (quant !== undefined || others !== undefined)) {
    throw usageError(
      'exact files cannot be combined with patterns, a format, a variant or a quant',
      'Keep --file, or the other options.',
    );
  }
  if (quant !== undefined && others !== undefined) {
    throw usageError(
      'a quant cannot be combined with patterns, a format or a variant',
      'Keep the quant, or the other options.',
    );
  }
  if (files.length > 0) return { files };
  if (quant === undefined) return others;
  if (QUANT.test(quant)) return { quant };
  throw usageError(
    `--quant ${quote(quant)} is not a quant`,
    'A quant has letters, digits, "_" and "-", as in Q4_K_M.',
  );
}

/** Patterns, format and variant, which can stand together; `undefined` when none is given. */
function filtersOf(options: SelectionOptions): Selection | undefined {
  const { format, variant } = options;
  const include = [...new Set(options.include)];
  const exclude = [...new Set(options.exclude)];
  for (const glob of [...include, ...exclude]) {
    if (glob === '') throw usageError('a pattern is empty');
    if (glob.startsWith('!')) {
      throw usageError(`the pattern ${quote(glob)} begins with "!"`, 'List it under --exclude.');
    }
  }
  if (variant !== undefined && !VARIANT.test(variant)) {
    throw usageError(
      `--variant ${quote(variant)} is not a variant`,
      'A variant is a part of file names, as fp16 in model.fp16.safetensors.',
    );
  }
  const select = {
    ...(include.length === 0 ? {} : { include }),
    ...(exclude.length === 0 ? {} : { exclude }),
    ...(format === undefined ? {} : { format }),
    ...(variant === undefined ? {} : { variant }),
  };
  return Object.keys(select).length === 0 ? undefined : select;
}

/** The value that the form, an option or both give. */
function onlyValue<T extends string>(
  what: string,
  given: readonly (T | undefined)[],
): T | undefined {
  const values = new Set(given.filter((value) => value !== undefined));
  if (values.size > 1) {
    throw usageError(`two values for the ${what}: ${[...values].map(quote).join(' and ')}`);
  }
  return [...values][0];
}

/** The arguments of a command that takes entries of the lock and repositories. */
export interface Targets {
  /** Entries of the lock; without arguments all of them. */
  readonly names: readonly string[];
  /** Repositories, in any form. */
  readonly urls: readonly string[];
}

/** Whether a command works on entries of the lock. */
export const isOfLock = ({ names, urls }: Targets): boolean =>
  names.length > 0 || urls.length === 0;

/** A repository has one of these characters, and the name of an entry has none. */
const REPOSITORY = /[/:]/u;

/**
 * Separates repositories from names of entries among the arguments; repeated ones count once.
 *
 * @param narrowed whether the options that select files apply to repositories alone, or to entries too
 * @throws HugError `EHUG_USAGE` for options that do not apply to the arguments
 */
export function targetsOf(
  targets: readonly string[],
  options: RemoteOptions,
  narrowed: 'repositories' | 'entries' = 'repositories',
): Targets {
  const { ref, model, dataset, repoType } = options;
  const { include, exclude, file, format, variant, quant } = options;
  const unique = [...new Set(targets)];
  const urls = unique.filter((target) => REPOSITORY.test(target));
  const names = unique.filter((target) => !REPOSITORY.test(target));
  if (urls.length !== 1 && areGiven([ref, model, dataset, repoType])) {
    throw usageError(
      `--ref, --model and --dataset need exactly one repository; ${urls.length} given`,
      urls.length === 0
        ? HOW_TO_WRITE
        : 'Write them into the addresses: hf:org/name, hf-datasets:org/name, …/org/name/tree/REF.',
    );
  }
  const selects = areGiven([include, exclude, file, format, variant, quant]);
  if (narrowed === 'repositories' && selects && isOfLock({ names, urls })) {
    const problem = 'options that select files need a repository, not entries of the lock';
    throw usageError(problem, HOW_TO_WRITE);
  }
  return { names, urls };
}

const HOW_TO_WRITE = 'A repository is written org/name, or hf:gpt2 without org.';

/**
 * The same for a command that takes one repository, or names of entries.
 *
 * @returns `undefined` when the arguments are names of entries
 * @throws HugError `EHUG_USAGE`, also for a repository beside other arguments
 */
export function repositoryAmong(
  targets: readonly string[],
  options: RemoteOptions,
  narrowed?: 'entries',
): string | undefined {
  const { names, urls } = targetsOf(targets, options, narrowed);
  if (names.length + urls.length > 1 && urls.length > 0) {
    throw usageError(
      'a repository cannot be combined with other arguments',
      'Name one repository, or entries of the lock.',
    );
  }
  return urls[0];
}

const areGiven = (values: readonly unknown[]): boolean =>
  values.some((value) => value !== undefined);
