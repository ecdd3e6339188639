import { closestMatch } from 'leven';
import * as v from 'valibot';
import { asPlainObject, isPlainObject } from '../plain-object.ts';
import { quote, forTerminal } from '../quote.ts';
import {
  ENTRY_KEYS,
  FILE_KEYS,
  type ManifestFile,
  manifestSchema,
  RESERVED_NAMES,
  SECTIONS,
} from './schema.ts';
import { FORMATS } from '../selection.ts';
import type { ManifestSource, Path, Problem } from './source.ts';

type Written = ManifestSource['written'];

/** More edits than these are another word, not a misspelling. */
const MAX_EDITS = 2;

/** Words that users of git, of the Hub and of its libraries have for our keys and formats. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['bin', 'pytorch'],
  ['branch', 'ref'],
  ['commit', 'ref'],
  ['h5', 'tensorflow'],
  ['msgpack', 'flax'],
  ['pt', 'pytorch'],
  ['quantization', 'quant'],
  ['repository', 'repo'],
  ['revision', 'ref'],
  ['tag', 'ref'],
  ['tf', 'tensorflow'],
  ['torch', 'pytorch'],
  ['url', 'repo'],
]);

/**
 * Compares data with the schema of `hug.yaml`.
 *
 * @param data plain data; `undefined` in it stands for what could not be read and is passed over
 * @param written how the number, boolean or null at a path is written in the file
 * @returns every difference; and the data, typed, unless valibot refuses it
 */
export function checkShape(
  data: unknown,
  written: Written,
): { file: ManifestFile | undefined; problems: readonly Problem[] } {
  const { issues = [], success, output } = v.safeParse(manifestSchema, data);
  const problems = [
    ...issues.flatMap((issue) => problemsOf(issue, [], written)),
    ...unknownKeys(data, [], FILE_KEYS),
    ...SECTIONS.flatMap(({ section }) =>
      Object.entries(asPlainObject(asPlainObject(data)[section])).flatMap(([name, value]) => [
        ...reservedName(section, name),
        ...unknownKeys(value, [section, name], ENTRY_KEYS),
      ]),
    ),
  ];
  return { file: success ? output : undefined, problems };
}

/** @param base what the issue's own path is relative to */
function problemsOf(issue: v.BaseIssue<unknown>, base: Path, written: Written): readonly Problem[] {
  const path = [...base, ...(issue.path ?? []).map(({ key }) => key)];
  const inner = (issue.issues ?? []).filter((deeper) => deeper.path !== undefined);
  if (inner.length > 0) return inner.flatMap((deeper) => problemsOf(deeper, path, written));
  if (issue.type === 'strict_object') {
    // Valibot names only the first unknown key of a map, so `unknownKeys` finds them all.
    if (issue.expected === 'never') return [];
    const owner = path.slice(0, -1);
    return [{ path: owner, part: 'value', message: `${subjectOf(owner)} needs ${issue.expected}` }];
  }
  if (issue.input === undefined) return [];
  if (issue.path?.at(-1)?.origin === 'key') {
    return [{ path, part: 'key', message: `bad name ${subjectOf(path)}: ${issue.message}` }];
  }
  if (issue.type === 'picklist' && typeof issue.input === 'string') {
    if (path.at(-1) === 'dependencies') {
      const message = `${subjectOf(path)} ${issue.message}, not ${quote(issue.input)}`;
      return [{ path, part: 'value', message }];
    }
    const reason = `${issue.message}: ${advice(issue.input, FORMATS, 'the formats are')}`;
    return [{ path, part: 'value', message: `${quote(issue.input)} ${reason}` }];
  }
  const reason = issue.kind === 'schema' ? mistyped(issue, written(path)) : issue.message;
  return [{ path, part: 'value', message: `${subjectOf(path)} ${reason}` }];
}

function mistyped(issue: v.BaseIssue<unknown>, written: string | undefined): string {
  const { input, message, type } = issue;
  if (written === '') return 'has no value: write one, or remove the line';
  if (written !== undefined && (type === 'string' || type === 'union')) {
    return `${message}, and YAML reads ${forTerminal(written)} as ${kindOf(input)}: quote it`;
  }
  if (type === 'array' && typeof input === 'string') return `${message}: write [${quote(input)}]`;
  return `${message}, not ${kindOf(input)}`;
}

function unknownKeys(data: unknown, path: Path, known: readonly string[]): readonly Problem[] {
  return Object.keys(asPlainObject(data))
    .filter((key) => !known.includes(key))
    .map((key) => ({
      path: [...path, key],
      part: 'key',
      message: `unknown key ${quote(key)}: ${advice(key, known)}`,
    }));
}

/** @param list what stands before the known words where none of them is near */
function advice(key: string, known: readonly string[], list = 'the keys here are'): string {
  const synonym = SYNONYMS.get(key) ?? key;
  const meant = known.includes(synonym)
    ? synonym
    : closestMatch(key, known, { maxDistance: MAX_EDITS });
  return meant === undefined ? `${list} ${known.join(', ')}` : `did you mean ${quote(meant)}?`;
}

/** Valibot drops these names from a record without a word. */
const reservedName = (section: string, name: string): readonly Problem[] =>
  RESERVED_NAMES.includes(name)
    ? [{ path: [section, name], part: 'key', message: `bad name ${quote(name)}: it is reserved` }]
    : [];

function subjectOf(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return 'a manifest';
  return typeof last === 'string' ? quote(last) : `an item of ${subjectOf(path.slice(0, -1))}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'no value';
  if (Array.isArray(value)) return 'a list';
  if (isPlainObject(value)) return 'a map';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}
