import * as v from 'valibot';
import * as f from './fields.ts';

const { lockedName, path, pin, repo, rev, size, type } = f;

const listing = {
  repo,
  type: f.oneOf(['model', 'dataset'], 'Kind of the repository.'),
  rev,
  size: f.integer('Bytes of all selected files.'),
  files: f.rows({ path, size, lfs: f.flag('Whether it is an LFS file.') }, 'Selected files.'),
};

const listedEntry = {
  name: lockedName,
  type,
  repo,
  ...pin,
  size: f.integer('Bytes of all files.'),
  files: f.integer('Number of files.'),
  needs: f.rows(
    {
      repo: f.text('Repository id as the file names it.'),
      ref: f.text('Branch, tag or commit that a loader asks for.'),
      by: f.text('Path of the file that names it.'),
    },
    'Repositories that its files name, in the lock or not.',
  ),
};

const storedFile = { path, size, storePath: f.text('Path in the Nix store.') };

const storedEntries = f.rows(
  {
    name: lockedName,
    type,
    repo,
    rev,
    files: f.rows(
      {
        ...storedFile,
        source: f.oneOf(
          ['store', 'hub', 'cache', 'missing'],
          'Where it was: in the store already, on the Hub, in the Hugging Face cache; missing with --dry-run.',
        ),
      },
      'Every locked file.',
    ),
  },
  'The entries that were asked for, then what they need.',
);

const expression = {
  expression: f.textOrNull('Nix expression that pins the files; null when there is none.'),
  obstacle: f.textOrNull('Why there is no expression, or no store path.'),
};

const assembled = {
  ...listing,
  ...expression,
  storePath: f.textOrNull('The model in the Nix store; null when it was not assembled.'),
};

/** Output of the commands that list and copy files. */
export const FILE_OUTPUTS = {
  ls: f.document('nix-hug ls <name|url> --json', 'The files of an entry or a repository.', listing),
  'ls-entries': f.document('nix-hug ls --json', 'The entries of the lock, and what they need.', {
    entries: f.rows(listedEntry, 'Models, then datasets, sorted by name.'),
    needed: f.rows(
      listedEntry,
      'What the entries need beyond themselves. With --group, also entries of other groups.',
    ),
  }),
  why: f.document('nix-hug why --json', 'Why the lock has a repository, an entry or a file.', {
    chains: f.list(
      f.rows(
        {
          entry: f.text('Place of the entry in the lock: models.NAME, needed.models/ORG/NAME@REF.'),
          by: f.textOrNull(
            'Path of the file, of the entry before it, that names it; null for the first entry.',
          ),
        },
        'From an entry of the manifest to what is asked about, or to the entry that has the file.',
      ),
      'A shortest chain for each entry of the manifest that leads there; empty when none does.',
    ),
  }),
  // `import` prints the same for entries alone, or one repository alone.
  fetch: f.document(
    'nix-hug fetch|import [name…] --json',
    'What is in the Nix store, and came from where.',
    { changed: f.flag('Whether something was added to the store.'), entries: storedEntries },
  ),
  'fetch-url': f.document(
    'nix-hug fetch|import <url> --json',
    'A model in the Nix store.',
    assembled,
  ),
  'fetch-url-dry-run': f.document(
    'nix-hug fetch <url> --dry-run --json',
    'What fetch would add, and the expression that does the same.',
    { ...listing, ...expression },
  ),
  export: f.document('nix-hug export --json', 'What is in the Hugging Face cache.', {
    entries: f.rows(
      {
        name: f.textOrNull(
          'Name of the entry, or its key in needed; null for a repository of the command line.',
        ),
        type,
        repo,
        ...pin,
        folder: f.text('Path of the snapshot.'),
        files: f.rows(
          {
            path,
            size,
            source: f.oneOf(
              ['cache', 'store', 'hub'],
              'Where it was: in the cache already, in the Nix store, on the Hub.',
            ),
          },
          'Every file that is in the snapshot now.',
        ),
      },
      'What was asked for, and what the entries need.',
    ),
  }),
  env: f.document('nix-hug env --json', 'Variables for programs, by name.', {
    HF_HUB_CACHE: f.text('Folder of the view of the lock.'),
    HUGGINGFACE_HUB_CACHE: f.text('The same, for programs that read this one.'),
    HF_HUB_OFFLINE: f.text('1'),
    NIX_HUG_ENV: f.text(
      'The same folder, which tells nix-hug that these variables are for programs.',
    ),
  }),
  mirror: f.document('nix-hug mirror --json', 'What is in a folder of files by SHA-256.', {
    folder: f.text('The folder that has sha256/.'),
    changed: f.flag('Whether something was written.'),
    entries: f.rows(
      {
        name: lockedName,
        type,
        repo,
        rev,
        files: f.rows(
          {
            path,
            size,
            sha256: f.text('SHA-256 of the content, 64 hex digits: its name in sha256/.'),
            source: f.oneOf(
              ['mirror', 'cache', 'store', 'hub'],
              'Where it was: in the folder already, in the Hugging Face cache, in the Nix store, on the Hub.',
            ),
          },
          'Every locked file.',
        ),
      },
      'The entries of the lock, then what they need.',
    ),
  }),
  serve: f.document('nix-hug serve --json', 'What is served; printed when the server runs.', {
    address: f.text('Address of the server, with its port.'),
    entries: f.rows(
      {
        name: lockedName,
        type,
        repo,
        ...pin,
        files: f.integer('Number of files.'),
        missing: f.list(
          f.text('Path.'),
          'Files that are not on this machine, and answered by 404.',
        ),
      },
      'The entries of the lock, then what they need.',
    ),
  }),
  import: f.document(
    'nix-hug import <url> <name|url>… --json',
    'What is in the Nix store: of several repositories, or of repositories and entries.',
    {
      entries: storedEntries,
      repositories: f.list(v.strictObject(assembled), 'In the order of the arguments.'),
    },
  ),
  'import-all': f.document('nix-hug import-all --json', 'Snapshots of the Hugging Face cache.', {
    changed: f.flag('Whether something was added to the store.'),
    snapshots: f.rows(
      {
        type,
        repo,
        rev,
        files: f.rows(
          {
            ...storedFile,
            source: f.oneOf(
              ['store', 'cache', 'missing', 'damaged'],
              'Where it was: in the store already, in the cache; not asked for, or damaged there.',
            ),
          },
          'Files that have a place in the store.',
        ),
        damaged: f.rows(
          {
            path,
            file: f.text('Path in the cache.'),
            reason: f.text('Why it is not what it should be.'),
          },
          'Files that were left alone.',
        ),
      },
      'Every snapshot.',
    ),
  }),
};
