import type { RemoteOptions } from '../commands/remote-options.ts';
import { HugError } from '../errors.ts';

/** What may follow `fetch` and `ls` instead of names of entries, which have neither `/` nor `:`. */
const REPOSITORY = /[/:]/u;

/**
 * The repository among the arguments of a command that takes names of entries as well.
 *
 * @param options those that say something of a repository
 * @returns `undefined` when the arguments are names of entries
 * @throws HugError `EHUG_USAGE` when both are mixed
 */
export function repositoryAmong(
  targets: readonly string[],
  options: RemoteOptions,
): string | undefined {
  const url = targets.find((target) => REPOSITORY.test(target));
  if (url !== undefined && targets.length === 1) return url;
  if (url !== undefined) {
    throw usage('a repository comes alone', 'Name one repository, or entries of the lock.');
  }
  const { ref, include, exclude, file, model, dataset, repoType } = options;
  if (
    [ref, include, exclude, file, model, dataset, repoType].some((value) => value !== undefined)
  ) {
    throw usage(
      'a revision, a type and a selection belong to a repository, not to entries of the lock',
      'A canonical id such as gpt2 is written hf:gpt2.',
    );
  }
  return undefined;
}

const usage = (message: string, hint: string): HugError =>
  new HugError('EHUG_USAGE', message, { hint });
