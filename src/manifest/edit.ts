import { isDeepStrictEqual } from 'node:util';
import { isMap, isScalar, type Pair, type YAMLMap } from 'yaml';
import { groupBy } from '../collections.ts';
import { HugError } from '../errors.ts';
import { asPlainObject } from '../plain-object.ts';
import type { RepoType } from '../repo.ts';
import {
  addSection,
  addToBlock,
  columnsBelow,
  type Layout,
  layoutOf,
  pairsOf,
  removeFromBlock,
} from './edit-block.ts';
import { blockEntry, type EntryStyle, flowEntry, type NewEntry, quotesIn } from './edit-entry.ts';
import { SECTIONS } from './schema.ts';
import { offsetsOf, readSource } from './source.ts';

/** What tells an entry from the others of a manifest. */
type EntryName = Pick<NewEntry, 'type' | 'name'>;

/** A carriage return alone: a line break in the specification of YAML, but not to the parser. */
const LONE_RETURN = /\r(?!\n)/u;

/** Columns for a level of a file that shows none. */
const USUAL_STEP = 2;

/**
 * Adds entries at the end of their sections, in the style of their neighbours. Every byte of the text
 * stays. A missing section is added at the end of the file, after a blank line.
 *
 * @param text a valid manifest, without a byte order mark, that has no such entries
 * @param file its name, for messages
 * @throws HugError `EHUG_MANIFEST_STYLE` when it is written in a way that this cannot add to
 */
export function addEntries(text: string, file: string, entries: readonly NewEntry[]): string {
  const after = [...groupBy(entries, ({ type }) => type)].reduce(
    (before, [type, added]) => addToSection(layoutOf(before), type, added),
    text,
  );
  const expected = dataByPlace(text);
  for (const entry of entries) expected.set(placeOf(entry), entry.value);
  if (!LONE_RETURN.test(text) && isDeepStrictEqual(dataByPlace(after), expected)) return after;
  throw tooUnusual(file, entries, 'added to it');
}

/**
 * The reverse of `addEntries`: removes entries and the comments inside of them. An empty section stays
 * (`models:`, `models: {}`), unless it looks like one that `addEntries` made: the last of the file,
 * nothing but its name, after a blank line or at the top.
 *
 * @param text a valid manifest, without a byte order mark, that has the entries
 * @param file its name, for messages
 * @throws HugError `EHUG_MANIFEST_STYLE` when it is written in a way that this cannot remove from
 */
export function removeEntries(text: string, file: string, entries: readonly EntryName[]): string {
  const layout = layoutOf(text);
  const startOf = ({ type, name }: EntryName) =>
    offsetsOf(pairsIn(layout, type).find(isNamed(name))?.key).start;
  // An entry that repeats another stands behind it.
  const after = entries
    .toSorted((a, b) => startOf(b) - startOf(a))
    .reduce((before, entry) => removeFromSection(layoutOf(before), entry), text);
  const expected = dataByPlace(text);
  for (const entry of entries) expected.delete(placeOf(entry));
  if (!LONE_RETURN.test(text) && isDeepStrictEqual(dataByPlace(after), expected)) return after;
  throw tooUnusual(file, entries, 'taken out of it');
}

/** The text with more entries in a section; the same text when they cannot be added. */
function addToSection(layout: Layout, type: RepoType, entries: readonly NewEntry[]): string {
  const sections = pairsOf(layout.root);
  const section = sections.find(isNamed(`${type}s`));
  const step = columnsBelow(layout, sections) ?? USUAL_STEP;
  const style = styleOf(layout, type, step);
  if (isFlow(section?.value)) {
    const added = entries.map((entry) => flowEntry(entry, style));
    return addToFlow(layout.text, section.value, added);
  }
  const added = entries.map((entry) => blockEntry(entry, style));
  return section === undefined
    ? addSection(layout, `${type}s`, added, step)
    : addToBlock(layout, section, added, step);
}

/** The text without an entry; the same text when it cannot be removed. */
function removeFromSection(layout: Layout, { type, name }: EntryName): string {
  const section = pairsOf(layout.root).find(isNamed(`${type}s`));
  const index = pairsOf(section?.value).findIndex(isNamed(name));
  if (section === undefined || index === -1) return layout.text;
  return isFlow(section.value)
    ? removeFromFlow(layout.text, section.value, index)
    : removeFromBlock(layout, section, index);
}

/** The style of the last entry of a section, else of the other section. */
function styleOf(layout: Layout, type: RepoType, step: number): EntryStyle {
  const others = pairsIn(layout, type === 'model' ? 'dataset' : 'model');
  const neighbours = [...others, ...pairsIn(layout, type)];
  return {
    ...quotesIn(layout.root, neighbours.at(-1)),
    step: columnsBelow(layout, neighbours) ?? step,
  };
}

/**
 * Adds items at the end of a flow map: on lines of their own if the last item has its own line, else
 * right behind it. A final comma stays.
 */
function addToFlow(text: string, map: YAMLMap, added: readonly string[]): string {
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
function removeFromFlow(text: string, map: YAMLMap, index: number): string {
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

function spliced(text: string, from: number, to: number, inserted: string): string {
  return text.slice(0, from) + inserted + text.slice(to);
}

const isFlow = (node: unknown): node is YAMLMap => isMap(node) && node.flow === true;

const isNamed =
  (name: string) =>
  ({ key }: Pair): boolean =>
    isScalar(key) && key.value === name;

const pairsIn = ({ root }: Layout, type: RepoType): readonly Pair[] =>
  pairsOf(pairsOf(root).find(isNamed(`${type}s`))?.value);

/** The data of a manifest by place, for comparisons; an empty section is as good as none. */
function dataByPlace(text: string): Map<string, unknown> {
  const { data, faultsWith } = readSource(text);
  const file = asPlainObject(data);
  const entries = SECTIONS.flatMap(({ section }) =>
    Object.entries(asPlainObject(file[section])).map(
      ([name, value]) => [`${section}.${name}`, value] as const,
    ),
  );
  return new Map([['', faultsWith([])], ['endpoint', file['endpoint']], ...entries]);
}

const placeOf = ({ type, name }: EntryName): string => `${type}s.${name}`;

function tooUnusual(file: string, entries: readonly EntryName[], what: string): HugError {
  const places = entries.map(placeOf).join(', ');
  const message = `${file} is written in an unusual way: ${places} cannot be ${what}`;
  return new HugError('EHUG_MANIFEST_STYLE', message, {
    hint: 'Nothing was changed. Edit it by hand, then run nix-hug lock.',
  });
}
