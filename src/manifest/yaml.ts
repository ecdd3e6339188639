import {
  Composer,
  type CST,
  type Document,
  type ErrorCode,
  isNode,
  Lexer,
  LineCounter,
  parseDocument,
  Parser,
  type YAMLError,
  YAMLParseError,
} from 'yaml';
import { forTerminal, quote } from '../quote.ts';
import type { Position } from './schema.ts';

/** Offsets in a text: of the first character, and after the last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Something wrong in a text. */
export interface Fault extends Span {
  readonly message: string;
}

/**
 * YAML 1.2 core whatever the text asks for: no dates, binaries or sets, no merge keys. The parser
 * would compare each key with every other key of its map, so `readSource` looks for duplicates.
 */
const OPTIONS = {
  version: '1.2',
  schema: 'core',
  merge: false,
  resolveKnownTags: false,
  stringKeys: true,
  uniqueKeys: false,
  prettyErrors: false,
  logLevel: 'error',
} as const;

/** A manifest has five levels. */
const MAX_DEPTH = 50;

/** Characters: over ten thousand entries, or half a minute of work where all of it is punctuation. */
const MAX_LENGTH = 1_000_000;

/** What YAML calls not printable, https://yaml.org/spec/1.2.2/#51-character-set. */
const NOT_PRINTABLE =
  /[^\t\n\r\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** The first line of a conflict that git left; no line of a manifest begins so. */
const CONFLICT = /^<{7} /gmu;

const IN_CONFLICT =
  'git left a conflict here: keep the lines of one side or of both, without the markers';

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

/** A YAML text as a syntax tree. */
export interface ParsedYaml {
  /** The tree, aliases and all; that of an empty text when there is nothing to read. */
  readonly document: Document.Parsed;
  /** Errors of syntax. From the first one on, the tree is a guess. */
  readonly errors: readonly Fault[];
  /** Tags and directives that mean nothing here. */
  readonly warnings: readonly Fault[];
}

/**
 * Parses a YAML text. Nothing is thrown, whatever the text is.
 *
 * @param text content of the file, without a byte order mark
 */
export function parseYaml(text: string): ParsedYaml {
  const unreadable = unreadableParts(text);
  const document = compose(unreadable.length > 0 ? '' : text);
  return {
    document,
    errors: [...unreadable, ...withoutEchoes(document.errors).map(faultOf)],
    warnings: document.warnings.map(faultOf),
  };
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
export function spanOf(node: unknown): Span {
  const [start, end] = (isNode(node) ? node.range : undefined) ?? [0, 0];
  return { start, end };
}

/**
 * As `parseDocument` of the package, which recurses: where the stack ends, V8 may abort the process.
 * So a text that is nested too deeply is not composed.
 */
function compose(text: string): Document.Parsed {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    const deepest = parser.stack[MAX_DEPTH + 1];
    if (deepest !== undefined) {
      return withError(parseDocument('', OPTIONS), 'RESOURCE_EXHAUSTION', deepest.offset);
    }
  }
  tokens.push(...parser.end());
  const [document, second] = new Composer(OPTIONS).compose(tokens, true, text.length);
  if (document === undefined) return parseDocument('', OPTIONS);
  return second === undefined ? document : withError(document, 'MULTIPLE_DOCS', second.range[0]);
}

function withError(document: Document.Parsed, code: ErrorCode, at: number): Document.Parsed {
  document.errors.push(new YAMLParseError([at, at], code, ''));
  return document;
}

/** What no manifest has; it is not parsed then. */
function unreadableParts(text: string): readonly Fault[] {
  const found = (pattern: RegExp, messageOf: (part: string) => string) =>
    [...text.matchAll(pattern)].map(({ 0: part, index: start }) => {
      return { start, end: start + part.length, message: messageOf(part) };
    });
  const tooLong = `longer than ${MAX_LENGTH} characters`;
  return [
    ...(text.length > MAX_LENGTH ? [{ start: 0, end: text.length, message: tooLong }] : []),
    ...found(NOT_PRINTABLE, (character) => `not valid YAML: the character ${quote(character)}`),
    ...found(CONFLICT, () => IN_CONFLICT),
  ];
}

/** The parser stumbles more than once at one place, and over every token after one out of place. */
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
