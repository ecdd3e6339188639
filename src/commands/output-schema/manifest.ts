import * as v from 'valibot';
import { document, list, name, repo, type } from './fields.ts';
import { changed, differences } from './lock.ts';

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
