import { closestMatch } from 'leven';
import { HugError } from '../errors.ts';
import { type NamedEntry, namedEntries, placeOf } from '../lock/entries.ts';
import type { Lock } from '../lock/schema.ts';
import { quoted } from '../quote.ts';

/** More edits than these are another word, not a misspelling. */
const MOST_EDITS = 2;

/**
 * The entries that the user names, in the order of the lock; all of them for no name.
 *
 * @param names `mistral`, or `models.mistral` where a dataset has the same name
 * @throws HugError `EHUG_ENTRY_UNKNOWN` with all names that are not in the lock
 */
export function entriesNamed(lock: Lock, names: readonly string[]): NamedEntry[] {
  const entries = namedEntries(lock);
  if (names.length === 0) return entries;
  const known = new Set(entries.flatMap((entry) => [entry.name, placeOf(entry)]));
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) throw unknownEntries(unknown, [...known], 'the lock');
  const wanted = new Set(names);
  return entries.filter((entry) => wanted.has(entry.name) || wanted.has(placeOf(entry)));
}

/**
 * The error for names that no entry has.
 *
 * @param known names that entries have
 * @param holder what has the entries, for the message
 */
export function unknownEntries(
  unknown: readonly string[],
  known: readonly string[],
  holder: string,
): HugError {
  const lines = unknown.map((name) => {
    const near = closestMatch(name, [...known], { maxDistance: MOST_EDITS });
    const suggestion = near === undefined ? '' : `; did you mean ${quoted(near)}?`;
    return `${holder} has no entry ${quoted(name)}${suggestion}`;
  });
  const [first = '', ...others] = lines;
  return new HugError('EHUG_ENTRY_UNKNOWN', first, {
    details: others,
    hint: 'nix-hug ls lists the entries. A repository is written org/name, or hf:gpt2 without org.',
  });
}
