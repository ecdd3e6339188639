import * as v from 'valibot';
import * as f from './fields.ts';

const { lockedName, path, repo, rev, size, text, type } = f;

const state = f.oneOf(
  ['sound', 'damaged', 'absent'],
  'Damaged when one of several copies is damaged.',
);

/** Output of `scan` and `verify`. */
export const CACHE_OUTPUTS = {
  scan: f.document('nix-hug scan --json', 'The content of the Hugging Face cache.', {
    cache: text('Path of the cache.'),
    found: f.flag('Whether there is a cache.'),
    size: f.integer('Bytes on disk, each content counted once.'),
    revisions: f.rows(
      {
        repo: text('Repository id, read from the name of its folder.'),
        type: f.oneOf(['model', 'dataset', 'space', 'kernel'], 'Kind of the repository.'),
        rev: text(
          'Name of the snapshot: a commit, 40 hex digits, unless a problem says otherwise.',
        ),
        size: f.integer('Bytes of all its files.'),
        files: f.integer('Number of files.'),
        inStore: f.orNull(
          v.boolean(),
          'Whether the Nix store has every file; null when that is not known.',
        ),
        refs: f.list(v.string(), 'Branches and tags that point to it.'),
        modified: text('When one of its files was last changed, ISO 8601.'),
        folder: text('Path of the snapshot.'),
      },
      'The snapshots of all repositories.',
    ),
    problems: f.rows(
      {
        kind: text('Kind of the problem: broken-link, dangling-ref, incomplete and others.'),
        path: text('Where, relative to the cache.'),
        detail: v.exactOptional(text('The reason, or where a link or a ref leads.')),
      },
      'Problems of the cache; none of them is an error.',
    ),
  }),
  verify: f.document('nix-hug verify --json', 'The locked files in store and cache.', {
    store: f.textOrNull('Path of the store; null without Nix.'),
    cache: text('Path of the Hugging Face cache.'),
    entries: f.rows(
      {
        name: lockedName,
        type,
        repo,
        rev,
        incomplete: f.flag('Whether a file is neither in the store nor in the cache.'),
        files: f.rows(
          {
            path,
            size,
            store: f.orNull(state, 'Its state in the store; null without Nix.'),
            cache: state,
          },
          'Every locked file.',
        ),
      },
      'The requested entries, then what they need.',
    ),
    problems: f.rows(
      {
        entry: lockedName,
        type,
        file: path,
        where: f.oneOf(['store', 'cache'], 'Which copy differs.'),
        path: text('Path of the copy.'),
        reason: text('How it differs.'),
        repair: text('The command that repairs it.'),
      },
      'Copies that differ from the lock.',
    ),
  }),
};
