import { pathCollision } from '../safe-path.ts';
import { type NamedEntry, allEntries, placeOf } from './entries.ts';
import { pathNames } from './names.ts';
import type { Lock, LockedEntry } from './schema.ts';

/** The keys that version 2 of the format has and version 1 has not. */
const SINCE_2 = ['repoId', 'date', 'license', 'licenseName', 'groups', 'needs'] as const;
const SELECT_SINCE_2 = ['format', 'variant', 'quant', 'code'] as const;

/** What is wrong with a lock of the right shape, one line for each problem. */
export function lockProblems(lock: Lock): string[] {
  const entries = allEntries(lock);
  return [
    ...(lock.lockfileVersion === 1 ? newerKeys(lock, entries) : []),
    ...misplaced(lock),
    ...entries.flatMap(collisions),
    ...entries.flatMap(unnamed),
  ];
}

/** Keys that the version of the lock does not have. */
function newerKeys(lock: Lock, entries: readonly NamedEntry[]): string[] {
  const line = (place: string) => `${place} needs lockfileVersion 2`;
  return [
    ...(lock.needed === undefined ? [] : [line('needed')]),
    ...entries.flatMap((named) => [
      ...SINCE_2.filter((key) => key in named.entry).map((key) => line(`${placeOf(named)}.${key}`)),
      ...SELECT_SINCE_2.filter((key) => key in (named.entry.select ?? {})).map((key) =>
        line(`${placeOf(named)}.select.${key}`),
      ),
    ]),
  ];
}

/** Needed entries whose key does not name what was asked for. */
function misplaced({ needed = new Map<string, LockedEntry>() }: Lock): string[] {
  return [...needed].flatMap(([key, { repo, requested = repo, ref }]) =>
    key === `models/${requested}@${ref}` || key === `datasets/${requested}@${ref}`
      ? []
      : [`needed.${key}: is not models/${requested}@${ref}`],
  );
}

function collisions(named: NamedEntry): string[] {
  const collision = pathCollision(named.entry.files.keys());
  return collision === undefined
    ? []
    : [`${placeOf(named)}.files: ${JSON.stringify(collision)} is both a file and a folder`];
}

/**
 * Files that Nix can neither name nor download, since they have no `storeName` or no `url`. One that
 * differs from what the path gives is accepted: it does not decide which bytes are.
 */
const unnamed = (named: NamedEntry): string[] =>
  [...named.entry.files].flatMap(([path, file]) =>
    Object.keys(pathNames(path))
      .filter((key) => !(key in file))
      .map((key) => `${placeOf(named)}.files: ${JSON.stringify(path)} needs a ${key}`),
  );
