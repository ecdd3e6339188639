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
  /** What the repository form says, or why it is none; `undefined` when there is no text. */
  readonly form: RepoForm | HugError | undefined;
}

/**
 * What must hold for an entry beyond its shape. A rule knows nothing of the others and passes over
 * fields of a wrong type, so that one run names every problem.
 */
type Rule = (entry: RawEntry) => readonly Problem[];

const RULES: readonly Rule[] = [
  repoFitsSection,
  addressStandsAlone,
  exclusionsHold,
  textsAreSound,
  itemsDiffer,
];

/** Why the text of a field, or an item of its list, cannot be what it should. */
const FLAW_OF: Readonly<Record<string, (text: string) => string | undefined>> = {
  ref: badRefReason,
  version: (range) => (isRange(range) ? undefined : 'is not a semver range'),
  files: unsafeReason,
};

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
      return { name, section, type, value, fields, form: readForm(fields['repo'], hubs) };
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

/** Whether a text is a semver range. */
export function isRange(version: string): boolean {
  return validRange(version) !== null;
}

function readForm(repo: unknown, hubs: readonly string[]): RawEntry['form'] {
  if (typeof repo !== 'string' || repo === '') return undefined;
  try {
    return parseRepoForm(repo, ...hubs);
  } catch (error) {
    if (error instanceof HugError) return error;
    throw error;
  }
}

function repoFitsSection(entry: RawEntry): readonly Problem[] {
  const { form, type, fields } = entry;
  const path = pathOf(entry, 'repo');
  if (form instanceof HugError) return [{ path, part: 'value', message: form.message }];
  if (form?.type === undefined || form.type === type) return [];
  const what = `${quote(String(fields['repo']))} is a ${form.type}`;
  return [{ path, part: 'value', message: `${what}: it belongs under "${form.type}s"` }];
}

function addressStandsAlone(entry: RawEntry): readonly Problem[] {
  const { ref, file } = entry.form instanceof HugError ? {} : (entry.form ?? {});
  const remove = (what: string) => (key: string) =>
    `the address already names the ${what}: remove "${key}"`;
  return [
    ...(ref === undefined
      ? []
      : onKeys(entry, ['ref', 'version'], remove(`revision ${quote(ref)}`))),
    ...(file === undefined
      ? []
      : onKeys(entry, ['files', 'include', 'exclude'], remove(`file ${quote(file)}`))),
  ];
}

function exclusionsHold(entry: RawEntry): readonly Problem[] {
  return [...EXCLUSIONS]
    .filter(([key]) => Object.hasOwn(entry.fields, key))
    .flatMap(([key, others]) =>
      onKeys(
        entry,
        others,
        (other) => `"${key}" and "${other}" exclude each other: keep one of them`,
      ),
    );
}

function textsAreSound(entry: RawEntry): readonly Problem[] {
  return Object.entries(FLAW_OF).flatMap(([key, flawOf]) =>
    textsOf(entry, key).flatMap(({ path, text }) => {
      const flaw = flawOf(text);
      return flaw === undefined ? [] : [{ path, part: 'value', message: `${quote(text)} ${flaw}` }];
    }),
  );
}

function itemsDiffer(entry: RawEntry): readonly Problem[] {
  return ['include', 'exclude', 'files'].flatMap((key) => {
    const seen = new Set<string>();
    return textsOf(entry, key).flatMap(({ path, text }) => {
      if (!seen.has(text)) {
        seen.add(text);
        return [];
      }
      return [{ path, part: 'value', message: `${quote(text)} is listed twice` }];
    });
  });
}

/** A problem with each of some fields that an entry has. */
function onKeys(
  entry: RawEntry,
  keys: readonly string[],
  messageOf: (key: string) => string,
): readonly Problem[] {
  return keys
    .filter((key) => Object.hasOwn(entry.fields, key))
    .map((key) => ({ path: pathOf(entry, key), part: 'key', message: messageOf(key) }));
}

/** The text of a field, or the texts of its list; the shape already names empty ones. */
function textsOf(
  entry: RawEntry,
  key: string,
): readonly { readonly path: Path; readonly text: string }[] {
  const value = entry.fields[key];
  const path = pathOf(entry, key);
  const texts = Array.isArray(value)
    ? value.map((text: unknown, index) => ({ path: [...path, index], text }))
    : [{ path, text: value }];
  return texts.flatMap(({ path: at, text }) =>
    typeof text === 'string' && text !== '' ? [{ path: at, text }] : [],
  );
}

/** Where a field stands, the repository of a shorthand included. */
function pathOf({ section, name, value }: RawEntry, key: string): Path {
  return typeof value === 'string' ? [section, name] : [section, name, key];
}
