import { HugError } from '../errors.ts';

/** What may follow `fetch` and `ls` instead of names of entries, which have neither `/` nor `:`. */
const REPOSITORY = /[/:]/u;

/**
 * The repository among the arguments of a command that takes names of entries as well.
 *
 * @param foreign values of options that say something of a repository and nothing of an entry
 * @returns `undefined` when the arguments are names of entries
 * @throws HugError `EHUG_USAGE` when both are mixed
 */
export function repositoryAmong(
  targets: readonly string[],
  foreign: readonly unknown[],
): string | undefined {
  const url = targets.find((target) => REPOSITORY.test(target));
  if (url !== undefined && targets.length === 1) return url;
  if (url !== undefined) {
    throw usage('a repository comes alone', 'Name one repository, or entries of the lock.');
  }
  if (foreign.some((value) => value !== undefined)) {
    throw usage(
      'these options say something of a repository, not of entries of the lock',
      'A repository is written org/name, or hf:gpt2 without org.',
    );
  }
  return undefined;
}

const usage = (message: string, hint: string): HugError =>
  new HugError('EHUG_USAGE', message, { hint });
