import validRange from 'semver/ranges/valid.js';
import { HugError } from '../errors.ts';
import { asPlainObject } from '../plain-object.ts';
import { quote } from '../quote.ts';
import {
  badEndpointReason,
  badRefReason,
  parseRepoForm,
  type RepoForm,
  type RepoType,
} from '../repo.ts';
import { unsafeReason } from '../safe-path.ts';
import { EXCLUSIONS, SECTIONS } from './schema.ts';
import type { Path, Problem } from './source.ts';

/** An entry of a manifest before anything about it is known to be right. */
export interface RawEntry {
  readonly name: string;
  readonly section: (typeof SECTIONS)[number]['section'];
  readonly type: RepoType;
  readonly value: unknown;
  /** The fields; for the shorthand, its text as `repo`. Empty when the value is neither. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** What the repository form says; `undefined` when there is no text, or `formProblem`. */
  readonly form?: RepoForm;
  /** Why the text is no repository form. */
  readonly formProblem?: string;
}

/**
 * What must hold for an entry beyond its shape. A rule knows nothing of the others and passes over
 * fields of a wrong type, so that one run names every problem.
 */
type Rule = (entry: RawEntry) => readonly Problem[];

const RULES: readonly Rule[] = [
  repoIsOne,
  repoFitsSection,
  addressStandsAlone,
  exclusionsHold,
  refIsOne,
  versionIsRange,
  filesAreSafe,
  itemsDiffer,
];

/**
 * Every entry of both sections, whatever it holds: models, then datasets, each in file order.
 *
 * @param data plain data of the file
 * @param hubs addresses that count as the Hub
 */
export function rawEntries(data: unknown, hubs: readonly string[]): readonly RawEntry[] {
  return SECTIONS.flatMap(({ section, type }) =>
    Object.entries(asPlainObject(asPlainObject(data)[section])).map(([name, value]) => {
      const fields = typeof value === 'string' ? { repo: value } : asPlainObject(value);
      return { name, section, type, value, fields, ...readForm(fields['repo'], hubs) };
    }),
  );
}

/** Every rule that an entry breaks. */
export function entryProblems(entry: RawEntry): readonly Problem[] {
  return RULES.flatMap((rule) => rule(entry));
}

/** What is wrong with the address of the Hub, in the words of the schema: one problem is one line. */
export function endpointProblems(endpoint: unknown): readonly Problem[] {
  const reason = typeof endpoint === 'string' ? badEndpointReason(endpoint) : undefined;
  if (reason === undefined) return [];
  return [{ path: ['endpoint'], part: 'value', message: `"endpoint" ${reason}` }];
}

function repoIsOne(entry: RawEntry): readonly Problem[] {
  return entry.formProblem === undefined ? [] : [onValue(entry, 'repo', entry.formProblem)];
}

function repoFitsSection(entry: RawEntry): readonly Problem[] {
  const { form, type } = entry;
  if ((form?.type ?? type) === type) return [];
  return [
    onValue(
      entry,
      'repo',
      `${quote(textOf(entry, 'repo') ?? '')} is a ${form?.type}: it belongs under "${form?.type}s"`,
    ),
  ];
}

function addressStandsAlone(entry: RawEntry): readonly Problem[] {
  const { ref, file } = entry.form ?? {};
  return [
    ...(ref === undefined ? [] : alreadyNamed(entry, ['ref', 'version'], `revision ${quote(ref)}`)),
    ...(file === undefined
      ? []
      : alreadyNamed(entry, ['files', 'include', 'exclude'], `file ${quote(file)}`)),
  ];
}

function alreadyNamed(entry: RawEntry, keys: readonly string[], what: string): readonly Problem[] {
  return present(entry, keys).map((key) =>
    onKey(entry, key, `the address already names the ${what}: remove "${key}"`),
  );
}

function exclusionsHold(entry: RawEntry): readonly Problem[] {
  return present(entry, [...EXCLUSIONS.keys()]).flatMap((key) =>
    present(entry, EXCLUSIONS.get(key) ?? []).map((other) =>
      onKey(entry, other, `"${key}" and "${other}" exclude each other: keep one of them`),
    ),
  );
}

function refIsOne(entry: RawEntry): readonly Problem[] {
  const ref = textOf(entry, 'ref');
  const reason = ref === undefined ? undefined : badRefReason(ref);
  return ref === undefined || reason === undefined
    ? []
    : [onValue(entry, 'ref', `${quote(ref)} ${reason}`)];
}

function versionIsRange(entry: RawEntry): readonly Problem[] {
  const version = textOf(entry, 'version');
  return version === undefined || isRange(version)
    ? []
    : [onValue(entry, 'version', `${quote(version)} is not a semver range`)];
}

function filesAreSafe(entry: RawEntry): readonly Problem[] {
  return itemsOf(entry, 'files').flatMap(({ index, item }) => {
    const reason = unsafeReason(item);
    return reason === undefined ? [] : [onItem(entry, 'files', index, `${quote(item)} ${reason}`)];
  });
}

function itemsDiffer(entry: RawEntry): readonly Problem[] {
  return ['include', 'exclude', 'files'].flatMap((key) => {
    const seen = new Set<string>();
    return itemsOf(entry, key).flatMap(({ index, item }) => {
      if (seen.has(item)) return [onItem(entry, key, index, `${quote(item)} is listed twice`)];
      seen.add(item);
      return [];
    });
  });
}

/** Whether a text is a semver range. */
export function isRange(version: string): boolean {
  return validRange(version) !== null;
}

function readForm(repo: unknown, hubs: readonly string[]): Pick<RawEntry, 'form' | 'formProblem'> {
  if (typeof repo !== 'string' || repo === '') return {};
  try {
    return { form: parseRepoForm(repo, ...hubs) };
  } catch (error) {
    if (error instanceof HugError) return { formProblem: error.message };
    throw error;
  }
}

function present({ fields }: RawEntry, keys: readonly string[]): readonly string[] {
  return keys.filter((key) => Object.hasOwn(fields, key));
}

/** A field when it is text; the shape already names an empty one. */
function textOf({ fields }: RawEntry, key: string): string | undefined {
  const value = fields[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The text in a list, with its place there. */
function itemsOf(
  { fields }: RawEntry,
  key: string,
): readonly { readonly index: number; readonly item: string }[] {
  const list: unknown = fields[key];
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, index) =>
    typeof item === 'string' && item !== '' ? [{ index, item }] : [],
  );
}

function onKey(entry: RawEntry, key: string, message: string): Problem {
  return { path: pathOf(entry, key), part: 'key', message };
}

function onValue(entry: RawEntry, key: string, message: string): Problem {
  return { path: pathOf(entry, key), part: 'value', message };
}

function onItem(entry: RawEntry, key: string, index: number, message: string): Problem {
  return { path: [...pathOf(entry, key), index], part: 'value', message };
}

/** Where a field stands, the repository of a shorthand included. */
function pathOf({ section, name, value }: RawEntry, key: string): Path {
  return typeof value === 'string' ? [section, name] : [section, name, key];
}
