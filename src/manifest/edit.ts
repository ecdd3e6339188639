import { isMap, isScalar, type Pair, type YAMLMap } from 'yaml';
import { HugError } from '../errors.ts';
import type { RepoType } from '../repo.ts';
import { asMap, SECTIONS } from './data.ts';
import { addToBlock, type Block, removeFromBlock } from './edit-block.ts';
import { blockEntry, flowEntry, styleOf } from './edit-entry.ts';
import { addToFlow, removeFromFlow } from './edit-flow.ts';
import { Lines } from './edit-lines.ts';
import { pairsOf, startOf } from './edit-span.ts';
import type { EntryFile } from './schema.ts';
import { readSource, type Source } from './source.ts';

/** An entry that is to be written. */
export interface NewEntry {
  readonly name: string;
  readonly type: RepoType;
  readonly value: EntryFile;
}

/** Columns for a level of a file that shows none. */
const USUAL_STEP = 2;

/** A line break to YAML, and to nobody else any more. */
const LONE_RETURN = /\r(?!\n)/u;

/** A valid manifest as it is written. */
interface Layout {
  readonly lines: Lines;
  readonly source: Source;
  /** Entries of both sections. */
  readonly entries: Readonly<Record<RepoType, readonly Pair[]>>;
}

/**
 * Adds an entry at the end of its section, in the style of its neighbours. All that is there stays
 * as it is, byte by byte. A section that is missing is written behind everything else, after a blank
 * line.
 *
 * @param text a valid manifest, without a byte order mark, that has no such entry
 * @param file its name, for messages
 * @throws HugError `EHUG_MANIFEST_STYLE` when it is written in a way that this cannot add to
 */
export function addEntry(text: string, file: string, entry: NewEntry): string {
  const { type, name, value } = entry;
  const layout = layoutOf(text);
  const facts = factsOf(layout.source);
  const expected = { ...facts, [type]: [...facts[type], [name, value]] };
  const after = added(layout, entry);
  if (after !== undefined && says(after, expected)) return after;
  throw tooUnusual(file, `${type}s.${name} cannot be added to it`);
}

/**
 * The reverse of `addEntry`: takes an entry out, and comments only where they are inside of it. A
 * section that is left empty stays (`models:`, `models: {}`), unless it looks like one that
 * `addEntry` made: the last of the file, nothing but a name, and after a blank line or nothing.
 *
 * @param text a valid manifest, without a byte order mark, that has the entry
 * @param file its name, for messages
 * @throws HugError `EHUG_MANIFEST_STYLE` when it is written in a way that this cannot take from
 */
export function removeEntry(
  text: string,
  file: string,
  entry: Pick<NewEntry, 'name' | 'type'>,
): string {
  const { type, name } = entry;
  const layout = layoutOf(text);
  const facts = factsOf(layout.source);
  const expected = { ...facts, [type]: facts[type].filter(([other]) => other !== name) };
  const after = removed(layout, entry);
  if (after !== undefined && says(after, expected)) return after;
  throw tooUnusual(file, `${type}s.${name} cannot be taken out of it`);
}

function added(layout: Layout, { name, type, value }: NewEntry): string | undefined {
  const { lines, source, entries } = layout;
  if (LONE_RETURN.test(lines.text)) return undefined;
  const section = sectionOf(source, type);
  const neighbours = [...entries[type === 'model' ? 'dataset' : 'model'], ...entries[type]];
  const map = section?.value;
  const step = stepOf(layout);
  const style = styleOf(neighbours, step, (offset) => lines.column(offset));
  if (isMap(map) && map.flow === true) return addToFlow(lines, map, flowEntry(name, value, style));
  const entryLines = blockEntry(name, value, style);
  if (section === undefined) return withSection(layout, type, step, entryLines);
  if (!isMap(map) && !isUnwritten(map)) return undefined;
  const header = lines.column(startOf(section));
  return addToBlock(lines, blockOf(layout, section), entryLines, header + step);
}

function removed(
  layout: Layout,
  { name, type }: Pick<NewEntry, 'name' | 'type'>,
): string | undefined {
  const { lines, source } = layout;
  if (LONE_RETURN.test(lines.text)) return undefined;
  const section = sectionOf(source, type);
  const map = section?.value;
  const index = pairsOf(map).findIndex(({ key }) => isScalar(key) && key.value === name);
  if (section === undefined || !isMap(map) || index === -1) return undefined;
  if (map.flow === true) return removeFromFlow(lines, map, index);
  const block = blockOf(layout, section);
  if (!startsLine(lines, map, index)) return undefined;
  const after = removeFromBlock(lines, block, index);
  return block.entries.length === 1 ? withoutMadeSection(after, type) : after;
}

/** A section behind everything else, in a text that has none of that name. */
function withSection(
  { lines, source }: Layout,
  type: RepoType,
  step: number,
  entry: readonly string[],
): string | undefined {
  const { root, end } = source;
  const top = pairsOf(root)[0];
  if (root !== null && !isUnwritten(root) && (!isMap(root) || root.flow === true)) return undefined;
  const margin = ' '.repeat(top === undefined ? 0 : lines.column(startOf(top)));
  const written = lastWritten(lines, end);
  const section = [`${type}s:`, ...entry.map((line) => ' '.repeat(step) + line)];
  const indented = section.map((line) => margin + line);
  return lines.withAfter(written, written === -1 ? indented : ['', ...indented]);
}

/** The text without a section that `withSection` made and that has lost its entry. */
function withoutMadeSection(text: string, type: RepoType): string {
  const layout = layoutOf(text);
  const { lines, source } = layout;
  const section = sectionOf(source, type);
  if (section === undefined) return text;
  const header = lines.at(startOf(section));
  const isBare = lines.content(header).trim() === `${type}s:`;
  const isApart = header === 0 || lines.isBlank(header - 1);
  if (!isBare || !isApart || lastWritten(lines, source.end) !== header) return text;
  return lines.without(Math.max(header - 1, 0), header);
}

/** The last line of the document that is not blank; -1 if there is none. */
function lastWritten(lines: Lines, end: number): number {
  let line = limitOf(lines, end) - 1;
  while (line >= 0 && lines.isBlank(line)) line -= 1;
  return line;
}

/** The first line after the document. */
function limitOf(lines: Lines, end: number): number {
  return end === lines.text.length ? lines.at(end) + 1 : lines.at(end);
}

function blockOf({ lines, source }: Layout, section: Pair): Block {
  const sections = pairsOf(source.root);
  const next = sections[sections.indexOf(section) + 1];
  return {
    entries: pairsOf(section.value),
    header: lines.at(startOf(section)),
    limit: next === undefined ? limitOf(lines, source.end) : lines.at(startOf(next)),
  };
}

/** Columns from a section's name to its entries, as some section shows them. */
function stepOf({ lines, source, entries }: Layout): number {
  const steps = SECTIONS.flatMap(({ type }) => {
    const section = sectionOf(source, type);
    const entry = entries[type][0];
    const isBlock = isMap(section?.value) && section.value.flow !== true;
    if (entry === undefined || !isBlock) return [];
    return lines.column(startOf(entry)) - lines.column(startOf(section));
  });
  return steps.find((step) => step > 0) ?? USUAL_STEP;
}

function layoutOf(text: string): Layout {
  const source = readSource(text);
  const entriesOf = (type: RepoType) => pairsOf(sectionOf(source, type)?.value);
  return {
    lines: new Lines(text),
    source,
    entries: { model: entriesOf('model'), dataset: entriesOf('dataset') },
  };
}

function sectionOf({ root }: Source, type: RepoType): Pair | undefined {
  return pairsOf(root).find(({ key }) => isScalar(key) && key.value === `${type}s`);
}

/** Whether there is no value, not even a written null. */
function isUnwritten(node: unknown): boolean {
  if (node === null || node === undefined) return true;
  return (
    isScalar(node) && node.source === '' && node.tag === undefined && node.anchor === undefined
  );
}

/** Whether nothing stands before an entry in its line. */
function startsLine(lines: Lines, map: YAMLMap, index: number): boolean {
  const start = startOf(map.items[index]);
  return lines.text.slice(lines.start(lines.at(start)), start).trim() === '';
}

/** What a manifest says, however it is written; an empty section is as good as none. */
interface Facts extends Readonly<Record<RepoType, readonly (readonly [string, unknown])[]>> {
  readonly endpoint: unknown;
}

function factsOf({ tree }: Source): Facts {
  const data = asMap(tree.data);
  const entriesOf = (section: string) => Object.entries(asMap(data[section]));
  return {
    endpoint: data['endpoint'],
    model: entriesOf('models'),
    dataset: entriesOf('datasets'),
  };
}

/** Whether a changed text says what it should: what is done by place is checked by meaning. */
function says(text: string, expected: Facts): boolean {
  const source = readSource(text);
  const faults = [...source.errors, ...source.warnings, ...source.tree.faults];
  return faults.length === 0 && JSON.stringify(factsOf(source)) === JSON.stringify(expected);
}

function tooUnusual(file: string, what: string): HugError {
  return new HugError('EHUG_MANIFEST_STYLE', `${file} is written in an unusual way: ${what}`, {
    hint: 'Nothing was changed. Edit it by hand, then run nix-hug lock.',
  });
}
