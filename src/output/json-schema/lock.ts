import {
  document,
  flag,
  integer,
  list,
  name,
  orNull,
  pin,
  pinned,
  repo,
  text,
  type,
  typeOrNull,
} from './fields.ts';
import * as v from 'valibot';

const problem = {
  code: v.pipe(
    v.string(),
    v.regex(/^EHUG(?:_[A-Z]+)+$/u),
    v.description('Stable; docs/errors.md lists all codes.'),
  ),
  message: text('One sentence on what went wrong.'),
  hint: orNull(v.string(), 'One sentence on what to do.'),
  details: v.exactOptional(list(v.string(), 'One line for each problem, when there are several.')),
};

/** What every command prints when it fails. */
export const ERROR = {
  error: document('nix-hug … --json, on failure', 'What every command prints when it fails.', {
    error: v.strictObject(problem),
  }),
};

const datedPin = v.strictObject({
  ...pin,
  date: orNull(v.string(), 'When the commit was made, ISO 8601; null when the Hub does not tell.'),
});

const paths = (description: string) => list(v.string(), `${description}, sorted.`);

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
  sizeChange: integer('By how many bytes all files of the entry grew; negative when they shrank.'),
  downloadBytes: integer('Size of the contents that the lock did not have before, in bytes.'),
});

const changed = flag('Whether the lock changes; with --dry-run, whether it would.');

const differences = list(
  v.strictObject(changeOf(pinned)),
  'Entries that differ from the lock before: models, then datasets, sorted by name.',
);

/** What `lock`, `update` and `outdated` print. */
export const LOCK = {
  lock: document('nix-hug lock --json', 'What lock did, or would do.', {
    changed,
    entries: differences,
  }),
  'lock-check': document('nix-hug lock --check --json', 'Whether the lock is current.', {
    upToDate: flag('Whether lock would leave the file as it is.'),
    reasons: list(
      v.strictObject({
        entry: orNull(v.string(), 'Name of the entry; null when it is about the whole file.'),
        type: typeOrNull,
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
};

const named = v.strictObject({ name, type, repo });

/** What `init`, `add` and `remove` print. */
export const MANIFEST = {
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
};
