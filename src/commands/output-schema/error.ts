import * as v from 'valibot';
import { document, list, orNull, text } from './fields.ts';

export const problem = {
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
