import { Document, isMap, isScalar, isSeq, type Node, type Pair, Scalar, visit } from 'yaml';
import type { RepoType } from '../repo.ts';
import type { EntryFile } from './schema.ts';

/** An entry that is to be written. */
export interface NewEntry {
  readonly name: string;
  readonly type: RepoType;
  readonly value: EntryFile;
}

/** How a file writes its entries. */
export interface EntryStyle {
  /** Columns from a name to its fields. */
  readonly step: number;
  readonly name: Quotes;
  readonly value: Quotes;
  /** Whether what needs quotes gets single ones. */
  readonly single: boolean;
}

type Quotes = 'PLAIN' | 'QUOTE_DOUBLE' | 'QUOTE_SINGLE';

/**
 * The quotes of a file.
 *
 * @param model the entry to write others like, if there is any
 */
export function quotesIn(root: Node | null, model: Pair | undefined): Omit<EntryStyle, 'step'> {
  let single = false;
  visit(root, {
    Scalar: (_, scalar) => {
      if (quotesOf(scalar) === 'PLAIN') return undefined;
      single = quotesOf(scalar) === 'QUOTE_SINGLE';
      return visit.BREAK;
    },
  });
  const value = isMap(model?.value) ? model.value.get('repo', true) : model?.value;
  return { name: quotesOf(model?.key), value: quotesOf(value), single };
}

/** An entry as lines that begin in the first column. */
export function blockEntry(entry: NewEntry, style: EntryStyle): string[] {
  return documentOf(entry, style)
    .toString({ ...styleOptions(style), indent: style.step, defaultKeyType: 'PLAIN' })
    .trimEnd()
    .split('\n');
}

/** An entry as an item of a flow map. In JSON, where all names have quotes, it is JSON. */
export function flowEntry(entry: NewEntry, style: EntryStyle): string {
  const document = documentOf(entry, style);
  if (isMap(document.contents)) document.contents.flow = true;
  return document
    .toString({ ...styleOptions(style), defaultKeyType: style.name })
    .trim()
    .slice(1, -1);
}

/** The entry as a document. Globs have quotes, since most of them need some. */
function documentOf({ name, value }: NewEntry, style: EntryStyle): Document {
  const document = new Document({ [name]: value }, { version: '1.2', schema: 'core' });
  visit(document, {
    Pair: (_, { key, value: list }, ancestors) => {
      if (isScalar(key) && ancestors.length === 2) key.type = style.name;
      if (!isSeq(list)) return;
      list.flow = true;
      for (const item of isScalar(key) && key.value === 'files' ? [] : list.items) {
        if (isScalar(item)) item.type = style.single ? Scalar.QUOTE_SINGLE : Scalar.QUOTE_DOUBLE;
      }
    },
  });
  return document;
}

function styleOptions({ value, single }: EntryStyle) {
  return {
    lineWidth: 0,
    flowCollectionPadding: false,
    singleQuote: single,
    defaultStringType: value,
  } as const;
}

function quotesOf(node: unknown): Quotes {
  const type = isScalar(node) ? node.type : undefined;
  return type === Scalar.QUOTE_DOUBLE || type === Scalar.QUOTE_SINGLE ? type : 'PLAIN';
}
