import {
  document,
  flag,
  integer,
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
import * as v from 'valibot';

/** What `scan` prints. */
export const SCAN = {
  scan: document('nix-hug scan --json', 'The content of the Hugging Face cache.', {
    cache: text('Path of the cache.'),
    found: flag('Whether there is a cache.'),
    size: integer('Bytes on disk, each content counted once.'),
    revisions: list(
      v.strictObject({
        repo: text('Repository id, read from the name of its folder.'),
        type: oneOf(['model', 'dataset', 'space', 'kernel'], 'Kind of the repository.'),
        rev: text(
          'Name of the snapshot: a commit, 40 hex digits, unless a problem says otherwise.',
        ),
        size: integer('Bytes of all its files.'),
        files: integer('Number of files.'),
        inStore: orNull(
          v.boolean(),
          'Whether the Nix store has every file; null when that is not known.',
        ),
        refs: list(v.string(), 'Branches and tags that point to it.'),
        modified: text('When one of its files was last changed, ISO 8601.'),
        folder: text('Path of the snapshot.'),
      }),
      'The snapshots of all repositories.',
    ),
    problems: list(
      v.strictObject({
        kind: text('Kind of the problem: broken-link, dangling-ref, incomplete and others.'),
        path: text('Where, relative to the cache.'),
        detail: v.exactOptional(text('The reason, or where a link or a ref leads.')),
      }),
      'Problems of the cache; none of them is an error.',
    ),
  }),
};

const state = oneOf(
  ['sound', 'damaged', 'absent'],
  'Damaged when one of several copies is damaged.',
);

/** What `verify` prints. */
export const VERIFY = {
  verify: document('nix-hug verify --json', 'The locked files in store and cache.', {
    store: orNull(v.string(), 'Path of the store; null without Nix.'),
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
            store: orNull(state, 'Its state in the store; null without Nix.'),
            cache: state,
          }),
          'Every locked file.',
        ),
      }),
      'The requested entries.',
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
      'Copies that differ from the lock.',
    ),
  }),
};
