import * as v from 'valibot';

/** Whether the data is an object and not an array. */
export function isPlainObject(data: unknown): data is Readonly<Record<string, unknown>> {
  return typeof data === 'object' && data !== null && !Array.isArray(data);
}

/** The data as an object; an empty one when it is something else. */
export function asPlainObject(data: unknown): Readonly<Record<string, unknown>> {
  return isPlainObject(data) ? data : {};
}

/**
 * Refuses arrays before a schema sees the data: an object schema of valibot accepts them.
 */
export const plainObject = <TSchema extends v.GenericSchema<object>>(
  schema: TSchema,
  message = 'must be an object',
) => v.pipe(v.custom<v.InferInput<TSchema>>(isPlainObject, message), schema);
