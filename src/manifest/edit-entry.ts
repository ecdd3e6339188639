import { isMap, isScalar, type Node, type Pair, Scalar, stringify, visit } from 'yaml';
import { escapeControls } from '../quote.ts';
import type { RepoType } from '../repo.ts';
import type { EntryFields, EntryFile } from './schema.ts';

/** An entry that is to be written. */
export interface NewEntry {
  readonly name: string;
  readonly type: RepoType;
  readonly value: EntryFile;
  /** A comment behind the entry in block style; in flow style it has no place. */
  readonly comment?: string;
}

/** How a file writes its entries. */
export interface EntryStyle {
  /** Columns from a name to its fields. */
  readonly step: number;
  readonly name: Quotes;
  readonly value: Quotes;
  /** Quotes for text that needs some. */
  readonly needed: Exclude<Quotes, 'PLAIN'>;
}

type Quotes = 'PLAIN' | 'QUOTE_DOUBLE' | 'QUOTE_SINGLE';

/**
 * The quotes of a file.
 *
 * @param model the entry to write others like, if there is any
 */
export function quotesIn(root: Node | null, model: Pair | undefined): Omit<EntryStyle, 'step'> {
  let first: Quotes = 'PLAIN';
  visit(root, {
    Scalar: (_, scalar) => {
      first = quotesOf(scalar);
      return first === 'PLAIN' ? undefined : visit.BREAK;
    },
  });
  const value = isMap(model?.value) ? model.value.get('repo', true) : model?.value;
  const needed = first === 'PLAIN' ? Scalar.QUOTE_DOUBLE : first;
  return { name: quotesOf(model?.key), value: quotesOf(value), needed };
}

/** An entry as lines without indentation. */
export function blockEntry({ name, value, comment }: NewEntry, style: EntryStyle): string[] {
  const key = written(name, style.name, style);
  const behind = comment === undefined ? '' : ` # ${printable(comment)}`;
  if (typeof value === 'string') return [`${key}: ${written(value, style.value, style)}${behind}`];
  const fields = fieldsOf(value, 'PLAIN', style);
  return [`${key}:${behind}`, ...fields.map((field) => ' '.repeat(style.step) + field)];
}

/** An entry as an item of a flow map. In JSON, where all names have quotes, it is JSON. */
export const flowEntry = ({ name, value }: NewEntry, style: EntryStyle): string =>
  `${written(name, style.name, style)}: ${flowValue(value, style)}`;

/** The value of an entry on one line. */
export const flowValue = (value: EntryFile, style: EntryStyle): string =>
  typeof value === 'string'
    ? written(value, style.value, style)
    : `{${fieldsOf(value, style.name, style).join(', ')}}`;

const fieldsOf = (fields: EntryFields, keys: Quotes, style: EntryStyle): string[] =>
  Object.entries(fields).map(
    ([key, value]) => `${written(key, keys, style)}: ${fieldValue(key, value, style)}`,
  );

/** The value of a field. Globs have quotes, since most of them need some. */
export const fieldValue = (key: string, value: unknown, style: EntryStyle): string =>
  written(value, key === 'include' || key === 'exclude' ? style.needed : style.value, style);

/** A text or a list, with more quotes where it needs them in a flow list. */
export function written(value: unknown, quotes: Quotes, { needed }: EntryStyle): string {
  return stringify([value], {
    collectionStyle: 'flow',
    defaultStringType: quotes,
    flowCollectionPadding: false,
    lineWidth: 0,
    singleQuote: needed === Scalar.QUOTE_SINGLE,
  })
    .trim()
    .slice(1, -1);
}

/** A comment on one line, without characters that YAML does not allow. */
const printable = (comment: string): string =>
  escapeControls(comment.toWellFormed()).replace(/[\ufffe\uffff]/gu, '\ufffd');

function quotesOf(node: unknown): Quotes {
  const type = isScalar(node) ? node.type : undefined;
  return type === Scalar.QUOTE_DOUBLE || type === Scalar.QUOTE_SINGLE ? type : 'PLAIN';
}
