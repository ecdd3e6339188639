import { isDeepStrictEqual } from 'node:util';
import type { Selection } from '../manifest/schema.ts';
import type { LockedEntry } from '../lock/schema.ts';
import type { Edge, Take } from './edges.ts';
import { weightFormat } from '../weight-format.ts';

/**
 * What is taken of a repository that others need: everything, or the plain files and what lies in some
 * folders; no folder for code alone.
 */
export type Taken = 'all' | ReadonlySet<string>;

/** A file of a commit, as a selection sees it. */
interface Listed {
  readonly path: string;
  readonly lfs?: unknown;
}

/** Characters that a glob reads as something else. */
const GLOB = /[*?[\]{}()!\\,]/u;

/** What several that need a repository take of it together. */
export function uniteTakes(takes: Iterable<Take>): Taken {
  const folders = new Set<string>();
  for (const take of takes) {
    if (take.kind === 'weights' || (take.kind === 'folder' && GLOB.test(take.folder))) return 'all';
    if (take.kind === 'folder') folders.add(take.folder);
  }
  return folders;
}

/** The same of what was locked and what is needed now. */
export const uniteTaken = (one: Taken, other: Taken): Taken =>
  one === 'all' || other === 'all' ? 'all' : new Set([...one, ...other]);

/** Whether both take the same. */
export const isSameTaken = (one: Taken, other: Taken): boolean =>
  one === 'all' || other === 'all' ? one === other : isDeepStrictEqual(one, other);

/** What the selection of a needed entry takes; the reverse of `selectionFor`. */
export function takenBy(select: Selection | undefined): Taken {
  if (select === undefined || !('include' in select || 'exclude' in select)) return 'all';
  return new Set(select.include?.map((glob) => glob.replace(/\/$/u, '')));
}

/**
 * The selection of a needed entry: weights in safetensors where the repository has them, so that of
 * several formats one is taken.
 *
 * @param files every file of the commit
 */
export function selectionFor(taken: Taken, files: readonly Listed[]): Selection | undefined {
  if (taken === 'all') {
    const hasFormat = files.some(({ path }) => weightFormat(path) === 'safetensors');
    return hasFormat ? { format: 'safetensors' } : undefined;
  }
  // A folder of plain files alone is there without a glob, which would match nothing.
  const folders = [...taken].filter((folder) =>
    files.some(({ path, lfs }) => lfs !== undefined && path.startsWith(`${folder}/`)),
  );
  return folders.length === 0
    ? { exclude: ['*'] }
    : { include: folders.toSorted().map((folder) => `${folder}/`) };
}

/** Edges as the lock has them: sorted as they are, each repository, ref and file once. */
export function needsOf(edges: readonly Edge[]): Pick<LockedEntry, 'needs'> {
  const needs = new Map(
    edges.map(({ repo, ref, by }) => [JSON.stringify([repo, ref, by]), { repo, ref, by }]),
  );
  return needs.size === 0 ? {} : { needs: [...needs.values()] };
}
