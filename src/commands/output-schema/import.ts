import * as v from 'valibot';
import { assembled, expression, storedEntries, storedFile } from './fetch.ts';
import { document, flag, list, oneOf, path, repo, rev, text, type } from './fields.ts';
import { listing } from './ls.ts';

const imported = {
  ...listing,
  files: list(
    v.strictObject({ ...storedFile, lfs: flag('Whether it is an LFS file.') }),
    'Selected files.',
  ),
  ...expression,
  storePath: v.pipe(v.null(), v.description('Nothing is assembled offline.')),
};

/** What `import` and `import-all` print. */
export const IMPORT = {
  import: document(
    'nix-hug import <url> <name|url>… --json',
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
