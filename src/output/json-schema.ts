import type { InferOutput } from 'valibot';
import { CACHE_OUTPUTS } from './json-schema/cache.ts';
import { document, integer, oneOf, text } from './json-schema/fields.ts';
import { FILE_OUTPUTS } from './json-schema/files.ts';
import { LOCK_OUTPUTS } from './json-schema/lock.ts';

/**
 * Schemas of the outputs with `--json`, by the name of their file in `schemas/output/`. Commands
 * import only types from here; `npm run schemas` and the tests load the schemas.
 */
export const OUTPUT_SCHEMAS = {
  ...LOCK_OUTPUTS,
  ...FILE_OUTPUTS,
  ...CACHE_OUTPUTS,
  sbom: document(
    'nix-hug sbom --output <file> --json',
    'What sbom wrote. Without --output, sbom prints the CycloneDX document, also with --json: its schema is http://cyclonedx.org/schema/bom-1.6.schema.json, or that of 1.7.',
    {
      file: text('The file, as --output names it.'),
      specVersion: oneOf(['1.6', '1.7'], 'Version of CycloneDX.'),
      components: integer('Number of models and datasets in it.'),
    },
  ),
  completion: document('nix-hug completion --json', 'A completion script.', {
    shell: oneOf(['bash', 'zsh', 'fish'], 'The shell it is for.'),
    script: text('What the shell has to read.'),
  }),
};

/** Name of a schema. */
export type OutputName = keyof typeof OUTPUT_SCHEMAS;

/** Type of an output with `--json`, by the name of its schema. */
export type Output<Name extends OutputName> = InferOutput<(typeof OUTPUT_SCHEMAS)[Name]>;
