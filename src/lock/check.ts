import { pathCollision } from '../safe-path.ts';
import { placeOf } from './entries.ts';
import { pathNames } from './names.ts';
import type { Lock, LockedEntry } from './schema.ts';

/** An entry, `needed` ones included, with its place in the lock. */
interface Placed {
  readonly place: string;
  readonly entry: LockedEntry;
}

/** The keys that version 2 of the format has and version 1 has not. */
const SINCE_2 = ['repoId', 'date', 'license', 'licenseName', 'groups', 'needs'] as const;
const SELECT_SINCE_2 = ['format', 'variant', 'quant', 'code'] as const;

/** What is wrong with a lock of the right shape, one line for each problem. */
export function lockProblems(lock: Lock): string[] {
  const entries = placedEntries(lock);
  return [
    ...(lock.lockfileVersion === 1 ? newerKeys(lock, entries) : []),
    ...misplaced(lock),
    ...entries.flatMap(collisions),
    ...entries.flatMap(unnamed),
  ];
}

function placedEntries({ models, datasets, needed = new Map() }: Lock): Placed[] {
  return [
    ...[...models].map(([name, entry]) => ({ place: placeOf({ type: 'model', name }), entry })),
    ...[...datasets].map(([name, entry]) => ({ place: placeOf({ type: 'dataset', name }), entry })),
    ...[...needed].map(([key, entry]) => ({ place: `needed.${key}`, entry })),
  ];
}

/** Keys that the version of the lock does not have. */
function newerKeys(lock: Lock, entries: readonly Placed[]): string[] {
  const line = (place: string) => `${place} needs lockfileVersion 2`;
  return [
    ...(lock.needed === undefined ? [] : [line('needed')]),
    ...entries.flatMap(({ place, entry }) => [
      ...SINCE_2.filter((key) => key in entry).map((key) => line(`${place}.${key}`)),
      ...SELECT_SINCE_2.filter((key) => key in (entry.select ?? {})).map((key) =>
        line(`${place}.select.${key}`),
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

function collisions({ place, entry }: Placed): string[] {
  const collision = pathCollision(entry.files.keys());
  return collision === undefined
    ? []
    : [`${place}.files: ${JSON.stringify(collision)} is both a file and a folder`];
}

/**
 * Files that Nix can neither name nor download, since they have no `storeName` or no `url`. One that
 * differs from what the path gives is accepted: it does not decide which bytes are.
 */
const unnamed = ({ place, entry }: Placed): string[] =>
  [...entry.files].flatMap(([path, file]) =>
    Object.keys(pathNames(path))
      .filter((key) => !(key in file))
      .map((key) => `${place}.files: ${JSON.stringify(path)} needs a ${key}`),
  );
