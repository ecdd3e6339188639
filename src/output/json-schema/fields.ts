import * as v from 'valibot';

// Fields that the outputs of several commands share.

export const text = (description: string) => v.pipe(v.string(), v.description(description));

export const integer = (description: string) =>
  v.pipe(v.number(), v.integer(), v.description(description));

export const flag = (description: string) => v.pipe(v.boolean(), v.description(description));

export const list = <TItem extends v.GenericSchema>(item: TItem, description: string) =>
  v.pipe(v.array(item), v.readonly(), v.description(description));

/** A list of objects. */
export const rows = <TEntries extends v.ObjectEntries>(entries: TEntries, description: string) =>
  list(v.strictObject(entries), description);

export const oneOf = <const TWords extends readonly string[]>(words: TWords, description: string) =>
  v.pipe(v.picklist(words), v.description(description));

/** The whole document that a command prints. */
export const document = <TEntries extends v.ObjectEntries>(
  title: string,
  description: string,
  entries: TEntries,
) => v.pipe(v.strictObject(entries), v.title(title), v.description(description));

/** `null` rather than absence, which a reader could not tell from a spelling mistake. */
export const orNull = <TSchema extends v.GenericSchema>(schema: TSchema, description: string) =>
  v.pipe(v.nullable(schema), v.description(description));

export const textOrNull = (description: string) => orNull(v.string(), description);

export const name = text('Name of the entry.');

/** The name of an entry of a lock, whichever section has it. */
export const lockedName = text(
  'Name of the entry; of what entries need, its key in needed: models/ORG/NAME@REF.',
);

export const type = oneOf(['model', 'dataset'], 'Section of the entry.');

export const repo = text('Repository id as the Hub has it.');

export const rev = text('Commit, 40 hex digits.');

/** The commit of an entry. */
export const pin = {
  ref: text('Branch, tag or commit; the chosen tag for a version range.'),
  rev,
};

export const path = text('Path in the repository.');

export const size = integer('Length of the content in bytes.');
