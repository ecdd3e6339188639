import type { Selection } from '../manifest/schema.ts';
import { compileGlob, expressionOf } from './glob.ts';
import type { Selectable } from './select.ts';

/** The `filters` of `fetchModel` in Nix: expressions over whole paths of LFS files, or exact paths. */
export type Filters =
  | { readonly include?: readonly string[]; readonly exclude?: readonly string[] }
  | { readonly files: readonly string[] };

/**
 * Says a selection in Nix. Where a glob has no expression, the selected files are named one by one.
 *
 * @param selection what the user asks for
 * @param all every file of the commit
 * @param selected those that the selection keeps
 * @returns `undefined` when no filter is needed
 */
export function filtersOf(
  selection: Selection | undefined,
  all: readonly Selectable[],
  selected: readonly Selectable[],
): Filters | undefined {
  if (selection === undefined || 'files' in selection) return selection;
  const paths = all.filter(({ lfs }) => lfs !== undefined).map(({ path }) => path);
  const include = expressionsOf(selection.include, paths);
  const exclude = expressionsOf(selection.exclude, paths);
  if (include === undefined || exclude === undefined) {
    return { files: selected.map(({ path }) => path) };
  }
  return {
    ...(include.length === 0 ? {} : { include }),
    ...(exclude.length === 0 ? {} : { exclude }),
  };
}

/** `undefined` when one of the globs has no expression. */
function expressionsOf(
  globs: readonly string[] | undefined,
  paths: readonly string[],
): readonly string[] | undefined {
  const expressions = (globs ?? []).map((glob) => posixOfGlob(glob, paths));
  return expressions.every((expression) => expression !== undefined) ? expressions : undefined;
}

/** A part of an expression: what it says in POSIX, and how much it matches. */
interface Piece {
  readonly text: string;
  /** `any` is `.*`, `char` one character, `lookahead` asks that one follows; `other` is the rest. */
  readonly kind: 'any' | 'char' | 'lookahead' | 'other';
}

/** A part that picomatch writes, and what it means among paths without `.`, `..` and empty segments. */
interface Rule {
  readonly source: string;
  readonly piece?: Piece;
  /** Whether it means that here, given what follows and what came before. */
  readonly when?: (rest: string, before: readonly Piece[]) => boolean;
}

const piece = (text: string, kind: Piece['kind'] = 'other'): Piece => ({ text, kind });

const NO_DOTS = String.raw`(?!(?:^|\/)\.{1,2}(?:\/|$))`;
const ANY = `(?:(?:${NO_DOTS}.)*?)`;

const atStart: Rule['when'] = (_rest, before) => before.length === 0;
const atEnd: Rule['when'] = (rest) => rest === '';
const beforeLetter: Rule['when'] = (rest) => /^(?:\w|\\[^\w/])/u.test(rest);

const RULES: readonly Rule[] = [
  { source: NO_DOTS },
  { source: String.raw`(?!\.{1,2}(?:\/|$))` },
  { source: ANY, piece: piece('.*', 'any') },
  { source: '.*?', piece: piece('.*', 'any') },
  { source: '(?=.)', piece: piece('', 'lookahead') },
  { source: String.raw`(?:${ANY}\/)?`, piece: piece('(.*/)?') },
  { source: String.raw`(?:^|\/|${ANY}\/)`, piece: piece('(.*/)?'), when: atStart },
  { source: String.raw`(?:\/${ANY}\/|\/|$)`, piece: piece('(/.*)?/'), when: beforeLetter },
  { source: String.raw`(?:\/${ANY}|$)`, piece: piece('(/.*)?'), when: atEnd },
  { source: String.raw`\/?`, when: atEnd },
  { source: String.raw`\/`, piece: piece('/', 'char') },
  { source: '(?:', piece: piece('(') },
  { source: ')?', piece: piece(')?') },
  ...['(', ')', '|', '^', '$'].map((source) => ({ source, piece: piece(source) })),
];

const CLASS = /^\[(?<negated>\^?)(?<members>(?:\\.|[^\\\]])+)\]/su;
const LETTER = /^(?:\\(?<escaped>[^\w])|(?<plain>[^\\^$.*+?()[{|]))/su;
/** What has a meaning in a POSIX extended regular expression. */
const SPECIAL = /[.[\\()*+?{|^$]/gu;

/**
 * A POSIX extended regular expression that selects the same of these paths as a glob does, when it
 * is matched against whole paths byte by byte, as `builtins.match` of Nix does.
 *
 * @param glob pattern of our dialect
 * @param paths safe repository paths; which characters they have decides what can be expressed, since
 *   `?` is one character and may be several bytes
 * @returns `undefined` when there is none
 */
export function posixOfGlob(glob: string, paths: readonly string[]): string | undefined {
  const expression = expressionOf(glob);
  const matches = compileGlob(glob);
  if (paths.some((path) => matches(path) && !expression.test(path))) return undefined;
  const pieces = piecesOf(unwrapped(expression.source), !paths.every(isAscii));
  return pieces === undefined ? undefined : joined(pieces);
}

const isAscii = (text: string): boolean => /^[\u0000-\u007f]*$/u.test(text);

/** The expression without the anchors around it, which a match of whole paths does not need. */
function unwrapped(source: string): string {
  const inner = /^\^\(\?:(?<inner>.*)\)\$$/su.exec(source)?.groups?.['inner'];
  return inner === undefined ? source : unwrapped(inner);
}

function piecesOf(source: string, severalBytes: boolean): readonly Piece[] | undefined {
  const pieces: Piece[] = [];
  let rest = source;
  while (rest !== '') {
    const step = byRule(rest, pieces) ?? byClass(rest, severalBytes) ?? byLetter(rest);
    if (step === undefined) return undefined;
    if (step.piece !== undefined) pieces.push(step.piece);
    rest = rest.slice(step.length);
  }
  return pieces;
}

/** What the beginning of a source means. */
interface Step {
  readonly length: number;
  readonly piece?: Piece | undefined;
}

function byRule(rest: string, before: readonly Piece[]): Step | undefined {
  const rule = RULES.find(
    ({ source, when = () => true }) =>
      rest.startsWith(source) && when(rest.slice(source.length), before),
  );
  return rule === undefined ? undefined : { length: rule.source.length, piece: rule.piece };
}

function byLetter(rest: string): Step | undefined {
  const { 0: whole, groups } = LETTER.exec(rest) ?? {};
  const letter = groups?.['escaped'] ?? groups?.['plain'];
  if (whole === undefined || letter === undefined) return undefined;
  return { length: whole.length, piece: piece(letter.replace(SPECIAL, String.raw`\$&`), 'char') };
}

function byClass(rest: string, severalBytes: boolean): Step | undefined {
  const { 0: whole, groups } = CLASS.exec(rest) ?? {};
  if (whole === undefined || groups === undefined) return undefined;
  const negated = groups['negated'] === '^';
  const members = groups['members'] ?? '';
  if (!isAscii(members) || (negated && severalBytes)) return undefined;
  const text = classOf(members, negated);
  return text === undefined ? undefined : { length: whole.length, piece: piece(text, 'char') };
}

/**
 * A bracket expression of POSIX. There a backslash is a member, `]` must come first, `-` last, `^` not
 * first, and `[` not before `.`, `:` or `=`.
 */
function classOf(members: string, negated: boolean): string | undefined {
  const found = [
    ...members.matchAll(/(?<range>[0-9A-Za-z]-[0-9A-Za-z])|\\(?<escaped>[^\w])|(?<plain>[^\\])/gsu),
  ];
  const parts = found.map(
    ({ groups }) => groups?.['range'] ?? groups?.['escaped'] ?? groups?.['plain'] ?? '',
  );
  if (found.reduce((length, [text]) => length + text.length, 0) !== members.length)
    return undefined;
  // A range with another end than a letter or digit is left to the list of files.
  if (/[^\\]-./su.test(members.replace(/[0-9A-Za-z]-[0-9A-Za-z]/gu, 'x'))) return undefined;
  const last = ['^', '[', '-'];
  const ordered = [
    ...parts.filter((part) => part === ']'),
    ...parts.filter((part) => part !== ']' && !last.includes(part)),
    ...last.filter((part) => parts.includes(part)),
  ];
  if (negated) return `[^${ordered.join('')}]`;
  return ordered[0] === '^'
    ? ordered.length === 1
      ? String.raw`\^`
      : undefined
    : `[${ordered.join('')}]`;
}

/** The expression, when it has no empty alternative and its lookaheads can be said without them. */
function joined(pieces: readonly Piece[]): string | undefined {
  const texts = pieces.map(({ text, kind }, index) => {
    const before = pieces[index - 1];
    if (kind === 'any' && before?.kind === 'lookahead' && index === pieces.length - 1) return '.+';
    return text;
  });
  const isSaid = pieces.every(({ text, kind }, index) => {
    const next = pieces[index + 1];
    const after = pieces[index + 2];
    if (text === '(' || text === '|') return !/^[|)]/u.test(next?.text ?? ')');
    if (kind !== 'lookahead' || next?.kind === 'char') return true;
    return next?.kind === 'any' && (after === undefined || after.kind === 'char');
  });
  return isSaid ? texts.join('') : undefined;
}
