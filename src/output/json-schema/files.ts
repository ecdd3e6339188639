import {
  document,
  flag,
  integer,
  list,
  name,
  oneOf,
  orNull,
  path,
  pin,
  repo,
  rev,
  size,
  text,
  type,
} from './fields.ts';
import * as v from 'valibot';

const files = list(
  v.strictObject({
    path,
    size,
    lfs: flag('Whether it is an LFS file.'),
  }),
  'Selected files.',
);

const listing = {
  repo,
  type: oneOf(['model', 'dataset'], 'Kind of the repository.'),
  rev,
  size: integer('Bytes of all selected files.'),
  files,
};

/** What `ls` prints. */
export const LS = {
  ls: document('nix-hug ls <name|url> --json', 'The files of an entry or a repository.', listing),
  'ls-entries': document('nix-hug ls --json', 'The entries of the lock.', {
    entries: list(
      v.strictObject({
        name,
        type,
        repo,
        ...pin,
        size: integer('Bytes of all files.'),
        files: integer('Number of files.'),
      }),
      'Models, then datasets, sorted by name.',
    ),
  }),
};

const storedFile = {
  path,
  size,
  storePath: text('Path in the Nix store.'),
};

const storedEntries = list(
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

const expression = {
  expression: orNull(v.string(), 'Nix expression that pins the files; null when there is none.'),
  obstacle: orNull(v.string(), 'Why there is no expression, or no store path.'),
};

const assembled = {
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

/** What `import` and `import-all` print. */
export const IMPORT = {
  import: document(
    'nix-hug import <url> <name|url>… --json',
    'What is in the Nix store: of several repositories, or of repositories and entries.',
    {
      entries: storedEntries,
      repositories: list(v.strictObject(assembled), 'In the order of the arguments.'),
    },
  ),
  'import-all': document('nix-hug import-all --json', 'Snapshots of the Hugging Face cache.', {
    changed: flag('Whether something was added to the store.'),
    snapshots: list(
      v.strictObject({
        type,
        repo,
        rev,
        files: list(
          v.strictObject({
            ...storedFile,
            source: oneOf(
              ['store', 'cache', 'missing', 'damaged'],
              'Where it was: in the store already, in the cache; not asked for, or damaged there.',
            ),
          }),
          'Files that have a place in the store.',
        ),
        damaged: list(
          v.strictObject({
            path,
            file: text('Path in the cache.'),
            reason: text('Why it is not what it should be.'),
          }),
          'Files that were left alone.',
        ),
      }),
      'Every snapshot.',
    ),
  }),
};
