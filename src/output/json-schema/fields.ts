import * as v from 'valibot';

// What the outputs of several commands have in common.

export const text = (description: string) => v.pipe(v.string(), v.description(description));

export const integer = (description: string) =>
  v.pipe(v.number(), v.integer(), v.description(description));

export const flag = (description: string) => v.pipe(v.boolean(), v.description(description));

export const list = <TItem extends v.GenericSchema>(item: TItem, description: string) =>
  v.pipe(v.array(item), v.readonly(), v.description(description));

/** One of several words. */
export const oneOf = <const TWords extends readonly string[]>(words: TWords, description: string) =>
  v.pipe(v.picklist(words), v.description(description));

/** The whole document that a command prints. */
export const document = <TEntries extends v.ObjectEntries>(
  title: string,
  description: string,
  entries: TEntries,
) => v.pipe(v.strictObject(entries), v.title(title), v.description(description));

/** `null`, not absence, is what a reader of JSON can tell from a spelling mistake. */
export const orNull = <TSchema extends v.GenericSchema>(schema: TSchema, description: string) =>
  v.pipe(v.nullable(schema), v.description(description));

export const name = text('Name of the entry.');

const TYPES = ['model', 'dataset'] as const;

export const type = oneOf(TYPES, 'Section of the entry.');

/** Absent where a fact is about the whole lock. */
export const typeOrNull = orNull(v.picklist(TYPES), 'Section of the entry.');

export const repo = text('Repository id as the Hub has it.');

export const rev = text('Commit, 40 hex digits.');

/** What an entry is locked to. */
export const pin = {
  ref: text('Branch, tag or commit; the chosen tag for a version range.'),
  rev,
};

export const pinned = v.strictObject(pin);

export const path = text('Path in the repository.');

export const size = integer('Length of the content in bytes.');
