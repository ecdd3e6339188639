import * as v from 'valibot';
import { document, list, oneOf, orNull, path, pin, repo, size, text, type } from './fields.ts';

/** What `export` prints. */
export const EXPORT = {
  export: document('nix-hug export --json', 'What is in the Hugging Face cache.', {
    entries: list(
      v.strictObject({
        name: orNull(v.string(), 'Name of the entry; null for a repository.'),
        type,
        repo,
        ...pin,
        folder: text('Path of the snapshot.'),
        files: list(
          v.strictObject({
            path,
            size,
            source: oneOf(
              ['cache', 'store', 'hub'],
              'Where it was: in the cache already, in the Nix store, on the Hub.',
            ),
          }),
          'Every file that is in the snapshot now.',
        ),
      }),
      'What was asked for.',
    ),
  }),
};
