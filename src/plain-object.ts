import * as v from 'valibot';

/** Whether the data is a JSON object, not a list. */
export function isPlainObject(data: unknown): data is Readonly<Record<string, unknown>> {
  return typeof data === 'object' && data !== null && !Array.isArray(data);
}

/** The data as an object; an empty one when it is something else. */
export function asPlainObject(data: unknown): Readonly<Record<string, unknown>> {
  return isPlainObject(data) ? data : {};
}

/**
 * Lets only objects through to a schema: by itself, an object schema of valibot takes a list for an
 * object.
 */
export const plainObject = <TSchema extends v.GenericSchema<object>>(
  schema: TSchema,
  message = 'must be an object',
) => v.pipe(v.custom<v.InferInput<TSchema>>(isPlainObject, message), schema);
