import { isDeepStrictEqual } from 'node:util';
import { byCodeUnit, groupBy, type NonEmpty } from '../collections.ts';
import type { NewEntry } from '../manifest/edit-entry.ts';
import type { ManifestEntry, Selection } from '../manifest/schema.ts';
import type { Part } from '../python/parts.ts';
import type { PlacedRepo } from '../python/program.ts';
import { DEFAULT_REF, isSameId } from '../repo.ts';
import { nameFor, newValue } from './entry-value.ts';

/** A repository at one revision, and the calls that load it. */
interface RepoCalls extends Pick<PlacedRepo, 'type' | 'id' | 'ref'> {
  readonly places: readonly string[];
}

/** An entry for what calls load. */
interface CodeEntry extends NewEntry, RepoCalls {}

/** An entry of the manifest whose repository calls load. */
export interface PresentEntry extends RepoCalls {
  readonly entry: ManifestEntry;
}

/** Places that a comment names. */
const MAX_PLACES = 3;

/**
 * Makes entries of the repositories that calls load: one for each repository and revision, which selects
 * what all of its calls load together. A repository that has an entry gets no other.
 *
 * @param repos in the order of the sources
 * @param present entries of the manifest
 */
export function entriesOfCode(
  repos: readonly PlacedRepo[],
  present: readonly ManifestEntry[],
): { readonly added: readonly CodeEntry[]; readonly present: readonly PresentEntry[] } {
  const byRepo = groupBy(repos, ({ type, id }) => `${type} ${id.toLowerCase()}`);
  const taken = new Set(present.map(({ type, name }) => `${type} ${name}`));
  const kept: PresentEntry[] = [];
  const added: CodeEntry[] = [];
  for (const calls of byRepo.values()) {
    const [{ type, id }] = calls;
    const own = present.filter((one) => one.type === type && isSameId(one.repo, id));
    const revisions = [...groupBy(calls, ({ ref }) => ref)];
    for (const [ref, some] of revisions) {
      const places = [...new Set(some.map(({ place }) => place))];
      const entry = own.find(({ want }) => 'ref' in want && want.ref === ref) ?? own[0];
      if (entry !== undefined) {
        kept.push({ entry, type, id, ref, places });
        continue;
      }
      const name = freeName(id, ref, revisions.length > 1, (one) => taken.has(`${type} ${one}`));
      taken.add(`${type} ${name}`);
      added.push({ name, type, id, ref, places, value: valueOf(some), comment: commentOf(places) });
    }
  }
  return { added, present: kept };
}

/** The entry that loads what all calls of one repository and revision load. */
function valueOf(calls: NonEmpty<PlacedRepo>): NewEntry['value'] {
  const [{ type, id, ref }] = calls;
  const select = selectionOf(calls.map(({ part }) => part));
  return newValue({ type, id, ref, named: ref !== DEFAULT_REF, select }, {});
}

/** A selection of all that some parts have; nothing is lost where more than needed is taken. */
function selectionOf(parts: readonly Part[]): Selection | undefined {
  const unique = (names: readonly string[]) => [...new Set(names)].toSorted(byCodeUnit);
  if (parts.every(({ files }) => files !== undefined)) {
    return { files: unique(parts.flatMap(({ files = [] }) => files)) };
  }
  const globs = parts.map(({ files, include }) => include ?? files);
  const include = globs.every((some) => some !== undefined) ? unique(globs.flat()) : undefined;
  const [first] = parts;
  const exclude = parts.every((part) => isDeepStrictEqual(part.exclude, first?.exclude))
    ? first?.exclude
    : undefined;
  // A name of a file that is a glob too would select others.
  const isUsable = include?.every((glob) => !/[?[\](){}|\\]|^!/u.test(glob)) ?? true;
  const select = {
    ...(include === undefined || !isUsable ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
  };
  return Object.keys(select).length === 0 ? undefined : select;
}

/** A name that no entry has: of the repository, with its organisation, with its revision, a number. */
function freeName(
  id: string,
  ref: string,
  hasOthers: boolean,
  isTaken: (name: string) => boolean,
): string {
  const at = /^[0-9a-f]{40}$/u.test(ref) ? ref.slice(0, 7) : ref;
  const suffix = `-${at.toLowerCase().replace(/[^a-z0-9_-]+/gu, '-')}`;
  const plain = [nameFor(id), nameFor(id.replace('/', '-'))];
  const isPlain = !hasOthers || ref === DEFAULT_REF;
  const names = [...(isPlain ? plain : []), ...plain.map((name) => name + suffix)];
  const free = names.find((name) => !isTaken(name));
  if (free !== undefined) return free;
  for (let number = 2; ; number += 1) {
    const name = `${names.at(-1) ?? ''}-${number}`;
    if (!isTaken(name)) return name;
  }
}

function commentOf(places: readonly string[]): string {
  const more = places.length - MAX_PLACES;
  const shown = places.slice(0, MAX_PLACES).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}
