import { Document, isMap, isScalar, isSeq, type Pair, Scalar } from 'yaml';
import type { EntryFile } from './schema.ts';

/** How an entry is written. */
export interface EntryStyle {
  /** Columns from its name to its fields. */
  readonly step: number;
  readonly name: Quotes;
  readonly value: Quotes;
  /** Whether what needs quotes gets single ones. */
  readonly single: boolean;
}

type Quotes = 'PLAIN' | 'QUOTE_DOUBLE' | 'QUOTE_SINGLE';

/**
 * The style of the entries that are there, the last of them first of all.
 *
 * @param entries of the file, those of the section where one is added last
 * @param step columns from a name to its fields where no entry shows it
 * @param columnOf column of an offset
 */
export function styleOf(
  entries: readonly Pair[],
  step: number,
  columnOf: (offset: number) => number,
): EntryStyle {
  const last = entries.at(-1);
  const steps = entries.flatMap(({ key, value }) => {
    if (!isMap(value) || value.flow === true) return [];
    return columnOf(startOf(value.items[0]?.key)) - columnOf(startOf(key));
  });
  return {
    step: steps.findLast((columns) => columns > 0) ?? step,
    name: quotesOf(last?.key),
    value: quotesOf(isMap(last?.value) ? last.value.get('repo', true) : last?.value),
    single:
      scalarsIn(entries)
        .map(quotesOf)
        .find((quotes) => quotes !== 'PLAIN') === 'QUOTE_SINGLE',
  };
}

/** An entry as lines that begin in the first column. */
export function blockEntry(name: string, entry: EntryFile, style: EntryStyle): string[] {
  const document = documentOf(name, entry, style);
  return document
    .toString({ ...optionsOf(style), indent: style.step, defaultKeyType: 'PLAIN' })
    .trimEnd()
    .split('\n');
}

/** An entry as an item of a flow map. In JSON, where all names have quotes, it is JSON. */
export function flowEntry(name: string, entry: EntryFile, style: EntryStyle): string {
  const document = documentOf(name, entry, style);
  if (isMap(document.contents)) document.contents.flow = true;
  return document
    .toString({ ...optionsOf(style), defaultKeyType: style.name })
    .trim()
    .slice(1, -1);
}

/** The entry as a document. Globs have quotes, since most of them need some. */
function documentOf(name: string, entry: EntryFile, style: EntryStyle): Document {
  const quotes = style.single ? Scalar.QUOTE_SINGLE : Scalar.QUOTE_DOUBLE;
  const document = new Document({ [name]: entry }, { version: '1.2', schema: 'core' });
  const fields = document.get(name);
  for (const field of isMap(fields) ? fields.items : []) {
    if (!isSeq(field.value)) continue;
    field.value.flow = true;
    const globs = !isScalar(field.key) || field.key.value !== 'files';
    for (const item of field.value.items) if (isScalar(item) && globs) item.type = quotes;
  }
  if (isMap(document.contents)) {
    const key = document.contents.items[0]?.key;
    if (isScalar(key)) key.type = style.name;
  }
  return document;
}

function optionsOf({ value, single }: EntryStyle) {
  return {
    lineWidth: 0,
    flowCollectionPadding: false,
    singleQuote: single,
    defaultStringType: value,
  } as const;
}

function scalarsIn(pairs: readonly Pair[]): unknown[] {
  return pairs.flatMap(({ key, value }) => [key, ...valuesIn(value)]);
}

function valuesIn(node: unknown): unknown[] {
  if (isMap(node)) return scalarsIn(node.items);
  return isSeq(node) ? node.items : [node];
}

function startOf(node: unknown): number {
  return isScalar(node) ? (node.range?.[0] ?? 0) : 0;
}

function quotesOf(node: unknown): Quotes {
  const type = isScalar(node) ? node.type : undefined;
  return type === Scalar.QUOTE_DOUBLE || type === Scalar.QUOTE_SINGLE ? type : 'PLAIN';
}
