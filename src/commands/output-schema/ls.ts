import * as v from 'valibot';
import {
  document,
  flag,
  integer,
  list,
  name,
  oneOf,
  path,
  pin,
  repo,
  rev,
  size,
  type,
} from './fields.ts';

const files = list(
  v.strictObject({
    path,
    size,
    lfs: flag('Whether it is an LFS file.'),
  }),
  'Selected files.',
);

export const listing = {
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
