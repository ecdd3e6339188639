import { isCollection, isMap, isPair, type Pair } from 'yaml';

/** Offset of the first character of a node, its anchor and tag left out; of a pair, of its key. */
export function startOf(node: unknown): number {
  return rangeOf(isPair(node) ? node.key : node)[0];
}

/** Offset after the last character of a node, without what lies between it and the next one. */
export function endOf(node: unknown, text: string): number {
  if (isPair(node)) return endOf(node.value ?? node.key, text);
  const last = isCollection(node) && node.flow !== true ? node.items.at(-1) : undefined;
  if (last !== undefined) return endOf(last, text);
  const [start, end] = rangeOf(node);
  // A block scalar takes the end of its line in.
  return start + text.slice(start, end).trimEnd().length;
}

/** The pairs of a map; none when it is something else. */
export function pairsOf(node: unknown): readonly Pair[] {
  return isMap(node) ? node.items : [];
}

function rangeOf(node: unknown): readonly [number, number] {
  const range = hasRange(node) ? node.range : undefined;
  return range === undefined || range === null ? [0, 0] : [range[0], range[1]];
}

function hasRange(node: unknown): node is { range?: [number, number, number] | null } {
  return typeof node === 'object' && node !== null && 'range' in node;
}
