import { childrenOf, splitAt, type SyntaxNode, textOf, type Tree } from './syntax.ts';

/** What gives a name its value at one place. */
export type Binding =
  | { readonly kind: 'value'; readonly value: Expression }
  /** `path` is `package.name` of `from package import name`, or the package of `import package`. */
  | { readonly kind: 'import'; readonly path: string }
  | { readonly kind: 'parameter'; readonly value: Expression | undefined }
  /** A loop, an unpacked list, a function, a class: what it holds is not read. */
  | { readonly kind: 'other' };

/** Names of a module, a class or a function. */
export interface Scope {
  readonly kind: 'module' | 'class' | 'function';
  readonly parent: Scope | undefined;
  readonly bindings: Map<string, Binding[]>;
  /** Names that `global` and `nonlocal` take from outside. */
  readonly outer: Set<string>;
}

/** An expression and the scope of its names. */
export interface Expression {
  readonly node: SyntaxNode;
  readonly scope: Scope;
}

const SCOPES: ReadonlyMap<string, Scope['kind']> = new Map([
  ['FunctionDefinition', 'function'],
  ['LambdaExpression', 'function'],
  ['ClassDefinition', 'class'],
]);

/** Nodes that are made of targets of an assignment. */
const NESTED_TARGETS = new Set(['TupleExpression', 'ArrayExpression', 'ParenthesizedExpression']);

/** All calls of a source, in its order, with the scopes that names are looked up in. */
export function readScopes(tree: Tree, source: string): readonly Expression[] {
  const calls: Expression[] = [];
  let scope = newScope('module', undefined);
  tree.iterate({
    enter(reference) {
      const { name } = reference;
      const kind = SCOPES.get(name);
      // Most nodes are none of these, and making an object of each would take longer than parsing.
      if (kind !== undefined) {
        const named = reference.node.getChild('VariableName');
        if (named !== null && name !== 'LambdaExpression') bindOther(scope, named, source);
        scope = newScope(kind, scope);
      } else if (name === 'CallExpression') calls.push({ node: reference.node, scope });
      else BINDERS.get(name)?.(scope, reference.node, source);
    },
    leave({ name }) {
      if (SCOPES.has(name) && scope.parent !== undefined) scope = scope.parent;
    },
  });
  return calls;
}

/**
 * What gives a name its value, as Python looks it up: the innermost scope that binds it, without the
 * classes around.
 *
 * @returns none where nothing in the source does
 */
export function bindingsOf(name: string, scope: Scope): readonly Binding[] {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    const found = at === scope || at.kind !== 'class' ? at.bindings.get(name) : undefined;
    if (found !== undefined && !at.outer.has(name)) return found;
  }
  return [];
}

function newScope(kind: Scope['kind'], parent: Scope | undefined): Scope {
  return { kind, parent, bindings: new Map(), outer: new Set() };
}

function bind({ bindings }: Scope, name: string, binding: Binding): void {
  const known = bindings.get(name);
  if (known === undefined) bindings.set(name, [binding]);
  else known.push(binding);
}

const bindOther = (scope: Scope, node: SyntaxNode, source: string): void =>
  bind(scope, textOf(node, source), { kind: 'other' });

type Binder = (scope: Scope, node: SyntaxNode, source: string) => void;

/** Binds all names of a target: `a`, `(a, b)`, `[a, *b]`; attributes and items are no names. */
function bindTargets(scope: Scope, nodes: readonly SyntaxNode[], source: string): void {
  for (const node of nodes) {
    if (node.name === 'VariableName') bindOther(scope, node, source);
    else if (NESTED_TARGETS.has(node.name)) bindTargets(scope, childrenOf(node), source);
  }
}

/** `a = b = value`, `a: type = value`, `a := value`. */
const bindAssignment: Binder = (scope, node, source) => {
  const parts = splitAt(
    childrenOf(node).filter(({ name }) => name !== 'TypeDef'),
    'AssignOp',
  );
  const [value, ...more] = parts.at(-1) ?? [];
  for (const target of parts.slice(0, -1)) {
    const [name, ...others] = target;
    const isPlain = name?.name === 'VariableName' && others.length + more.length === 0;
    if (isPlain && value !== undefined) {
      bind(scope, textOf(name, source), { kind: 'value', value: { node: value, scope } });
    } else bindTargets(scope, target, source);
  }
};

/** The name that is the first child of a node. */
const bindFirst: Binder = (scope, node, source) => {
  bindTargets(scope, childrenOf(node).slice(0, 1), source);
};

/** Names that are the children of a node. */
const bindNames: Binder = (scope, node, source) => {
  bindTargets(scope, childrenOf(node), source);
};

/** Names between `for` and `in`. Those of a comprehension count for the scope around it too. */
const bindLoop: Binder = (scope, keyword, source) => {
  for (let node = keyword.nextSibling; node !== null; node = node.nextSibling) {
    if (node.name === 'in') return;
    bindTargets(scope, [node], source);
  }
};

const bindParameters: Binder = (scope, node, source) => {
  const items = childrenOf(node).filter(({ name }) => !['TypeDef', '(', ')'].includes(name));
  for (const item of splitAt(items, ',')) {
    const at = item.findIndex(({ name }) => name === 'VariableName');
    const named = item[at];
    if (named === undefined) continue;
    const usual = item[at + 2];
    const value = usual === undefined ? undefined : { node: usual, scope: scope.parent ?? scope };
    bind(scope, textOf(named, source), { kind: 'parameter', value });
  }
};

/** `import a.b as c, d` and `from a.b import c as d, e`. */
const bindImport: Binder = (scope, node, source) => {
  const parts = childrenOf(node).filter(({ name }) => name !== '(' && name !== ')');
  const at = parts.findIndex(({ name }) => name === 'import');
  const from = at > 0 ? `${joined(parts.slice(1, at), source)}.` : '';
  for (const item of splitAt(parts.slice(at + 1), ',')) {
    const [dotted = [], alias = []] = splitAt(item, 'as');
    const [first] = dotted;
    const name = alias[0] ?? first;
    if (first === undefined || name?.name !== 'VariableName') continue;
    const isPackage = from === '' && alias.length === 0;
    const path = from + (isPackage ? textOf(first, source) : joined(dotted, source));
    bind(scope, textOf(name, source), { kind: 'import', path });
  }
};

const joined = (nodes: readonly SyntaxNode[], source: string): string =>
  nodes.map((node) => textOf(node, source)).join('');

/** What stands behind the `as` of `with`, `except` and `case`. */
const bindAlias: Binder = (scope, keyword, source) => {
  const { nextSibling, parent } = keyword;
  if (parent?.name !== 'ImportStatement' && nextSibling !== null) {
    bindTargets(scope, [nextSibling], source);
  }
};

/** `global a, b`: from here a name may change in any scope around, wherever it belongs. */
const bindOutside: Binder = (scope, node, source) => {
  for (const name of node.getChildren('VariableName')) {
    scope.outer.add(textOf(name, source));
    for (let at = scope.parent; at !== undefined; at = at.parent) bindOther(at, name, source);
  }
};

/** What binds names, by the kind of its node. */
const BINDERS: ReadonlyMap<string, Binder> = new Map([
  ['AssignStatement', bindAssignment],
  ['NamedExpression', bindAssignment],
  ['UpdateStatement', bindFirst],
  ['DeleteStatement', bindNames],
  ['CapturePattern', bindNames],
  ['for', bindLoop],
  ['ParamList', bindParameters],
  ['ImportStatement', bindImport],
  ['as', bindAlias],
  ['ScopeStatement', bindOutside],
]);
