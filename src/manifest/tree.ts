import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar } from 'yaml';
import { quote, forTerminal } from '../quote.ts';
import type { Part, Path } from './data.ts';

/** Offsets in the text: of the first character, and after the last. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Something wrong at a place in the text. */
export interface Fault extends Span {
  readonly message: string;
}

/** A syntax tree as plain data, with the place of everything in it. */
export interface Tree {
  /**
   * Maps without prototype, lists, text, numbers, booleans and `null`;
   * `undefined` for an alias or a tag that means nothing, which `faults` then names.
   */
  readonly data: unknown;
  /** Keys that a map has twice (`data` holds the last value), and aliases that lead nowhere. */
  readonly faults: readonly Fault[];
  /**
   * Where a value or its key stands. For an alias it is where the anchored value stands, for an
   * empty value its key, and for a path that leads nowhere the last part that exists.
   */
  span(path: Path, part: Part): Span;
  /** How a number, boolean or null is written; `undefined` for everything else. */
  written(path: Path): string | undefined;
}

interface Value {
  readonly data: unknown;
  readonly span: Span;
  /** Number of values in it, itself included, aliases followed. */
  readonly size: number;
  readonly written?: string;
}

interface Child {
  readonly key?: Span;
  readonly value: Value;
}

/** What `!!str` and the other tags of YAML itself begin with when written out. */
const CORE_TAG = 'tag:yaml.org,2002:';

/** Values that aliases may repeat: a thousand entries that share a list of ten repeat 11,000. */
const MAX_REPEATED = 100_000;

/**
 * Reads a syntax tree into plain data. Anchored data is shared, never copied.
 *
 * @param root top node of a document; `null` for an empty one
 */
export function readTree(root: Node | null): Tree {
  return new TreeReader(root);
}

class TreeReader implements Tree {
  readonly data: unknown;
  readonly faults: Fault[] = [];
  readonly #top: Child;
  readonly #children = new WeakMap<object, Map<unknown, Child>>();
  /** `undefined` while the anchored node is being read. */
  readonly #anchored = new Map<string, Value | undefined>();
  #repeated = 0;

  constructor(root: Node | null) {
    this.#top = { value: this.#read(root, { start: 0, end: 0 }) };
    this.data = this.#top.value.data;
  }

  span(path: Path, part: Part): Span {
    const { key, value } = this.#find(path);
    return key !== undefined && (part === 'key' || value.written === '') ? key : value.span;
  }

  written(path: Path): string | undefined {
    return this.#find(path).value.written;
  }

  #find(path: Path): Child {
    let child = this.#top;
    for (const step of path) {
      const { data } = child.value;
      const next = isObject(data) ? this.#children.get(data)?.get(step) : undefined;
      if (next === undefined) break;
      child = next;
    }
    return child;
  }

  /** @param place where the value stands when there is no node for it */
  #read(node: unknown, place: Span): Value {
    if (isAlias(node)) return this.#follow(node.source, spanOf(node, place));
    const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchored.set(anchor, undefined);
    const value = this.#readContent(node, place);
    if (anchor !== undefined) this.#anchored.set(anchor, value);
    return value;
  }

  #readContent(node: unknown, place: Span): Value {
    if (isMap(node)) return this.#readMap(node.items, spanOf(node, place));
    if (isSeq(node)) return this.#readList(node.items, spanOf(node, place));
    return isScalar(node)
      ? { ...readScalar(node), span: spanOf(node, place), size: 1 }
      : { data: null, written: '', span: place, size: 1 };
  }

  #readMap(pairs: readonly Pair[], span: Span): Value {
    const data: Record<string, unknown> = Object.create(null);
    const children = new Map<unknown, Child>();
    let size = 1;
    for (const pair of pairs) {
      const { data: name, span: key } = this.#readKey(pair.key, span);
      const value = this.#read(pair.value, key);
      if (children.has(name)) {
        this.faults.push({ ...key, message: `${quote(name)} is there twice` });
      }
      children.set(name, { key, value });
      data[name] = value.data;
      size += value.size;
    }
    this.#children.set(data, children);
    return { data, span, size };
  }

  /** A key that is not text is an error of syntax already. */
  #readKey(node: unknown, place: Span): { readonly data: string; readonly span: Span } {
    const { data, span } = this.#read(node, place);
    return { data: typeof data === 'string' ? data : '', span };
  }

  #readList(items: readonly unknown[], span: Span): Value {
    const values = items.map((item) => this.#read(item, span));
    const data = values.map((value) => value.data);
    this.#children.set(data, new Map(values.map((value, index) => [index, { value }])));
    return { data, span, size: values.reduce((sum, value) => sum + value.size, 1) };
  }

  #follow(anchor: string, span: Span): Value {
    const value = this.#anchored.get(anchor);
    const before = this.#repeated;
    this.#repeated += value?.size ?? 0;
    if (value !== undefined && this.#repeated <= MAX_REPEATED) return value;
    // Past the limit every alias is one too many; the first of them says it for all.
    if (before <= MAX_REPEATED) {
      this.faults.push({ ...span, message: this.#refusal(anchor, value) });
    }
    return { data: undefined, span, size: 1 };
  }

  #refusal(anchor: string, value: Value | undefined): string {
    if (value !== undefined) return `aliases repeat more than ${MAX_REPEATED} values`;
    const alias = `YAML reads ${forTerminal(`*${anchor}`)} as an alias`;
    return this.#anchored.has(anchor)
      ? `${alias}, and it stands inside of what it repeats`
      : `${alias}, and nothing before it has that anchor: quote it`;
  }
}

function readScalar({
  value,
  source = '',
  tag = CORE_TAG,
}: Scalar): Pick<Value, 'data' | 'written'> {
  if (!tag.startsWith(CORE_TAG)) return { data: undefined };
  return typeof value === 'string' ? { data: value } : { data: value, written: source };
}

function isObject(data: unknown): data is object {
  return typeof data === 'object' && data !== null;
}

function spanOf(node: unknown, otherwise: Span): Span {
  if (!isAlias(node) && !isMap(node) && !isSeq(node) && !isScalar(node)) return otherwise;
  const [start, end] = node.range ?? [otherwise.start, otherwise.end];
  return { start, end };
}
