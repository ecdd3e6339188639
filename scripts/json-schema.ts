import { type ConversionConfig, type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { OUTPUT_SCHEMAS } from '../src/output/json-schema.ts';
import { lockSchema } from '../src/lock/schema.ts';
import { manifestSchema } from '../src/manifest/schema.ts';

/** The files in `schemas/`, with the text that each must have. */
export const JSON_SCHEMAS: Readonly<Record<string, string>> = {
  'hug.schema.json': render(manifestSchema, ['readonly']),
  'hug.lock.schema.json': render(lockSchema, ['check', 'readonly', 'transform']),
  ...Object.fromEntries(
    Object.entries(OUTPUT_SCHEMAS).map(([name, schema]) => [
      `output/${name}.schema.json`,
      render(schema, ['readonly']),
    ]),
  ),
};

/**
 * JSON Schema (draft-07, which editors know) of a valibot schema, in canonical text. A pipe of
 * schemas stands for its last one.
 *
 * @param readerOnly kinds of valibot actions that only our own reader carries out
 * @throws Error for whatever else JSON Schema cannot express
 */
function render(schema: v.GenericSchema<unknown, unknown>, readerOnly: string[] = []): string {
  const config: ConversionConfig = {
    target: 'draft-07',
    typeMode: 'output',
    errorMode: 'throw',
    ignoreActions: readerOnly,
    overrideSchema: ({ valibotSchema }) =>
      v.isOfType('map', valibotSchema) ? objectOf(valibotSchema, config) : undefined,
    // Patterns of JSON Schema are Unicode ones anyway; a second complaint is about something else.
    overrideAction: ({ valibotAction, jsonSchema, errors }) =>
      isUnicodeRegex(valibotAction) && errors?.length === 1 ? jsonSchema : undefined,
  };
  const { $schema, title, description, ...rest } = toJsonSchema(schema, config);
  return `${JSON.stringify({ $schema, title, description, ...rest }, null, 2)}\n`;
}

/** The JSON object that our reader takes in as a `Map`. */
function objectOf({ key, value }: MapSchema, config: ConversionConfig): JsonSchema {
  return {
    type: 'object',
    propertyNames: inner(key, config),
    additionalProperties: inner(value, config),
  };
}

type MapSchema = Pick<
  v.MapSchema<v.GenericSchema<unknown, unknown>, v.GenericSchema<unknown, unknown>, undefined>,
  'key' | 'value'
>;

function inner(schema: v.GenericSchema<unknown, unknown>, config: ConversionConfig): JsonSchema {
  const { $schema: _, ...rest } = toJsonSchema(schema, config);
  return rest;
}

function isUnicodeRegex(action: object): boolean {
  return (
    'requirement' in action &&
    action.requirement instanceof RegExp &&
    action.requirement.flags === 'u'
  );
}
