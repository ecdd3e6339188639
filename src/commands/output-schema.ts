import type { InferOutput } from 'valibot';
import { COMPLETION } from './output-schema/completion.ts';
import { ERROR } from './output-schema/error.ts';
import { EXPORT } from './output-schema/export.ts';
import { FETCH } from './output-schema/fetch.ts';
import { IMPORT } from './output-schema/import.ts';
import { LOCK } from './output-schema/lock.ts';
import { LS } from './output-schema/ls.ts';
import { MANIFEST } from './output-schema/manifest.ts';
import { SCAN } from './output-schema/scan.ts';
import { VERIFY } from './output-schema/verify.ts';

/**
 * Schemas of what `--json` prints, by the name of their file in `schemas/output/`. Commands take the
 * types from here and load nothing of it; the schemas are for `npm run schemas` and the tests.
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

/** What a command prints with `--json`, by the name of its schema. */
export type Output<Name extends OutputName> = InferOutput<(typeof OUTPUT_SCHEMAS)[Name]>;
