import * as v from 'valibot';
import { CHANGE_CLASSES } from '../../lock/classes.ts';
import { FINDING_KINDS } from '../../resolve/audit.ts';
import * as f from './fields.ts';

const { name, pin, repo, type } = f;

const problem = {
  code: v.pipe(
    v.string(),
    v.regex(/^EHUG(?:_[A-Z]+)+$/u),
    v.description('Stable; docs/errors.md lists all codes.'),
  ),
  message: f.text('One sentence on what went wrong.'),
  hint: f.textOrNull('One sentence on what to do.'),
  details: v.exactOptional(
    f.list(v.string(), 'One line for each problem, when there are several.'),
  ),
};

const pinned = v.strictObject(pin);

const datedPin = v.strictObject({
  ...pin,
  date: f.textOrNull('When the commit was made, ISO 8601; null when the Hub does not tell.'),
});

const paths = (description: string) => f.list(v.string(), `${description}, sorted.`);

const changeOf = <TPin extends v.GenericSchema>(pinSchema: TPin) => ({
  name,
  type,
  repo,
  from: f.orNull(pinSchema, 'What was locked; null for a new entry.'),
  to: f.orNull(pinSchema, 'What is locked now; null for a removed entry.'),
  added: paths('Files that are new'),
  removed: paths('Files that are gone'),
  modified: paths('Files with another content'),
  classes: f.list(v.picklist(CHANGE_CLASSES), 'What the changed files are for.'),
  onlyReadme: f.flag('Whether README.md is all that changed.'),
  sizeChange: f.integer(
    'By how many bytes all files of the entry grew; negative when they shrank.',
  ),
  downloadBytes: f.integer('Size of the contents that the lock did not have before, in bytes.'),
});

/** A fact of both locks. */
const fromTo = <TSchema extends v.GenericSchema>(schema: TSchema, description: string) =>
  v.pipe(
    v.strictObject({ from: v.nullable(schema), to: v.nullable(schema) }),
    v.description(description),
  );

const CHANGES = 'Entries that differ from the lock before: models, then datasets, sorted by name.';

const lockChange = {
  changed: f.flag('Whether the lock changes; with --dry-run, whether it would.'),
  entries: f.rows(changeOf(pinned), CHANGES),
};

const named = { name, type, repo };

/** An entry and the calls that load it. */
const loaded = {
  ...named,
  places: f.list(
    v.string(),
    'Calls: a path relative to the manifest, then ":" and the line; for a notebook ":cell N:" and the line.',
  ),
};

/** Output of the commands that write the manifest and the lock, and of every command that fails. */
export const LOCK_OUTPUTS = {
  error: f.document('nix-hug … --json, on failure', 'What every command prints when it fails.', {
    error: v.strictObject(problem),
  }),
  lock: f.document('nix-hug lock --json', 'What lock did, or would do.', lockChange),
  'lock-check': f.document('nix-hug lock --check --json', 'Whether the lock is current.', {
    upToDate: f.flag('Whether lock would leave the file as it is.'),
    reasons: f.rows(
      {
        entry: f.textOrNull('Name of the entry; null when it is about the whole file.'),
        type: f.orNull(v.picklist(['model', 'dataset']), 'Section of the entry.'),
        reason: f.text('One way in which the lock does not match the manifest.'),
      },
      'Empty when the lock is current.',
    ),
  }),
  update: f.document('nix-hug update --json', 'What update did, or would do.', {
    changed: lockChange.changed,
    entries: f.rows(
      {
        ...changeOf(datedPin),
        warnings: f.list(v.string(), 'What the user should know of, such as a tag that moved.'),
      },
      CHANGES,
    ),
    pinned: f.rows(
      { name, type },
      'Entries that the manifest pins to a commit, which update never moves.',
    ),
    kept: f.rows(
      {
        name: f.lockedName,
        type,
        locked: v.pipe(pinned, v.description('Where the entry stays.')),
        newest: v.pipe(pinned, v.description('Where update without --significant would move it.')),
        files: f.list(v.string(), 'Files that changed, all of them docs.'),
      },
      'Entries that --significant keeps, since only docs changed.',
    ),
  }),
  diff: f.document('nix-hug diff --json', 'What differs between two locks.', {
    entries: f.rows(
      {
        ...changeOf(pinned),
        name: f.lockedName,
        repoBefore: f.textOrNull(
          'Repository id in the old lock, where it is another one; else null.',
        ),
        license: fromTo(
          f.list(v.string(), 'Ids of the Hub, "other" with its name; empty for none.'),
          'Licences that README.md declares; null where the lock does not tell.',
        ),
        repoId: fromTo(
          v.string(),
          'The name that the Hub itself gave the repository; null where the lock does not tell.',
        ),
      },
      'Entries that differ: models, datasets, then what they need, each sorted by name.',
    ),
  }),
  outdated: f.document('nix-hug outdated --json', 'What update would move, and what there is.', {
    entries: f.rows(
      {
        name,
        type,
        locked: f.orNull(pinned, 'What the lock has; null for an entry that is not locked.'),
        wanted: f.orNull(pinned, 'The newest that the manifest allows; null after an error.'),
        latest: f.orNull(
          pinned,
          'The highest version, whatever the range; the head of main for a commit; else what is wanted. Null after an error.',
        ),
        outdated: f.orNull(v.boolean(), 'Whether update would move it; null after an error.'),
        classes: f.orNull(
          f.list(v.picklist(CHANGE_CLASSES), 'What the files are for that update would change.'),
          'Null after an error, for an entry that is not locked, and where the files are not known.',
        ),
        waiting: v.exactOptional(
          v.pipe(
            v.strictObject({
              ...pin,
              date: f.text('When the commit was made, ISO 8601.'),
              until: f.text('When it is old enough, ISO 8601.'),
            }),
            v.description('A newer commit that minimumAge lets nobody take yet.'),
          ),
        ),
        error: v.exactOptional(v.strictObject(problem)),
      },
      'In the order of the manifest: models, then datasets.',
    ),
  }),
  audit: f.document('nix-hug audit --json', 'What is wrong with what is locked.', {
    findings: f.rows(
      {
        entry: f.lockedName,
        type,
        kind: f.oneOf(FINDING_KINDS, 'What is wrong; docs/audit.md explains each.'),
        path: f.textOrNull('The file; null when it is about the repository or several files.'),
        message: f.text('What is wrong, as a phrase about the entry.'),
      },
      'In the order of the lock, then of what entries need.',
    ),
    failed: f.rows(
      { entry: f.lockedName, type, error: v.strictObject(problem) },
      'Entries that the Hub could not be asked about.',
    ),
  }),
  init: f.document('nix-hug init --json', 'The files that a new project begins with.', {
    written: f.list(v.string(), 'Paths of the files, relative to the working directory.'),
    kept: f.list(v.string(), 'Those of them that were there, and stay as they were.'),
    added: f.rows(
      { ...named, ref: f.text('Branch, tag or commit of the entry.'), rev: f.rev },
      'Entries for what the Hugging Face cache holds, with --from-cache.',
    ),
    skipped: f.rows(
      {
        repo: f.repo,
        type: f.type,
        ref: f.text('Branch, tag or commit in the cache.'),
        reason: f.text('Why there is no entry for it.'),
      },
      'What the cache holds and the manifest does not get, with --from-cache.',
    ),
  }),
  'init-from-code': f.document(
    'nix-hug init --from-code <path…> --json',
    'The entries for what Python sources load.',
    {
      written: f.list(v.string(), 'Paths of the files that are new or changed.'),
      kept: f.list(v.string(), 'Those of the files that stay as they were.'),
      sources: f.integer('Number of Python files and notebooks that were read.'),
      added: f.rows({ ...loaded, ref: f.text('Branch, tag or commit.') }, 'Entries that are new.'),
      present: f.rows(loaded, 'Entries that were there, and stay as they were.'),
      unknown: f.rows(
        {
          place: f.text('File and line of the call.'),
          call: f.text('The call with the argument that does not tell it, or a name.'),
          reason: f.textOrNull('What else is known.'),
        },
        'Calls that load what the sources do not tell.',
      ),
    },
  ),
  add: f.document('nix-hug add --json', 'What add wrote.', {
    ...lockChange,
    added: f.rows(named, 'Entries that are new in the manifest.'),
    modified: f.rows(named, 'Entries of the manifest that were there, and are another now.'),
  }),
  remove: f.document('nix-hug remove --json', 'What remove wrote.', {
    ...lockChange,
    removed: f.rows(named, 'Entries that are gone from the manifest.'),
  }),
};
