import { isDeepStrictEqual } from 'node:util';
import { isScalar, type Pair } from 'yaml';
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
import { changeFields } from './edit-fields.ts';
import { addToFlow, isFlow, removeFromFlow } from './edit-flow.ts';
import { SECTIONS } from './schema.ts';
import { offsetsOf, readSource } from './source.ts';

/** What tells an entry from the others of a manifest. */
type EntryName = Pick<NewEntry, 'type' | 'name'>;

/** A carriage return alone: a line break in the specification of YAML, but not to the parser. */
const LONE_RETURN = /\r(?!\n)/u;

/** Columns for a level of a file that shows none. */
const USUAL_STEP = 2;

/**
 * Adds entries at the end of their sections, in the style of their neighbours, and gives those that are
 * there other fields. Every other byte of the text stays. A missing section is added at the end of the
 * file, after a blank line.
 *
 * @param text a valid manifest, without a byte order mark
 * @param file its name, for messages
 * @throws HugError `EHUG_MANIFEST_STYLE` when it is written in a way that this cannot edit
 */
export function addEntries(text: string, file: string, entries: readonly NewEntry[]): string {
  const expected = dataByPlace(text);
  const isThere = (entry: NewEntry) => expected.has(placeOf(entry));
  const changed = entries.filter(isThere).reduce((before, entry) => {
    const layout = layoutOf(before);
    const find = (tree: Layout) => pairsIn(tree, entry.type).find(isNamed(entry.name));
    const fields = asPlainObject(expected.get(placeOf(entry)));
    return changeFields(layout, find, fields, entry, styleOf(layout, entry.type, USUAL_STEP));
  }, text);
  const others = groupBy(
    entries.filter((entry) => !isThere(entry)),
    ({ type }) => type,
  );
  const after = [...others].reduce(
    (before, [type, added]) => addToSection(layoutOf(before), type, added),
    changed,
  );
  for (const entry of entries) expected.set(placeOf(entry), entry.value);
  if (!LONE_RETURN.test(text) && isDeepStrictEqual(dataByPlace(after), expected)) return after;
  throw tooUnusual(file, entries, 'written into it');
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
  const others = ['endpoint', 'dependencies'].map((key) => [key, file[key]] as const);
  return new Map([['', faultsWith([])], ...others, ...entries]);
}

const placeOf = ({ type, name }: EntryName): string => `${type}s.${name}`;

function tooUnusual(file: string, entries: readonly EntryName[], what: string): HugError {
  const places = entries.map(placeOf).join(', ');
  const message = `${file} is written in an unusual way: ${places} cannot be ${what}`;
  return new HugError('EHUG_MANIFEST_STYLE', message, {
    hint: 'Nothing was changed. Edit it by hand, then run nix-hug lock.',
  });
}
