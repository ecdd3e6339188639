import {
  type Alias,
  type Document,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import { forTerminal, quote } from '../quote.ts';
import type { Position } from './schema.ts';
import { type Fault, parseYaml, positionsIn, type Span, spanOf } from './yaml.ts';

/** Keys and list indices from the top of a file to a value. */
export type Path = readonly unknown[];

/** Which part of a map's pair is meant. An item of a list has only a value. */
type Part = 'key' | 'value';

/** Something wrong with the data at a path. */
export interface Problem {
  readonly path: Path;
  readonly part: Part;
  readonly message: string;
}

/** A YAML text as plain data, and where each value of it stands. */
export interface Source {
  /** Maps, lists, text, numbers, booleans and `null`; `undefined` for an alias that is a fault. */
  readonly data: unknown;
  /** What is wrong with the text as YAML, in no order. */
  readonly faults: readonly Fault[];
  /** Offset of the first error of syntax, from which on `data` is a guess; else infinite. */
  readonly certainUntil: number;
  /**
   * Where a value or its key stands. For an alias it is where the anchored value stands, for an
   * empty value its key, and for a path that leads nowhere the last part that exists.
   */
  readonly span: (path: Path, part: Part) => Span;
  /** How a number, boolean or null is written; `undefined` for everything else. */
  readonly written: (path: Path) => string | undefined;
  /** Line and column of an offset in the text. */
  readonly position: (offset: number) => Position;
}

/** Values that aliases may repeat: a thousand entries that share a list of ten repeat 11,000. */
const MAX_REPEATED = 100_000;

/**
 * Reads a YAML text into plain data. Nothing is thrown, whatever the text is.
 *
 * @param text content of the file, without a byte order mark
 */
export function readSource(text: string): Source {
  const { document, errors, warnings } = parseYaml(text);
  const certainUntil = errors.reduce((first, { start }) => Math.min(first, start), Infinity);
  const aliasFaults = replaceAliases(document);
  const { pairs, duplicates } = indexMaps(document);
  const others = [...warnings, ...aliasFaults, ...duplicates];
  const at = (path: Path) => partsAt(document.contents, path, pairs);
  return {
    data: document.toJS({ maxAliasCount: 0 }),
    faults: [...errors, ...others.filter(({ end }) => end < certainUntil)],
    certainUntil,
    span: (path, part) => {
      const { key, value } = at(path);
      return spanOf(key !== undefined && (part === 'key' || writing(value) === '') ? key : value);
    },
    written: (path) => writing(at(path).value),
    position: positionsIn(text),
  };
}

/**
 * Puts the anchored node in the place of each alias, and `undefined` in that of a faulty one.
 * The parser has no place for such faults, and its limit counts aliases, not what they repeat.
 */
function replaceAliases(document: Document): readonly Fault[] {
  const faults: Fault[] = [];
  const anchored = new Map<string, Node>();
  const seen = new Set<Node>();
  let repeated = 0;
  const faultIn = (alias: Alias, ancestors: readonly unknown[], node: Node | undefined) => {
    const name = `YAML reads ${forTerminal(`*${alias.source}`)} as an alias`;
    if (node === undefined) return `${name}, and nothing before it has that anchor: quote it`;
    if (ancestors.includes(node)) return `${name}, and it stands inside of what it repeats`;
    repeated += sizeOf(node);
    return repeated > MAX_REPEATED ? `aliases repeat more than ${MAX_REPEATED} values` : undefined;
  };
  visit(document, {
    Alias: (_, alias, ancestors) => {
      // The first alias past the limit is a fault for all.
      if (repeated <= MAX_REPEATED) {
        const node = anchored.get(alias.source);
        const message = faultIn(alias, ancestors, node);
        if (message === undefined) return node;
        faults.push({ ...spanOf(alias), message });
      }
      return inPlaceOf(alias, undefined);
    },
    Pair: (_, pair) => {
      // An error of syntax already. As data its text would be written, level by level, forever.
      if (!isScalar(pair.key)) pair.key = inPlaceOf(pair.key, '');
    },
    Value: (_, node) => {
      // A node comes again in the place of each alias, and its anchor is not set anew there.
      if (node.anchor !== undefined && !seen.has(node)) anchored.set(node.anchor, node);
      seen.add(node);
    },
  });
  return faults;
}

function inPlaceOf(node: unknown, value: '' | undefined): Scalar {
  const scalar = new Scalar(value);
  const { start, end } = spanOf(node);
  scalar.range = [start, end, end];
  return scalar;
}

/** Number of values in a node, itself included. */
function sizeOf(node: unknown): number {
  if (isPair(node)) return sizeOf(node.value);
  const items: readonly unknown[] = isCollection(node) ? node.items : [];
  return items.reduce<number>((sum, item) => sum + sizeOf(item), 1);
}

/** The pairs of each map by key; of two with one key, the last. */
type Pairs = ReadonlyMap<YAMLMap, ReadonlyMap<unknown, Pair>>;

function indexMaps(document: Document): { pairs: Pairs; duplicates: readonly Fault[] } {
  const pairs = new Map<YAMLMap, ReadonlyMap<unknown, Pair>>();
  const duplicates: Fault[] = [];
  visit(document, {
    Map: (_, map) => {
      const byName = new Map<unknown, Pair>();
      for (const pair of map.items) {
        const name = isScalar(pair.key) ? pair.key.value : '';
        if (byName.has(name)) {
          duplicates.push({
            ...spanOf(pair.key),
            message: `${quote(String(name))} is there twice`,
          });
        }
        byName.set(name, pair);
      }
      pairs.set(map, byName);
    },
  });
  return { pairs, duplicates };
}

/** The value at a path, and its key if it has one. */
function partsAt(root: unknown, path: Path, pairs: Pairs): { key?: unknown; value: unknown } {
  let parts: { key?: unknown; value: unknown } = { value: root };
  for (const step of path) {
    const { value } = parts;
    let next: typeof parts | undefined;
    if (isMap(value)) next = pairs.get(value)?.get(step);
    else if (isSeq(value) && typeof step === 'number') next = { value: value.items[step] };
    if (next === undefined) break;
    parts = next;
  }
  return parts;
}

/** How a node is written that is not text, a list or a map; nothing for one that is left out. */
function writing(node: unknown): string | undefined {
  if (node === null || node === undefined) return '';
  return isScalar(node) && typeof node.value !== 'string' ? (node.source ?? '') : undefined;
}
