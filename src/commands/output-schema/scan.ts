import * as v from 'valibot';
import { document, flag, integer, list, oneOf, orNull, text } from './fields.ts';

/** What `scan` prints. */
export const SCAN = {
  scan: document('nix-hug scan --json', 'What is in the Hugging Face cache.', {
    cache: text('Path of the cache.'),
    found: flag('Whether there is a cache.'),
    size: integer('Bytes on disk, each content counted once.'),
    revisions: list(
      v.strictObject({
        repo: text('Repository id, as the name of its folder tells it.'),
        type: oneOf(['model', 'dataset', 'space', 'kernel'], 'Kind of the repository.'),
        rev: text('Name of the snapshot: a commit, 40 hex digits, in a cache that is sound.'),
        size: integer('Bytes of all its files.'),
        files: integer('Number of files.'),
        inStore: orNull(
          v.boolean(),
          'Whether the Nix store has every file; null where that is not known.',
        ),
        refs: list(v.string(), 'Branches and tags that point to it.'),
        modified: text('When one of its files was last changed, ISO 8601.'),
        folder: text('Path of the snapshot.'),
      }),
      'A snapshot each.',
    ),
    problems: list(
      v.strictObject({
        kind: text('What is odd, in a word: broken-link, dangling-ref, incomplete and others.'),
        path: text('Where, relative to the cache.'),
        detail: v.exactOptional(text('The reason, or where a link or a ref leads.')),
      }),
      'What is odd in the cache; none of it is an error.',
    ),
  }),
};
