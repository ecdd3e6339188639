import { isMap, type YAMLMap } from 'yaml';
import { offsetsOf } from './source.ts';

/**
 * Adds items at the end of a flow map: on lines of their own if the last item has its own line, else
 * right behind it. A final comma stays.
 */
export function addToFlow(text: string, map: YAMLMap, added: readonly string[]): string {
  const last = map.items.at(-1);
  if (last === undefined) {
    const open = offsetsOf(map).start + 1;
    // The same space on both sides.
    const space = /^[ \t]*/u.exec(text.slice(open))?.[0] ?? '';
    return spliced(text, open, open, space + added.join(', '));
  }
  const end = offsetsOf(last.value ?? last.key).end;
  const start = offsetsOf(last.key).start;
  const [margin] = /\r?\n[ \t]*$/u.exec(text.slice(0, start)) ?? [];
  const rest = /^((?:[ \t]*,)?)([ \t]*(?:[ \t]#.*)?)(?=\r?\n)/u.exec(text.slice(end));
  if (margin === undefined || rest === null) {
    return spliced(text, end, end, added.map((item) => `, ${item}`).join(''));
  }
  const [whole, comma = '', comment = ''] = rest;
  const lines = margin + added.join(`,${margin}`);
  return spliced(text, end, end + whole.length, `,${comment}${lines}${comma}`);
}

/** Removes an item of a flow map, one comma, and the comment behind that comma. */
export function removeFromFlow(text: string, map: YAMLMap, index: number): string {
  const [before, item, after] = [map.items[index - 1], map.items[index], map.items[index + 1]];
  const { start } = offsetsOf(item?.key);
  const { end } = offsetsOf(item?.value ?? item?.key);
  const behind = (pattern: RegExp) => end + (pattern.exec(text.slice(end))?.[0].length ?? 0);
  if (after !== undefined) return spliced(text, start, behind(/^\s*,(?:[ \t]*#.*)?\s*/u), '');
  if (before === undefined) return spliced(text, start, behind(/^(?:\s*,)?[ \t]*/u), '');
  const from = offsetsOf(before.value ?? before.key).end;
  const gap = text.slice(from, start).trimEnd();
  if (!gap.includes('#')) return spliced(text, from, end, '');
  const close = behind(/^\s*,/u);
  return spliced(text, from, close, close === end ? gap.replace(',', '') : gap);
}

/** The text with a part replaced. */
export function spliced(text: string, from: number, to: number, inserted: string): string {
  return text.slice(0, from) + inserted + text.slice(to);
}

export const isFlow = (node: unknown): node is YAMLMap => isMap(node) && node.flow === true;
