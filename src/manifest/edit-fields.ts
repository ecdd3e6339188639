import { isDeepStrictEqual } from 'node:util';
import { isMap, isScalar, type Pair } from 'yaml';
import { addToBlock, type Layout, layoutOf, pairsOf, removeFromBlock } from './edit-block.ts';
import { type EntryStyle, fieldValue, flowValue, type NewEntry, written } from './edit-entry.ts';
import { addToFlow, isFlow, removeFromFlow, spliced } from './edit-flow.ts';
import { offsetsOf } from './source.ts';

/** Finds an entry in a manifest. */
type Find = (layout: Layout) => Pair | undefined;

/**
 * The text with other fields of an entry. A field that keeps its value keeps its bytes, and the comment
 * of a value stays behind the new one.
 *
 * @param fields what the text has; empty for the short form of an entry
 * @returns the same text when the entry is neither text nor a map
 */
export function changeFields(
  layout: Layout,
  find: Find,
  fields: Readonly<Record<string, unknown>>,
  { value }: NewEntry,
  style: EntryStyle,
): string {
  const node = find(layout)?.value;
  if (!isMap(node)) {
    const { start, end } = offsetsOf(node);
    return isScalar(node) ? spliced(layout.text, start, end, flowValue(value, style)) : layout.text;
  }
  const wanted = typeof value === 'string' ? { repo: value } : value;
  const changed = Object.entries(wanted).filter(([key, to]) => !isDeepStrictEqual(fields[key], to));
  const removed = Object.keys(fields).filter((key) => !Object.hasOwn(wanted, key));
  return [...removed.map((key) => [key, undefined] as const), ...changed].reduce(
    (text, [key, to]) => changeField(layoutOf(text), find, key, to, style),
    layout.text,
  );
}

/** @param to the new value; `undefined` removes the field */
function changeField(
  layout: Layout,
  find: Find,
  key: string,
  to: unknown,
  style: EntryStyle,
): string {
  const entry = find(layout);
  const fields = pairsOf(entry?.value);
  const index = fields.findIndex((field) => isScalar(field.key) && field.key.value === key);
  const present = fields[index];
  if (entry === undefined) return layout.text;
  if (present === undefined) {
    const value = fieldValue(key, to, style);
    return isFlow(entry.value)
      ? addToFlow(layout.text, entry.value, [`${written(key, style.name, style)}: ${value}`])
      : addToBlock(layout, entry, [[`${key}: ${value}`]], style.step);
  }
  if (to !== undefined) return withValue(layout.text, present, fieldValue(key, to, style));
  return isFlow(entry.value)
    ? removeFromFlow(layout.text, entry.value, index)
    : removeFromBlock(layout, entry, index);
}

/** The text with another value of a field, on the line of its key; a comment between them follows it. */
function withValue(text: string, { key, value }: Pair, to: string): string {
  const { start, end } = offsetsOf(value);
  const colon = text.indexOf(':', offsetsOf(key).end) + 1;
  const gap = text.slice(colon, start).trimEnd();
  const last = start + text.slice(start, end).trimEnd().length;
  return spliced(text, colon, last, ` ${to}${gap}`);
}
