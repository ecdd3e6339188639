import {
  Composer,
  type CST,
  type ErrorCode,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  type YAMLError,
} from 'yaml';
import { quote, forTerminal } from '../quote.ts';
import type { Position } from './schema.ts';
import { type Fault, readTree, type Tree } from './tree.ts';

/** A YAML text as plain data. */
export interface Source {
  readonly tree: Tree;
  /** Top node of the syntax tree, whose nodes know their offsets; `null` for an empty text. */
  readonly root: Node | null;
  /** Offset of the `...` that ends the document, else the length of the text. */
  readonly end: number;
  /** Errors of syntax; from the first one on, the tree is a guess. */
  readonly errors: readonly Fault[];
  /** Tags and directives that mean nothing here. */
  readonly warnings: readonly Fault[];
  /** Line and column of an offset in the text. */
  readonly position: (offset: number) => Position;
}

/** YAML 1.2 core whatever the text asks for: no dates, binaries or sets, no merge keys. */
const OPTIONS = {
  version: '1.2',
  schema: 'core',
  merge: false,
  resolveKnownTags: false,
  stringKeys: true,
  uniqueKeys: false,
  prettyErrors: false,
} as const;

/** What YAML calls not printable, https://yaml.org/spec/1.2.2/#51-character-set. */
const NOT_PRINTABLE =
  /[^\t\n\r\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** What git begins a conflict with; no line of a manifest can. */
const CONFLICT = /^<{7} /gmu;

/** A manifest has five levels. Parser and composer recurse, and could not take thousands. */
const MAX_DEPTH = 50;

/** Characters: over ten thousand entries, or half a minute of work where all of it is punctuation. */
const MAX_LENGTH = 1_000_000;

/** For errors whose own wording speaks of the parser, not of the text. */
const WORDING: Readonly<Partial<Record<ErrorCode, string>>> = {
  BAD_ALIAS: 'YAML reads text that begins with "*" or "&" as an alias or an anchor: quote it',
  BAD_SCALAR_START: 'text that begins with this character needs quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'text with ": " in it needs quotes, and the keys of one map stand in one column',
  MULTILINE_IMPLICIT_KEY: 'a line of a map has the form "key: value"',
  NON_STRING_KEY: 'a key must be text',
  TAG_RESOLVE_FAILED: 'YAML reads text that begins with "!" as a tag: quote it',
};

/**
 * Reads a YAML text into plain data. Nothing is thrown, whatever the text is.
 *
 * @param text content of the file, without a byte order mark
 */
export function readSource(text: string): Source {
  const position = positions(text);
  if (text.length > MAX_LENGTH) return unread(text, [tooLong(text)], position);
  const unreadable = [...notPrintable(text), ...conflicts(text)];
  if (unreadable.length > 0) return unread(text, unreadable, position);
  const { tokens, deep } = parsed(text);
  if (deep !== undefined) return unread(text, [deep], position);
  const [document, second] = new Composer(OPTIONS).compose(tokens, true, text.length);
  if (document === undefined) return unread(text, [], position);
  return {
    tree: readTree(document.contents),
    root: document.contents,
    end: tokens.find(({ type }) => type === 'doc-end')?.offset ?? text.length,
    errors: [
      ...withoutEchoes(document.errors).map(faultOf),
      ...(second === undefined ? [] : [notAlone(second.range)]),
    ],
    warnings: document.warnings.map(faultOf),
    position,
  };
}

function unread(text: string, errors: readonly Fault[], position: Source['position']): Source {
  return { tree: readTree(null), root: null, end: text.length, errors, warnings: [], position };
}

function positions(text: string): Source['position'] {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (const { index } of text.matchAll(/\n/gu)) lines.addNewLine(index + 1);
  return (offset) => {
    const { line, col: column } = lines.linePos(offset);
    return { line, column };
  };
}

function notPrintable(text: string): readonly Fault[] {
  return [...text.matchAll(NOT_PRINTABLE)].map(({ 0: character, index: start }) => ({
    start,
    end: start + character.length,
    message: `not valid YAML: the character ${quote(character)}`,
  }));
}

function conflicts(text: string): readonly Fault[] {
  return [...text.matchAll(CONFLICT)].map(({ 0: marker, index: start }) => ({
    start,
    end: start + marker.length,
    message: 'git left a conflict here: keep the lines of one side or of both, without the markers',
  }));
}

/** The tokens of a text, or the first collection below the deepest level. */
function parsed(text: string): { readonly tokens: readonly CST.Token[]; readonly deep?: Fault } {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    const top = parser.stack[MAX_DEPTH + 1];
    if (top !== undefined) {
      const message = `nested more than ${MAX_DEPTH} levels deep`;
      return { tokens, deep: { start: top.offset, end: top.offset, message } };
    }
  }
  return { tokens: [...tokens, ...parser.end()] };
}

function tooLong({ length }: string): Fault {
  return { start: 0, end: length, message: `longer than ${MAX_LENGTH} characters` };
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

function notAlone([start, end]: readonly [number, number, number]): Fault {
  return { start, end, message: 'a manifest is one document: nothing may follow "---"' };
}
