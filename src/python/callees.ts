import { CALL_RULES, type CallRule, OTHER_HUBS } from './calls.ts';
import { bindingsAt } from './literals.ts';
import type { Expression } from './scopes.ts';
import { type SyntaxNode, textOf } from './syntax.ts';

/** What a call calls. */
interface Callee {
  /** The last part of its name, as the package has it that it is imported from. */
  readonly name: string;
  /** The name of the class or object whose method it is. */
  readonly object: string | undefined;
  /** The package that it is imported from; `undefined` when no import of the source gives it. */
  readonly package: string | undefined;
  /** Whether the source defines it, or the object that it is a method of. */
  readonly isLocal: boolean;
}

/** The rules of a call: none when it loads nothing of the Hub. */
export function rulesOf({ node, scope }: Expression, source: string): readonly CallRule[] {
  const callee =
    node.firstChild === null ? undefined : calleeOf({ node: node.firstChild, scope }, source);
  if (callee === undefined) return [];
  const rules = CALL_RULES.get(callee.name)?.filter((rule) => isFrom(rule, callee)) ?? [];
  const own = rules.filter(({ object }) => object?.test(callee.object ?? '') === true);
  return own.length > 0 ? own : rules.filter(({ object }) => object === undefined);
}

/** The last part of the name that a call calls, as the source has it. */
export function calledName({ node, scope }: Expression, source: string): string | undefined {
  return node.firstChild === null
    ? undefined
    : calleeOf({ node: node.firstChild, scope }, source)?.name;
}

/**
 * Whether an expression is what such a call returned: the call, a name that is bound to it, perhaps with
 * methods behind it, as in `AutoModel.from_pretrained("org/name").to("cuda")`.
 */
export function isLoaded(expression: Expression, source: string): boolean {
  const values = bindingsAt(expression, source)
    .slice(0, MAX_STEPS)
    .flatMap((binding) => (binding.kind === 'value' ? [binding.value] : []));
  return [expression, ...values].some(({ node, scope }) => {
    let at: SyntaxNode | null = node;
    for (let steps = 0; at !== null && steps < MAX_STEPS; steps += 1) {
      const isCall = at.name === 'CallExpression';
      if (isCall && rulesOf({ node: at, scope }, source).length > 0) return true;
      if (at.name === 'AwaitExpression') at = at.lastChild;
      else if (isCall || at.name === 'MemberExpression') at = at.firstChild;
      else return false;
    }
    return false;
  });
}

/** Assignments of one name that are looked at, and methods behind one call. */
const MAX_STEPS = 50;

function isFrom({ packages }: CallRule, callee: Callee): boolean {
  if (packages === undefined) {
    const isOwn = callee.isLocal && callee.object === undefined;
    return !isOwn && !OTHER_HUBS.has(callee.package ?? '');
  }
  if (callee.package !== undefined) return packages.includes(callee.package);
  // Without an import that is seen, as after `from transformers import *`.
  return !callee.isLocal && callee.object === undefined;
}

function calleeOf(expression: Expression, source: string): Callee | undefined {
  const { node, scope } = expression;
  if (node.name === 'VariableName') {
    const path = importPath(expression, source);
    return {
      name: lastPart(path ?? textOf(node, source)),
      object: undefined,
      package: path === undefined ? undefined : firstPart(path),
      isLocal: path === undefined && bindingsAt(expression, source).length > 0,
    };
  }
  const property = node.name === 'MemberExpression' ? node.lastChild : null;
  if (property?.name !== 'PropertyName') return undefined;
  const object = node.firstChild;
  let root = object;
  while (root?.name === 'MemberExpression') root = root.firstChild;
  const named = root?.name === 'VariableName' ? { node: root, scope } : undefined;
  const path = named === undefined ? undefined : pathOf(named, source);
  return {
    name: textOf(property, source),
    object:
      object === null
        ? ''
        : lastPart(root === object && path !== undefined ? path : textOf(object, source)),
    package: path === undefined ? undefined : firstPart(path),
    isLocal: path === undefined,
  };
}

/** Where a name is from: a name that nothing binds is taken for that of a package. */
function pathOf(name: Expression, source: string): string | undefined {
  const isBound = bindingsAt(name, source).length > 0;
  return isBound ? importPath(name, source) : textOf(name.node, source);
}

/** Where a name is imported from, also when it has another value where the import fails. */
function importPath(expression: Expression, source: string): string | undefined {
  const found = bindingsAt(expression, source).find(({ kind }) => kind === 'import');
  return found?.kind === 'import' ? found.path : undefined;
}

const firstPart = (path: string): string => path.split('.', 1)[0] ?? '';

const lastPart = (path: string): string => path.slice(path.lastIndexOf('.') + 1);
