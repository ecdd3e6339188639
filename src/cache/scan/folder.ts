import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { byCodeUnit } from '../../collections.ts';
import { attempt, type Report } from './problem.ts';

/** A reading of folders of a cache. */
export interface Reading {
  readonly report: Report;
  /** Gets all folders that were listed and all files that were opened. */
  readonly seen: Folder[];
}

/** A folder, or a file in one, that links may have led to. */
export interface Folder {
  /** Its path by way of the cache. */
  readonly at: string;
  /** Its path without any link, from which relative links count. */
  readonly real: string;
}

/** Entries of a folder in the order of their names; `undefined` when it cannot be read, which is reported. */
export function list(folder: Folder, { report, seen }: Reading): Dirent[] | undefined {
  const { at } = folder;
  seen.push(folder);
  const entries = attempt(report, at, false, () => readdirSync(at, { withFileTypes: true }));
  return entries?.toSorted((a, b) => byCodeUnit(a.name, b.name));
}

/**
 * The folder that an entry is, or links to.
 *
 * @returns what else it is; `undefined` when it cannot be told, which is reported then
 */
export function folderAt(
  parent: Folder,
  entry: Dirent,
  report: Report,
): Folder | 'file' | 'other' | undefined {
  const at = `${parent.at}/${entry.name}`;
  if (entry.isDirectory()) return { at, real: `${parent.real}/${entry.name}` };
  if (entry.isFile()) return 'file';
  if (!entry.isSymbolicLink()) return 'other';
  const target = attempt(report, at, true, () => followed(at));
  if (target === undefined) return undefined;
  if (target.stats.isDirectory()) return { at, real: target.real };
  return target.stats.isFile() ? 'file' : 'other';
}

/** What is behind all links of a path, and where. */
export function followed(at: string): { readonly real: string; readonly stats: Stats } {
  const real = realpathSync.native(at);
  return { real, stats: statSync(real) };
}
