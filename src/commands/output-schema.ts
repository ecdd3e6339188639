import * as v from 'valibot';

// What `--json` prints. Commands take the types from here and load nothing of it; the schemas are
// for `npm run schemas` and the tests.

const text = (description: string) => v.pipe(v.string(), v.description(description));

const bytes = (description: string) => v.pipe(v.number(), v.integer(), v.description(description));

const flag = (description: string) => v.pipe(v.boolean(), v.description(description));

const list = <TItem extends v.GenericSchema>(item: TItem, description: string) =>
  v.pipe(v.array(item), v.readonly(), v.description(description));

/** The whole document that a command prints. */
const document = <TEntries extends v.ObjectEntries>(
  title: string,
  description: string,
  entries: TEntries,
) => v.pipe(v.strictObject(entries), v.title(title), v.description(description));

const name = text('Name of the entry.');

const type = v.pipe(v.picklist(['model', 'dataset']), v.description('Section of the entry.'));

const paths = (description: string) => list(v.string(), `${description}, sorted.`);

const repo = text('Repository id as the Hub has it.');

const rev = text('Commit, 40 hex digits.');

const pin = {
  ref: text('Branch, tag or commit; the chosen tag for a version range.'),
  rev,
};

const pinned = v.strictObject(pin);

/** `null`, not absence, is what a reader of JSON can tell from a spelling mistake. */
const orNull = <TSchema extends v.GenericSchema>(schema: TSchema, description: string) =>
  v.pipe(v.nullable(schema), v.description(description));

const datedPin = v.strictObject({
  ...pin,
  date: orNull(v.string(), 'When the commit was made, ISO 8601; null when the Hub does not tell.'),
});

const changeOf = <TPin extends v.GenericSchema>(pinSchema: TPin) => ({
  name,
  type,
  repo,
  from: orNull(pinSchema, 'What was locked; null for a new entry.'),
  to: orNull(pinSchema, 'What is locked now; null for a removed entry.'),
  added: paths('Files that are new'),
  removed: paths('Files that are gone'),
  modified: paths('Files with another content'),
  onlyReadme: flag('Whether README.md is all that changed.'),
  sizeChange: bytes('By how many bytes all files of the entry grew; negative when they shrank.'),
  downloadBytes: bytes('Size of the contents that the lock did not have before, in bytes.'),
});

const changed = flag('Whether the lock changes; with --dry-run, whether it would.');

const problem = {
  code: v.pipe(
    v.string(),
    v.regex(/^EHUG(?:_[A-Z]+)+$/u),
    v.description('Stable; the README lists all codes.'),
  ),
  message: text('One sentence on what went wrong.'),
  hint: orNull(v.string(), 'One sentence on what to do.'),
  details: v.exactOptional(list(v.string(), 'One line for each problem, when there are several.')),
};

const files = list(
  v.strictObject({
    path: text('Path in the repository.'),
    size: bytes('Length of the content in bytes.'),
    lfs: flag('Whether it is an LFS file.'),
  }),
  'Selected files.',
);

const listing = {
  repo,
  type: v.pipe(v.picklist(['model', 'dataset']), v.description('Kind of the repository.')),
  rev,
  size: bytes('Bytes of all selected files.'),
  files,
};

const expression = {
  expression: orNull(v.string(), 'Nix expression that pins the files; null when there is none.'),
  obstacle: orNull(v.string(), 'Why there is no expression, or no store path.'),
};

const named = v.strictObject({ name, type, repo });

const differences = list(
  v.strictObject(changeOf(pinned)),
  'Entries that differ from the lock before: models, then datasets, sorted by name.',
);

const storedFile = {
  path: text('Path in the repository.'),
  size: bytes('Length of the content in bytes.'),
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
        source: v.pipe(
          v.picklist(['store', 'hub', 'cache', 'missing']),
          v.description(
            'Where it was: in the store already, on the Hub, in the Hugging Face cache; missing with --dry-run.',
          ),
        ),
      }),
      'Every locked file.',
    ),
  }),
  'The entries that were asked for.',
);

const assembled = {
  ...listing,
  ...expression,
  storePath: orNull(v.string(), 'The model in the Nix store; null when it was not assembled.'),
};

const imported = {
  ...listing,
  files: list(
    v.strictObject({ ...storedFile, lfs: flag('Whether it is an LFS file.') }),
    'Selected files.',
  ),
  ...expression,
  storePath: v.pipe(v.null(), v.description('Nothing is assembled offline.')),
};

const state = v.pipe(
  v.picklist(['sound', 'damaged', 'absent']),
  v.description('Damaged when one of several copies is.'),
);

/** Schemas of what `--json` prints, by the name of their file in `schemas/output/`. */
export const OUTPUT_SCHEMAS = {
  error: document('nix-hug … --json, on failure', 'What every command prints when it fails.', {
    error: v.strictObject(problem),
  }),
  lock: document('nix-hug lock --json', 'What lock did, or would do.', {
    changed,
    entries: differences,
  }),
  init: document('nix-hug init --json', 'The files that a new project begins with.', {
    written: list(v.string(), 'Paths of the files, relative to the working directory.'),
  }),
  add: document('nix-hug add --json', 'What add wrote.', {
    changed,
    entries: differences,
    added: list(named, 'Entries that are new in the manifest.'),
  }),
  remove: document('nix-hug remove --json', 'What remove wrote.', {
    changed,
    entries: differences,
    removed: list(named, 'Entries that are gone from the manifest.'),
  }),
  scan: document('nix-hug scan --json', 'What is in the Hugging Face cache.', {
    cache: text('Path of the cache.'),
    found: flag('Whether there is a cache.'),
    size: bytes('Bytes on disk, each content counted once.'),
    revisions: list(
      v.strictObject({
        repo: text('Repository id, as the name of its folder tells it.'),
        type: v.pipe(
          v.picklist(['model', 'dataset', 'space', 'kernel']),
          v.description('Kind of the repository.'),
        ),
        rev: text('Name of the snapshot: a commit, 40 hex digits, in a cache that is sound.'),
        size: bytes('Bytes of all its files.'),
        files: bytes('Number of files.'),
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
  'lock-check': document('nix-hug lock --check --json', 'Whether the lock is current.', {
    upToDate: flag('Whether lock would leave the file as it is.'),
    reasons: list(
      v.strictObject({
        entry: orNull(v.string(), 'Name of the entry; null when it is about the whole file.'),
        type: orNull(v.picklist(['model', 'dataset']), 'Section of the entry.'),
        reason: text('One way in which the lock does not match the manifest.'),
      }),
      'Empty when the lock is current.',
    ),
  }),
  update: document('nix-hug update --json', 'What update did, or would do.', {
    changed,
    entries: list(
      v.strictObject({
        ...changeOf(datedPin),
        warnings: list(v.string(), 'What the user should know of, such as a tag that moved.'),
      }),
      'Entries that differ from the lock before: models, then datasets, sorted by name.',
    ),
    pinned: list(
      v.strictObject({ name, type }),
      'Entries that the manifest pins to a commit, which update never moves.',
    ),
  }),
  outdated: document('nix-hug outdated --json', 'What update would move, and what there is.', {
    entries: list(
      v.strictObject({
        name,
        type,
        locked: orNull(pinned, 'What the lock has; null for an entry that is not locked.'),
        wanted: orNull(pinned, 'The newest that the manifest allows; null after an error.'),
        latest: orNull(
          pinned,
          'The highest version, whatever the range; the head of main for a commit; else what is wanted. Null after an error.',
        ),
        outdated: orNull(v.boolean(), 'Whether update would move it; null after an error.'),
        error: v.exactOptional(v.strictObject(problem)),
      }),
      'In the order of the manifest: models, then datasets.',
    ),
  }),
  ls: document('nix-hug ls <name|url> --json', 'The files of an entry or a repository.', listing),
  'ls-entries': document('nix-hug ls --json', 'The entries of the lock.', {
    entries: list(
      v.strictObject({
        name,
        type,
        repo,
        ...pin,
        size: bytes('Bytes of all files.'),
        files: bytes('Number of files.'),
      }),
      'Models, then datasets, sorted by name.',
    ),
  }),
  fetch: document(
    'nix-hug fetch|import [name…] --json',
    'What is in the Nix store, and came from where.',
    {
      changed: flag('Whether something was added to the store.'),
      entries: storedEntries,
    },
  ),
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
            path: text('Path in the repository.'),
            size: bytes('Length of the content in bytes.'),
            source: v.pipe(
              v.picklist(['cache', 'store', 'hub']),
              v.description('Where it was: in the cache already, in the Nix store, on the Hub.'),
            ),
          }),
          'Every file that is in the snapshot now.',
        ),
      }),
      'What was asked for.',
    ),
  }),
  import: document(
    'nix-hug import <name|url>… --json',
    'What is in the Nix store: of several repositories, or of repositories and entries.',
    {
      entries: storedEntries,
      repositories: list(
        v.union([v.strictObject(assembled), v.strictObject(imported)]),
        'In the order of the arguments; the files have store paths with --offline.',
      ),
    },
  ),
  'import-url-offline': document(
    'nix-hug import <url> --offline --json',
    'Files of a snapshot, one by one in the Nix store.',
    imported,
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
            source: v.pipe(
              v.picklist(['store', 'cache', 'missing', 'damaged']),
              v.description(
                'Where it was: in the store already, in the cache; not asked for, or damaged there.',
              ),
            ),
          }),
          'Files that have a place in the store.',
        ),
        damaged: list(
          v.strictObject({
            path: text('Path in the repository.'),
            file: text('Path in the cache.'),
            reason: text('Why it is not what it should be.'),
          }),
          'Files that were left alone.',
        ),
      }),
      'Every snapshot.',
    ),
  }),
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
            path: text('Path in the repository.'),
            size: bytes('Length of the content in bytes.'),
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
        file: text('Path in the repository.'),
        where: v.pipe(v.picklist(['store', 'cache']), v.description('Which copy differs.')),
        path: text('Path of the copy.'),
        reason: text('How it differs.'),
        repair: text('The command that repairs it.'),
      }),
      'What differs from the lock.',
    ),
  }),
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
  completion: document('nix-hug completion --json', 'A completion script.', {
    shell: v.pipe(v.picklist(['bash', 'zsh', 'fish']), v.description('The shell it is for.')),
    script: text('What the shell has to read.'),
  }),
};

/** Name of a schema. */
export type OutputName = keyof typeof OUTPUT_SCHEMAS;

/** What a command prints with `--json`, by the name of its schema. */
export type Output<Name extends OutputName> = v.InferOutput<(typeof OUTPUT_SCHEMAS)[Name]>;
