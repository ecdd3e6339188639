import validRange from 'semver/ranges/valid.js';
import { HugError } from '../errors.ts';
import { quote } from '../quote.ts';
import { badEndpointReason, badRefReason } from '../repo.ts';
import { unsafeReason } from '../safe-path.ts';
import type { Problem } from './data.ts';
import { fieldPath, type RawEntry } from './entries.ts';
import { EXCLUSIONS } from './schema.ts';

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
  return entry.form instanceof HugError ? [onValue(entry, 'repo', entry.form.message)] : [];
}

function repoFitsSection(entry: RawEntry): readonly Problem[] {
  const { form, type } = entry;
  if (form === undefined || form instanceof HugError || (form.type ?? type) === type) return [];
  return [
    onValue(
      entry,
      'repo',
      `${quote(textOf(entry, 'repo') ?? '')} is a ${form.type}: it belongs under "${form.type}s"`,
    ),
  ];
}

function addressStandsAlone(entry: RawEntry): readonly Problem[] {
  const { form } = entry;
  if (form === undefined || form instanceof HugError) return [];
  const { ref, file } = form;
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
  return { path: fieldPath(entry, key), part: 'key', message };
}

function onValue(entry: RawEntry, key: string, message: string): Problem {
  return { path: fieldPath(entry, key), part: 'value', message };
}

function onItem(entry: RawEntry, key: string, index: number, message: string): Problem {
  return { path: [...fieldPath(entry, key), index], part: 'value', message };
}
