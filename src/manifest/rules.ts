import validRange from 'semver/ranges/valid.js';
import { HugError } from '../errors.ts';
import { asPlainObject } from '../plain-object.ts';
import { quote } from '../quote.ts';
import { badRefReason, parseRepoForm, type RepoForm, type RepoType } from '../repo.ts';
import { badEndpointReason } from '../address.ts';
import { badTextReason, unsafeReason } from '../safe-path.ts';
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

/** Keys that select files. */
const SELECTION_KEYS = ['files', 'include', 'exclude', 'format', 'variant', 'quant'];

/** Why the text of a field, or an item of its list, cannot be what it should. */
const FLAW_OF: Readonly<Record<string, (text: string) => string | undefined>> = {
  ref: badRefReason,
  version: (range) =>
    badTextReason(range) ?? (isRange(range) ? undefined : 'is not a semver range'),
  include: badTextReason,
  exclude: badTextReason,
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

/**
 * Every rule that an entry breaks. A rule knows nothing of the others and passes over fields of a wrong
 * type, so that one run names every problem.
 */
export function entryProblems(entry: RawEntry): readonly Problem[] {
  return [
    ...repoFitsSection(entry),
    ...addressStandsAlone(entry),
    ...exclusionsHold(entry),
    ...Object.entries(FLAW_OF).flatMap(([key, flawOf]) => onTexts(entry, key, flawOf)),
    ...['include', 'exclude', 'files', 'groups', 'allow'].flatMap((key) => {
      const seen = new Set<string>();
      return onTexts(entry, key, (text) => {
        if (seen.has(text)) return 'is listed twice';
        seen.add(text);
        return undefined;
      });
    }),
  ];
}

/** What is wrong with the address of the Hub, in the words of the schema: one problem is one line. */
export function endpointProblems(endpoint: unknown): readonly Problem[] {
  const reason = typeof endpoint === 'string' ? badEndpointReason(endpoint) : undefined;
  if (reason === undefined) return [];
  return [{ path: ['endpoint'], part: 'value', message: `"endpoint" ${reason}` }];
}

/** Licences and owners of a policy that are listed twice. */
export function policyProblems(policy: unknown): readonly Problem[] {
  return ['licenses', 'owners'].flatMap((key) => {
    const value = asPlainObject(policy)[key];
    const items: readonly unknown[] = Array.isArray(value) ? value : [];
    return items.flatMap((item, index): Problem[] =>
      typeof item === 'string' && items.indexOf(item) < index
        ? [
            {
              path: ['policy', key, index],
              part: 'value',
              message: `${quote(item)} is listed twice`,
            },
          ]
        : [],
    );
  });
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
  const { ref, file, quant } = entry.form instanceof HugError ? {} : (entry.form ?? {});
  const remove = (what: string) => (key: string) =>
    `the address already names the ${what}: remove "${key}"`;
  const ofRef = ref === undefined ? [] : ['ref', 'version'];
  const ofFile = file === undefined ? [] : SELECTION_KEYS;
  const ofQuant = quant === undefined ? [] : SELECTION_KEYS;
  return [
    ...onKeys(entry, ofRef, remove(`revision ${quote(ref ?? '')}`)),
    ...onKeys(entry, ofFile, remove(`file ${quote(file ?? '')}`)),
    ...onKeys(entry, ofQuant, remove(`quant ${quote(quant ?? '')}`)),
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

/** A problem with the text of a field, or each text of its list; the shape already names empty ones. */
function onTexts(
  entry: RawEntry,
  key: string,
  flawOf: (text: string) => string | undefined,
): readonly Problem[] {
  const value = entry.fields[key];
  const path = pathOf(entry, key);
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  return texts.flatMap((text, index) => {
    const flaw = typeof text === 'string' && text !== '' ? flawOf(text) : undefined;
    if (flaw === undefined) return [];
    const message = `${quote(String(text))} ${flaw}`;
    return [{ path: Array.isArray(value) ? [...path, index] : path, part: 'value', message }];
  });
}

/** Where a field stands, the repository of a shorthand included. */
function pathOf({ section, name, value }: RawEntry, key: string): Path {
  return typeof value === 'string' ? [section, name] : [section, name, key];
}
