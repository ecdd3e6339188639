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
import { namedEntries, placeOf } from './entries.ts';
import { pathNames } from './names.ts';
import { asPlainObject } from '../plain-object.ts';
import { pathCollision } from '../safe-path.ts';

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
    ? [...collisions(result.output), ...unnamed(result.output)]
    : result.issues.map((issue) => `${v.getDotPath(issue) ?? 'lock'}: ${issue.message}`);
  if (result.success && problems.length === 0) return result.output;
  throw invalidLock(file, [...new Set(problems)].slice(0, MAX_PROBLEMS));
}

/**
 * Canonical text of a lock: keys in schema order, entries and files sorted by UTF-16 code unit,
 * one line per file, two-space indent, LF, final newline. Equal locks give equal bytes.
 */
export function formatLock({ lockfileVersion, endpoint, models, datasets }: Lock): string {
  const members = [
    ...scalars({ lockfileVersion, endpoint }),
    ['models', formatEntries(models)] as const,
    ['datasets', formatEntries(datasets)] as const,
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
  const { repo, requested, version, ref, rev, select, files } = entry;
  const selection = select === undefined ? [] : [['select', selectionLine(select)] as const];
  const lines = sorted(files).map(([path, file]) => [path, fileLine(file)] as const);
  const head = scalars({ repo, requested, version, ref, rev });
  return block([...head, ...selection, ['files', block(lines, 8)]], 6);
}

/** The members that have a value, formatted. */
const scalars = (values: Readonly<Record<string, string | number | undefined>>) =>
  Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, JSON.stringify(value)] as const],
  );

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

/** The lists of a selection on one line. */
function selectionLine(select: NonNullable<LockedEntry['select']>): string {
  const lists = (['include', 'exclude', 'files'] as const).flatMap((key) => {
    const items = select[key]?.map((item) => JSON.stringify(item));
    return items === undefined ? [] : [`"${key}": [${items.join(', ')}]`];
  });
  return `{ ${lists.join(', ')} }`;
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

function collisions(lock: Lock): string[] {
  return [...lock.models, ...lock.datasets].flatMap(([name, entry]) => {
    const collision = pathCollision(entry.files.keys());
    return collision === undefined
      ? []
      : [`${name}.files: ${JSON.stringify(collision)} is both a file and a folder`];
  });
}

/**
 * Files that Nix can neither name nor download, since they have no `storeName` or no `url`. One that
 * differs from what the path gives is accepted: it does not decide which bytes are.
 */
function unnamed(lock: Lock): string[] {
  const problems: string[] = [];
  for (const named of namedEntries(lock)) {
    for (const [path, file] of named.entry.files) {
      for (const key of Object.keys(pathNames(path))) {
        if (key in file) continue;
        problems.push(`${placeOf(named)}.files: ${JSON.stringify(path)} needs a ${key}`);
      }
    }
  }
  return problems;
}

/** The error for a lock that cannot be read, with one detail for each problem. */
export function invalidLock(file: string, details: readonly string[]): HugError {
  return new HugError('EHUG_LOCK_INVALID', `${file} is not a valid lock`, {
    details,
    hint: 'Take it from version control again, or delete it and run nix-hug lock.',
  });
}
