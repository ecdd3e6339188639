import { parser } from '@lezer/python';

/** The syntax tree of a source. Its offsets count UTF-16 units. */
export type Tree = ReturnType<typeof parser.parse>;

export type SyntaxNode = Tree['topNode'];

/** Parses Python. Where the syntax is broken, the tree has what can be read around the fault. */
export const parsePython = (text: string): Tree => parser.parse(text);

/** The text of a node. */
export const textOf = (node: SyntaxNode, source: string): string =>
  source.slice(node.from, node.to);

/** Nodes directly below a node, in order, without comments and those of broken syntax. */
export function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (!child.type.isError && child.name !== 'Comment') children.push(child);
  }
  return children;
}

/** Groups of nodes between separators, such as the commas of a list. */
export function splitAt(
  nodes: readonly SyntaxNode[],
  separator: string,
): readonly (readonly SyntaxNode[])[] {
  const groups: SyntaxNode[][] = [[]];
  for (const node of nodes) {
    if (node.name === separator) groups.push([]);
    else groups.at(-1)?.push(node);
  }
  return groups;
}

/** The arguments of a call as they are written. */
export interface Arguments {
  /** Values by position; those from a `*name` on are not known. */
  readonly positional: readonly SyntaxNode[];
  readonly byName: ReadonlyMap<string, SyntaxNode>;
  /** Whether there is a `*name` or a `**name`. */
  readonly isOpen: boolean;
  /** All of them. */
  readonly list: SyntaxNode;
}

/** Reads the arguments of a `CallExpression`; `undefined` when there is no list of them. */
export function argumentsOf(call: SyntaxNode, source: string): Arguments | undefined {
  const list = call.lastChild;
  if (list?.name !== 'ArgList') return undefined;
  const positional: SyntaxNode[] = [];
  const byName = new Map<string, SyntaxNode>();
  let isOpen = false;
  const items = childrenOf(list).filter(({ name }) => name !== '(' && name !== ')');
  for (const [first, second, third] of splitAt(items, ',')) {
    if (first === undefined) continue;
    if (first.name === '*' || first.name === '**') isOpen = true;
    else if (second?.name === 'AssignOp') {
      if (third !== undefined) byName.set(textOf(first, source), third);
    } else if (!isOpen) positional.push(first);
  }
  return { positional, byName, isOpen, list };
}
