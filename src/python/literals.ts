import { type Binding, bindingsOf, type Expression } from './scopes.ts';
import { argumentsOf, childrenOf, splitAt, type SyntaxNode, textOf } from './syntax.ts';

/** Names and sums that a text may be made of, one within the other. */
const MAX_DEPTH = 8;

/** A text with its prefix and quotes. */
const STRING = /^([A-Za-z]*)('''|"""|'|")([^]*)\2$/u;

/**
 * The text that an expression always has: a literal, several side by side, a sum, or a name that is
 * bound once, to one of these. A format with fields has none.
 */
export function stringOf(
  { node, scope }: Expression,
  source: string,
  depth = 0,
): string | undefined {
  if (depth > MAX_DEPTH) return undefined;
  const joined = (parts: readonly SyntaxNode[]) => {
    const texts = parts.map((part) => stringOf({ node: part, scope }, source, depth + 1));
    return texts.every((text) => text !== undefined) ? texts.join('') : undefined;
  };
  switch (node.name) {
    case 'String':
      return decoded(textOf(node, source), false);
    case 'FormatString':
      if (node.getChild('FormatReplacement') !== null) return undefined;
      return decoded(textOf(node, source), true);
    case 'ContinuedString':
      return joined(childrenOf(node));
    case 'BinaryExpression': {
      const [left, operator, right, ...more] = childrenOf(node);
      if (left === undefined || operator === undefined || right === undefined) return undefined;
      const isSum = textOf(operator, source) === '+' && more.length === 0;
      return isSum ? joined([left, right]) : undefined;
    }
    default: {
      const inner = innerOf({ node, scope }, source);
      return inner === undefined ? undefined : stringOf(inner, source, depth + 1);
    }
  }
}

/** The texts of a list, a tuple or a set of them, of the values of a dictionary, or of one alone. */
export function stringsOf(
  expression: Expression,
  source: string,
  depth = 0,
): readonly string[] | undefined {
  const { node, scope } = expression;
  const text = stringOf(expression, source);
  if (text !== undefined) return [text];
  if (depth > MAX_DEPTH) return undefined;
  const items = itemsOf(node);
  if (items !== undefined) {
    const texts = items.map((item) => stringsOf({ node: item, scope }, source, depth + 1));
    return texts.every((one) => one !== undefined) ? texts.flat() : undefined;
  }
  const inner = innerOf(expression, source);
  return inner === undefined ? undefined : stringsOf(inner, source, depth + 1);
}

/** The items of a list, or the values of a dictionary; `undefined` for every other expression. */
function itemsOf(node: SyntaxNode): readonly SyntaxNode[] | undefined {
  if (!LISTS.has(node.name)) return undefined;
  const inside = childrenOf(node).filter(({ name }) => !/^[[\](){}]$/u.test(name));
  return splitAt(inside, ',').flatMap((item) => item.slice(-1));
}

const LISTS = new Set([
  'ArrayExpression',
  'TupleExpression',
  'SetExpression',
  'DictionaryExpression',
]);

/** What is bound to a name; none for another expression. */
export const bindingsAt = ({ node, scope }: Expression, source: string): readonly Binding[] =>
  node.name === 'VariableName' ? bindingsOf(textOf(node, source), scope) : [];

/**
 * The text that a value has unless its user says otherwise: the default of a parameter, or of a variable
 * of the environment.
 */
export function defaultOf(expression: Expression, source: string): string | undefined {
  const [binding, ...others] = bindingsAt(expression, source);
  if (others.length > 0) return undefined;
  if (binding?.kind === 'parameter') {
    return binding.value === undefined ? undefined : stringOf(binding.value, source);
  }
  const { node, scope } = binding?.kind === 'value' ? binding.value : expression;
  const callee = node.name === 'CallExpression' ? node.firstChild : null;
  if (callee === null || !/(?:^|\.)(?:environ\.get|getenv)$/u.test(textOf(callee, source))) {
    return undefined;
  }
  const value = argumentsOf(node, source)?.positional[1];
  return value === undefined ? undefined : stringOf({ node: value, scope }, source);
}

/** What an expression stands for: the value of a name that is bound once, or what is in parentheses. */
function innerOf(expression: Expression, source: string): Expression | undefined {
  const { node, scope } = expression;
  if (node.name === 'ParenthesizedExpression') {
    const inside = childrenOf(node).filter(({ name }) => name !== '(' && name !== ')');
    return inside.length === 1 && inside[0] !== undefined ? { node: inside[0], scope } : undefined;
  }
  const [binding, ...others] = bindingsAt(expression, source);
  return binding?.kind === 'value' && others.length === 0 ? binding.value : undefined;
}

/** The text of a literal; `undefined` for bytes, and for one that is not closed. */
function decoded(literal: string, isFormat: boolean): string | undefined {
  const [, prefix = '', , body] = STRING.exec(literal) ?? [];
  if (body === undefined || /b/iu.test(prefix)) return undefined;
  const text = isFormat ? body.replaceAll('{{', '{').replaceAll('}}', '}') : body;
  return /r/iu.test(prefix) ? text : text.replace(ESCAPE, unescaped);
}

/** Escapes of Python's literals (language reference, "Escape sequences"). */
const ESCAPE =
  /\\(?:(\r\n|[^xuUN0-7])|([0-7]{1,3})|x([\dA-Fa-f]{2})|u([\dA-Fa-f]{4})|U([\dA-Fa-f]{8}))/gu;

const CHARACTERS: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\n': '',
  '\r': '',
  '\r\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

function unescaped(escape: string, character?: string, octal?: string, ...hex: unknown[]): string {
  if (character !== undefined) return CHARACTERS[character] ?? escape;
  const digits = hex.slice(0, 3).find((one) => typeof one === 'string');
  const code =
    octal === undefined ? Number.parseInt(String(digits), 16) : Number.parseInt(octal, 8);
  return code > 0x10_ff_ff ? escape : String.fromCodePoint(code);
}
