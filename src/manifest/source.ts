import {
  type Alias,
  Composer,
  type CST,
  type Document,
  type ErrorCode,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
  type YAMLError,
  YAMLParseError,
} from 'yaml';
import { forTerminal, quote } from '../quote.ts';
import type { Position } from './schema.ts';

/** Keys and list indices from the top of a file to a value. */
export type Path = readonly unknown[];

/** Something wrong with the data at a path: with a key of a map, or with a value. */
export interface Problem {
  readonly path: Path;
  readonly part: 'key' | 'value';
  readonly message: string;
}

/** Something wrong in the text, between two offsets. */
interface Fault {
  readonly start: number;
  readonly end: number;
  readonly message: string;
}

/** A YAML text as plain data, and where each value of it stands. */
export interface ManifestSource {
  /** Maps, lists, text, numbers, booleans and `null`; `undefined` for an alias that is a fault. */
  readonly data: unknown;
  /**
   * Everything wrong, in file order: the faults of the YAML, and the given problems with the data.
   * Behind an error of syntax the data is a guess, so only errors of syntax count there.
   */
  readonly faultsWith: (
    problems: readonly Problem[],
  ) => readonly (Position & { readonly message: string })[];
  /** Where a key stands. */
  readonly positionOf: (path: Path) => Position;
  /** How a number, boolean or null is written; `undefined` for everything else. */
  readonly written: (path: Path) => string | undefined;
}

/** YAML 1.2 core whatever the text asks for: no dates, binaries or sets, no merge keys. */
const OPTIONS = {
  version: '1.2',
  schema: 'core',
  merge: false,
  resolveKnownTags: false,
  stringKeys: true,
  // The parser would compare each key with every other key of its map.
  uniqueKeys: false,
  prettyErrors: false,
} as const;

/** A manifest has five levels. */
const MAX_DEPTH = 50;

/** Characters: over ten thousand entries. */
const MAX_LENGTH = 1_000_000;

/** Values that aliases may repeat: a thousand entries that share a list of ten repeat 11,000. */
const MAX_REPEATED = 100_000;

/**
 * A character that YAML calls not printable, https://yaml.org/spec/1.2.2/#51-character-set, or the
 * first line of a conflict that git left; no line of a manifest begins so.
 */
const UNREADABLE =
  /[^\t\n\r\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]|^<{7} /gmu;

/** For errors whose own wording speaks of the parser, not of the text. */
const WORDING: Readonly<Partial<Record<ErrorCode, string>>> = {
  BAD_ALIAS: 'YAML reads text that begins with "*" or "&" as an alias or an anchor: quote it',
  BAD_SCALAR_START: 'text that begins with this character needs quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'text with ": " in it needs quotes, and the keys of one map stand in one column',
  MULTILINE_IMPLICIT_KEY: 'a line of a map has the form "key: value"',
  MULTIPLE_DOCS: 'a manifest is one document: nothing may follow "---"',
  NON_STRING_KEY: 'a key must be text',
  RESOURCE_EXHAUSTION: `nested more than ${MAX_DEPTH} levels deep`,
  TAG_RESOLVE_FAILED: 'YAML reads text that begins with "!" as a tag: quote it',
};

/**
 * Reads a YAML text into plain data. Nothing is thrown, whatever the text is.
 *
 * @param text content of the file, without a byte order mark
 */
export function readSource(text: string): ManifestSource {
  const unreadable = unreadableParts(text);
  const document = composeYaml(unreadable.length > 0 ? '' : text);
  const tree = new TreeReader();
  const root = tree.read(document.contents);
  const at = (path: Path) =>
    path.reduce<Value>((value, step) => value.children.get(step) ?? value, root);
  const position = positionsIn(text);
  const errors = [...unreadable, ...withoutEchoes(document.errors).map(faultOf)];
  const certainUntil = errors.reduce((first, { start }) => Math.min(first, start), Infinity);
  return {
    data: root.data,
    faultsWith: (problems) => {
      const located = problems.map(({ path, part, message }) => {
        const { key, node } = at(path);
        // An empty value stands nowhere, but its key does.
        const onKey = key !== undefined && (part === 'key' || writing(node) === '');
        return { ...offsetsOf(onKey ? key : node), message };
      });
      const others = [...document.warnings.map(faultOf), ...tree.faults, ...located];
      return [...errors, ...others.filter(({ end }) => end < certainUntil)]
        .toSorted((a, b) => a.start - b.start)
        .map(({ start, message }) => ({ ...position(start), message }));
    },
    positionOf: (path) => position(offsetsOf(at(path).key).start),
    written: (path) => writing(at(path).node),
  };
}

/**
 * The syntax tree of a text. The composer of the package recurses, and near the end of the stack V8 can
 * abort the process, so a text that is nested too deeply is refused before it is composed.
 */
export function composeYaml(text: string): Document.Parsed {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    const deepest = parser.stack[MAX_DEPTH + 1];
    if (deepest !== undefined) {
      const { offset } = deepest;
      const document = onlyDocument([], 0);
      document.errors.push(new YAMLParseError([offset, offset], 'RESOURCE_EXHAUSTION', ''));
      return document;
    }
  }
  tokens.push(...parser.end());
  return onlyDocument(tokens, text.length);
}

/** The first document of a text; a second one is an error in it. */
function onlyDocument(tokens: readonly CST.Token[], length: number): Document.Parsed {
  const [document, second] = new Composer(OPTIONS).compose(tokens, true, length);
  if (document === undefined) throw new TypeError('the composer made no document');
  if (second !== undefined) {
    const [start, end] = second.range;
    document.errors.push(new YAMLParseError([start, end], 'MULTIPLE_DOCS', ''));
  }
  return document;
}

/** Line and column of any offset in a text. */
export function positionsIn(text: string): (offset: number) => Position {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (const { index } of text.matchAll(/\n/gu)) lines.addNewLine(index + 1);
  return (offset) => {
    const { line, col: column } = lines.linePos(offset);
    return { line, column };
  };
}

/** Offsets of a node of the tree, its anchor and tag left out. */
export function offsetsOf(node: unknown): Pick<Fault, 'start' | 'end'> {
  const [start, end] = (isNode(node) ? node.range : undefined) ?? [0, 0];
  return { start, end };
}

/** Faults of a text that is not worth parsing. */
function unreadableParts(text: string): readonly Fault[] {
  if (text.length > MAX_LENGTH) {
    return [{ start: 0, end: text.length, message: `longer than ${MAX_LENGTH} characters` }];
  }
  return [...text.matchAll(UNREADABLE)].map(({ 0: part, index: start }) => ({
    start,
    end: start + part.length,
    message: part.startsWith('<')
      ? 'git left a conflict here: keep the lines of one side or of both, without the markers'
      : `not valid YAML: the character ${quote(part)}`,
  }));
}

/** The parser reports one place several times, and every token after an unexpected one. */
function withoutEchoes(errors: readonly YAMLError[]): readonly YAMLError[] {
  return errors.filter(({ code, pos }, index) => {
    const before = errors[index - 1];
    const echo = code === 'UNEXPECTED_TOKEN' && before?.code === code;
    return !echo && before?.pos[0] !== pos[0];
  });
}

function faultOf({ code, message, pos: [start, end] }: YAMLError): Fault {
  return { start, end, message: WORDING[code] ?? `not valid YAML: ${forTerminal(message)}` };
}

/** A value as data, and where it comes from. */
interface Value {
  readonly data: unknown;
  readonly node: unknown;
  /** Node of its key, where it is a value of a map. */
  readonly key?: unknown;
  readonly children: ReadonlyMap<unknown, Value>;
  /** Number of values in it, itself included, aliases followed. */
  readonly size: number;
}

/**
 * Turns a syntax tree into data; aliases share the data of their anchor. `toJS` of the package gives
 * no position for its errors, limits the number of aliases and not what they repeat, and takes
 * quadratic time for them.
 */
class TreeReader {
  readonly faults: Fault[] = [];
  /** `undefined` while the anchored node is being read. */
  readonly #anchored = new Map<string, Value | undefined>();
  #repeated = 0;

  read(node: unknown, key?: unknown): Value {
    if (isAlias(node)) return { ...this.#follow(node), key };
    const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchored.set(anchor, undefined);
    const children = this.#readChildren(node);
    const size = [...children.values()].reduce((sum, child) => sum + child.size, 1);
    const value = { data: dataOf(node, children), node, key, children, size };
    if (anchor !== undefined) this.#anchored.set(anchor, value);
    return value;
  }

  #readChildren(node: unknown): Value['children'] {
    if (isSeq(node)) return new Map(node.items.map((item, index) => [index, this.read(item)]));
    const children = new Map<unknown, Value>();
    for (const { key, value } of isMap(node) ? node.items : []) {
      // A key that is not text is an error of syntax already.
      const { data } = this.read(key);
      const name = typeof data === 'string' ? data : '';
      if (children.has(name)) {
        this.faults.push({ ...offsetsOf(key), message: `${quote(name)} is there twice` });
      }
      children.set(name, this.read(value, key));
    }
    return children;
  }

  #follow(alias: Alias): Value {
    const anchored = this.#anchored.get(alias.source);
    const before = this.#repeated;
    this.#repeated += anchored?.size ?? 0;
    if (anchored !== undefined && this.#repeated <= MAX_REPEATED) return anchored;
    // Past the limit every alias is one too many; the first of them says it for all.
    if (before <= MAX_REPEATED) {
      const reading = `YAML reads ${forTerminal(`*${alias.source}`)} as an alias`;
      const undone = this.#anchored.has(alias.source)
        ? `${reading}, and it stands inside of what it repeats`
        : `${reading}, and nothing before it has that anchor: quote it`;
      const tooMany = `aliases repeat more than ${MAX_REPEATED} values`;
      const message = anchored === undefined ? undone : tooMany;
      this.faults.push({ ...offsetsOf(alias), message });
    }
    return { data: undefined, node: alias, children: new Map(), size: 1 };
  }
}

function dataOf(node: unknown, children: Value['children']): unknown {
  const values = [...children].map(([name, { data }]) => [name, data] as const);
  if (isMap(node)) return Object.fromEntries(values);
  if (isSeq(node)) return values.map(([, data]) => data);
  return isScalar(node) ? node.value : null;
}

/** How a node is written that is not text, a list or a map; nothing for one that is left out. */
function writing(node: unknown): string | undefined {
  if (node === null || node === undefined) return '';
  return isScalar(node) && typeof node.value !== 'string' ? (node.source ?? '') : undefined;
}
