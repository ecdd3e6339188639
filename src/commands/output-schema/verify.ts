import * as v from 'valibot';
import {
  document,
  list,
  name,
  oneOf,
  orNull,
  path,
  repo,
  rev,
  size,
  text,
  type,
} from './fields.ts';

const state = oneOf(['sound', 'damaged', 'absent'], 'Damaged when one of several copies is.');

/** What `verify` prints. */
export const VERIFY = {
  verify: document('nix-hug verify --json', 'What store and cache have of the lock.', {
    store: orNull(v.string(), 'Path of the store; null where there is no Nix.'),
    cache: text('Path of the Hugging Face cache.'),
    entries: list(
      v.strictObject({
        name,
        type,
        repo,
        rev,
        files: list(
          v.strictObject({
            path,
            size,
            store: orNull(state, 'Its state in the store; null where there is no Nix.'),
            cache: state,
          }),
          'Every locked file.',
        ),
      }),
      'The entries that were asked for.',
    ),
    problems: list(
      v.strictObject({
        entry: name,
        type,
        file: path,
        where: oneOf(['store', 'cache'], 'Which copy differs.'),
        path: text('Path of the copy.'),
        reason: text('How it differs.'),
        repair: text('The command that repairs it.'),
      }),
      'What differs from the lock.',
    ),
  }),
};
