import type { RemoteOptions } from '../commands/remote/remote-options.ts';
import { isOfLock, type Targets } from '../commands/targets.ts';
import { usageError } from '../commands/usage.ts';

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
