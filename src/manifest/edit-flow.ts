import type { YAMLMap } from 'yaml';
import type { Lines } from './edit-lines.ts';
import { endOf, startOf } from './edit-span.ts';

/** An item of a flow map, by offsets. */
interface Item {
  readonly start: number;
  /** After its last character. */
  readonly end: number;
  /** Of the comma behind it. */
  readonly comma: number | undefined;
  /** After its last character, or after its comma. */
  readonly close: number;
}

/**
 * Adds an item at the end of a flow map: on a line of its own if the last one has its own, else
 * right behind that; followed by a comma if the last one is.
 *
 * @param lines the text
 * @returns the new text
 */
export function addToFlow(lines: Lines, map: YAMLMap, added: string): string {
  const { text } = lines;
  const last = itemsOf(map, text).at(-1);
  if (last === undefined) {
    const { open, space } = insideOf(map, text);
    // Twice the same space around a sole item, so that it can be told what was there without it.
    const padding = /^[ \t]*$/u.test(space) ? space : '';
    return spliced(text, open, open + padding.length, padding + added + padding);
  }
  if (!hasOwnLines(last, lines)) {
    return last.comma === undefined
      ? spliced(text, last.end, last.end, `, ${added}`)
      : spliced(text, last.close, last.close, ` ${added},`);
  }
  const line = lines.at(last.close - 1);
  const indent = text.slice(lines.start(lines.at(last.start)), last.start);
  const more = lines.withAfter(line, [indent + added + (last.comma === undefined ? '' : ',')]);
  return last.comma === undefined ? spliced(more, last.end, last.end, ',') : more;
}

/**
 * Takes an item out of a flow map, with its lines if it has its own, and with one comma.
 *
 * @param lines the text
 * @returns the new text
 */
export function removeFromFlow(lines: Lines, map: YAMLMap, index: number): string {
  const { text } = lines;
  const items = itemsOf(map, text);
  const item = items[index];
  if (item === undefined) return text;
  const before = items[index - 1];
  const rest = hasOwnLines(item, lines)
    ? lines.without(lines.at(item.start), lines.at(item.close - 1))
    : withoutInline(text, map, item, before, items[index + 1]);
  // The comma that stands before the last item, and says nothing without it.
  return item.comma === undefined && before?.comma !== undefined
    ? spliced(rest, before.comma, before.comma + 1, '')
    : rest;
}

/** Everything before the item stays where it is. */
function withoutInline(
  text: string,
  map: YAMLMap,
  { start, end, comma, close }: Item,
  before: Item | undefined,
  after: Item | undefined,
): string {
  const cut = (from: number, to: number) => spliced(text, from, to, '');
  const isSpace = (from: number, to: number) => text.slice(from, to).trim() === '';
  if (before !== undefined) {
    const from = isSpace(before.close, start) ? before.close : start;
    return cut(from, comma === undefined ? end : close);
  }
  if (after !== undefined) return cut(start, isSpace(close, after.start) ? after.start : close);
  const inside = insideOf(map, text);
  const lead = text.slice(inside.open, start);
  const trail = text.slice(close, inside.close);
  return cut(start, lead === trail && lead.trim() === '' ? inside.close : close);
}

function itemsOf(map: YAMLMap, text: string): readonly Item[] {
  return map.items.map((pair) => {
    const end = endOf(pair, text);
    const comma = commaAfter(text, end);
    return { start: startOf(pair), end, comma, close: comma === undefined ? end : comma + 1 };
  });
}

/** The comma that follows an offset, with nothing but space and comments between. */
function commaAfter(text: string, offset: number): number | undefined {
  const between = /^(?:\s|(?<=\s)#.*)*/u.exec(text.slice(offset))?.[0] ?? '';
  const at = offset + between.length;
  return text[at] === ',' ? at : undefined;
}

/** Between the braces of a map. */
function insideOf(map: YAMLMap, text: string): { open: number; close: number; space: string } {
  const open = startOf(map) + 1;
  const close = endOf(map, text) - 1;
  return { open, close, space: text.slice(open, close) };
}

/** Whether nothing but a comma and a comment shares the lines of an item. */
function hasOwnLines({ start, close }: Item, lines: Lines): boolean {
  const { text } = lines;
  const before = text.slice(lines.start(lines.at(start)), start);
  const after = text.slice(close, lines.start(lines.at(close - 1) + 1));
  return before.trim() === '' && /^\s*(?:(?<=\s)#.*)?\s*$/u.test(after);
}

function spliced(text: string, from: number, to: number, inserted: string): string {
  return text.slice(0, from) + inserted + text.slice(to);
}
