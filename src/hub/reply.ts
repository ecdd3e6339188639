import * as v from 'valibot';
import { HugError } from '../errors.ts';
import type { Subject } from './refusal.ts';

/**
 * The body of an answer as its schema describes it.
 *
 * @throws HugError `EHUG_PROTOCOL`
 */
export function checkedReply<S extends v.GenericSchema>(
  schema: S,
  body: unknown,
  subject: Subject,
): v.InferOutput<S> {
  const result = v.safeParse(schema, body);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw senseless(subject, `${v.getDotPath(issue) ?? 'the answer'}: ${issue.message}`);
}

/** The error for an answer that cannot be true. */
export function senseless(subject: Subject, what: string): HugError {
  return new HugError(
    'EHUG_PROTOCOL',
    `the Hub's answer for ${subject.type} ${subject.id} makes no sense: ${what}`,
    { hint: 'Run it again; if it stays, report it with the output of --debug.' },
  );
}
