import * as v from 'valibot';
import { byCodeUnit } from '../collections.ts';
import { HugError, messageOf } from '../errors.ts';
import {
  LOCKFILE_VERSION,
  type Lock,
  type LockedEntry,
  type LockedFile,
  lockSchema,
} from './schema.ts';
import { lockProblems } from './check.ts';
import { asPlainObject, isPlainObject } from '../plain-object.ts';

/** As many problems as fit a screen; the first ones tell what is wrong with the file. */
const MAX_PROBLEMS = 20;

/** What V8 quotes of the text in its syntax errors. */
const QUOTED_TEXT = /, (?:\.\.\.)?".*$/su;

/**
 * U+0000 as JSON has to write it: Nix 2.8 cuts a string there, newer ones refuse it. After an escaped backslash, the
 * six characters stand for themselves.
 */
const NUL = /(?<!\\)(?:\\\\)*\\u0000/u;

/** A number with a fraction or an exponent, or part of a string; a lock that nix-hug wrote has neither. */
const MAYBE_FRACTION = /[:\s]-?\d+[.eE]/u;

/** A string or a number of JSON. */
const TOKEN = /"(?:[^"\\]+|\\.)*"|-?\d[\d.eE+-]*/gsu;

/** A lock without entries. */
export const EMPTY_LOCK: Lock = {
  lockfileVersion: LOCKFILE_VERSION,
  models: new Map(),
  datasets: new Map(),
};

/**
 * Reads the text of a lock.
 *
 * @param text content of `hug.lock.json`
 * @param file its name, for messages; the text itself is never echoed
 * @throws HugError `EHUG_LOCK_NEWER` or `EHUG_LOCK_INVALID` with one detail per problem
 */
export function parseLock(text: string, file: string): Lock {
  const json = parseJson(text, file);
  const version = asPlainObject(json)['lockfileVersion'];
  if (typeof version === 'number' && version > LOCKFILE_VERSION) {
    throw new HugError(
      'EHUG_LOCK_NEWER',
      `${file} has lockfileVersion ${version}; this nix-hug reads up to ${LOCKFILE_VERSION}`,
      { hint: 'Upgrade nix-hug.' },
    );
  }
  const result = v.safeParse(lockSchema, json);
  const problems = result.success
    ? lockProblems(result.output)
    : result.issues.map((issue) => `${v.getDotPath(issue) ?? 'lock'}: ${issue.message}`);
  if (result.success && problems.length === 0) return result.output;
  throw invalidLock(file, [...new Set(problems)].slice(0, MAX_PROBLEMS));
}

/**
 * Canonical text of a lock, in the version that it has: keys in the order of the schema, entries, files
 * and groups sorted by UTF-16 code unit, one line per file, two-space indent, LF, final newline. Equal
 * locks give equal bytes.
 */
export function formatLock({ lockfileVersion, endpoint, models, datasets, needed }: Lock): string {
  const members = [
    ...inline({ lockfileVersion, endpoint }),
    ['models', formatEntries(models)] as const,
    ['datasets', formatEntries(datasets)] as const,
    ...(needed === undefined || needed.size === 0
      ? []
      : [['needed', formatEntries(needed)] as const]),
  ];
  return `${block(members, 2)}\n`;
}

function formatEntries(entries: ReadonlyMap<string, LockedEntry>): string {
  return block(
    sorted(entries).map(([name, entry]) => [name, formatEntry(entry)] as const),
    4,
  );
}

function formatEntry(entry: LockedEntry): string {
  const { repo, requested, repoId, version, ref, rev, date, license, licenseName, files } = entry;
  const groups = entry.groups?.toSorted(byCodeUnit);
  const select = entry.select === undefined ? undefined : inOrder(SELECT_KEYS, entry.select);
  const needs = entry.needs?.map((need) => inOrder(NEED_KEYS, need));
  const lines = sorted(files).map(([path, file]) => [path, fileLine(file)] as const);
  const head = { repo, requested, repoId, version, ref, rev, date, license, licenseName };
  return block([...inline({ ...head, groups, select, needs }), ['files', block(lines, 8)]], 6);
}

const SELECT_KEYS = ['include', 'exclude', 'files', 'format', 'variant', 'quant', 'code'] as const;
const NEED_KEYS = ['repo', 'ref', 'by'] as const;

const inOrder = <K extends string>(keys: readonly K[], object: { readonly [key in K]?: unknown }) =>
  Object.fromEntries(keys.map((key) => [key, object[key]]));

/** The members that have a value, each formatted on one line. */
const inline = (values: Readonly<Record<string, unknown>>) =>
  Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, oneLine(value)] as const],
  );

/** JSON on one line, with spaces as in the lines of files. */
function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  if (!isPlainObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{ ${members.map(([key, member]) => `${JSON.stringify(key)}: ${oneLine(member)}`).join(', ')} }`;
}

/** A JSON object with one member a line, the members already formatted. */
function block(members: readonly (readonly [string, string])[], indent: number): string {
  if (members.length === 0) return '{}';
  const margin = ' '.repeat(indent);
  const lines = members.map(([key, value]) => `${margin}${JSON.stringify(key)}: ${value}`);
  return `{\n${lines.join(',\n')}\n${' '.repeat(indent - 2)}}`;
}

/** A file on one line. In digests there is nothing that JSON escapes. */
function fileLine({ size, hash, oid, lfs, storeName, url }: LockedFile): string {
  let line = `{ "size": ${size}, "hash": "${hash}", "oid": "${oid}"`;
  if (lfs === true) line += ', "lfs": true';
  if (storeName !== undefined) line += `, "storeName": ${JSON.stringify(storeName)}`;
  if (url !== undefined) line += `, "url": ${JSON.stringify(url)}`;
  return `${line} }`;
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].toSorted(([a], [b]) => byCodeUnit(a, b));
}

function parseJson(text: string, file: string): unknown {
  if (NUL.test(text)) throw invalidLock(file, ['has a NUL character']);
  const json = text.replace(/^\uFEFF/u, '');
  try {
    const value: unknown = JSON.parse(json);
    return MAYBE_FRACTION.test(json) ? JSON.parse(json.replace(TOKEN, asFraction)) : value;
  } catch (error) {
    throw invalidLock(file, [messageOf(error).replace(QUOTED_TEXT, '')]);
  }
}

/** In Nix, `1.0` is no integer; to `JSON.parse` it would be one. */
const asFraction = (token: string): string => (/^-?\d+[.eE]/u.test(token) ? '0.5' : token);

/** The error for a lock that cannot be read, with one detail for each problem. */
export function invalidLock(file: string, details: readonly string[]): HugError {
  return new HugError('EHUG_LOCK_INVALID', `${file} is not a valid lock`, {
    details,
    hint: 'Take it from version control again, or delete it and run nix-hug lock.',
  });
}
