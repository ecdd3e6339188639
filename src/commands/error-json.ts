import type { HugError } from '../errors.ts';
import type { Output } from './output-schema.ts';

/** An error as JSON. */
export function errorJson({ code, message, hint, details }: HugError): Output<'error'> {
  const problems = details.length === 0 ? {} : { details };
  return { error: { code, message, hint: hint ?? null, ...problems } };
}
