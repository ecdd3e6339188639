import { SCAN, VERIFY } from './json-schema/cache.ts';
import { document, oneOf, text } from './json-schema/fields.ts';
import { EXPORT, FETCH, IMPORT, LS } from './json-schema/files.ts';
import { ERROR, LOCK, MANIFEST } from './json-schema/lock.ts';
import type { InferOutput } from 'valibot';

/** Output of `completion`. */
const COMPLETION = {
  completion: document('nix-hug completion --json', 'A completion script.', {
    shell: oneOf(['bash', 'zsh', 'fish'], 'The shell it is for.'),
    script: text('What the shell has to read.'),
  }),
};

/**
 * Schemas of the outputs with `--json`, by the name of their file in `schemas/output/`. Commands
 * import only types from here; `npm run schemas` and the tests load the schemas.
 */
export const OUTPUT_SCHEMAS = {
  ...ERROR,
  ...MANIFEST,
  ...LOCK,
  ...LS,
  ...FETCH,
  ...EXPORT,
  ...IMPORT,
  ...SCAN,
  ...VERIFY,
  ...COMPLETION,
};

/** Name of a schema. */
export type OutputName = keyof typeof OUTPUT_SCHEMAS;

/** Type of an output with `--json`, by the name of its schema. */
export type Output<Name extends OutputName> = InferOutput<(typeof OUTPUT_SCHEMAS)[Name]>;
