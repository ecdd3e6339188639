import * as v from 'valibot';
import {
  document,
  flag,
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
import { listing } from './ls.ts';

export const storedFile = {
  path,
  size,
  storePath: text('Path in the Nix store.'),
};

export const storedEntries = list(
  v.strictObject({
    name,
    type,
    repo,
    rev,
    files: list(
      v.strictObject({
        ...storedFile,
        source: oneOf(
          ['store', 'hub', 'cache', 'missing'],
          'Where it was: in the store already, on the Hub, in the Hugging Face cache; missing with --dry-run.',
        ),
      }),
      'Every locked file.',
    ),
  }),
  'The entries that were asked for.',
);

export const expression = {
  expression: orNull(v.string(), 'Nix expression that pins the files; null when there is none.'),
  obstacle: orNull(v.string(), 'Why there is no expression, or no store path.'),
};

export const assembled = {
  ...listing,
  ...expression,
  storePath: orNull(v.string(), 'The model in the Nix store; null when it was not assembled.'),
};

/** What `fetch` prints, and `import` for entries alone or one repository alone. */
export const FETCH = {
  fetch: document(
    'nix-hug fetch|import [name…] --json',
    'What is in the Nix store, and came from where.',
    {
      changed: flag('Whether something was added to the store.'),
      entries: storedEntries,
    },
  ),
  'fetch-url': document(
    'nix-hug fetch|import <url> --json',
    'A model in the Nix store.',
    assembled,
  ),
  'fetch-url-dry-run': document(
    'nix-hug fetch <url> --dry-run --json',
    'What fetch would bring, and the expression that does the same.',
    { ...listing, ...expression },
  ),
};
