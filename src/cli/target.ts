import { isOfLock, type Targets } from '../commands/targets.ts';
import { usageError } from '../commands/usage.ts';

/** What a repository is written with; names of entries have neither `/` nor `:`. */
const REPOSITORY = /[/:]/u;

/** Values of options that say something of a repository and nothing of an entry. */
export interface ForeignOptions {
  /** Of just one repository. */
  readonly ofOne: readonly unknown[];
  /** Of any number of them. */
  readonly ofEach?: readonly unknown[];
}

/**
 * Tells repositories from names of entries among the arguments of a command that takes both, each
 * once.
 *
 * @throws HugError `EHUG_USAGE` for options that do not say of what they are
 */
export function targetsOf(
  targets: readonly string[],
  { ofOne, ofEach = [] }: ForeignOptions,
): Targets {
  const unique = [...new Set(targets)];
  const urls = unique.filter((target) => REPOSITORY.test(target));
  const names = unique.filter((target) => !REPOSITORY.test(target));
  if (urls.length > 1 && areGiven(ofOne)) {
    throw usageError(
      'these options say something of one repository, and there are several',
      'Say it in the addresses: hf:org/name, hf-datasets:org/name, …/org/name/tree/REF.',
    );
  }
  if ((urls.length === 0 && areGiven(ofOne)) || (isOfLock({ names, urls }) && areGiven(ofEach))) {
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
  options: ForeignOptions,
): string | undefined {
  const { names, urls } = targetsOf(targets, options);
  if (names.length + urls.length > 1 && urls.length > 0) {
    throw usageError('a repository comes alone', 'Name one repository, or entries of the lock.');
  }
  return urls[0];
}

const areGiven = (values: readonly unknown[]): boolean =>
  values.some((value) => value !== undefined);
