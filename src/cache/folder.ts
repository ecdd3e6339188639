import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { byCodeUnit } from '../collections.ts';
import { systemCodeOf } from '../errors.ts';
import type { ProblemKind, ReportProblem } from './problem.ts';

/** A folder of a cache, which may be a link to one. */
export interface Folder {
  /** Its path as the cache has it. */
  readonly at: string;
  /** Its path with every link resolved, which relative links in it start from. */
  readonly real: string;
}

/** Files that operating systems leave in folders; the official client ignores them, too. */
export const SYSTEM_FILES: ReadonlySet<string> = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini']);

/**
 * Reads something of the file system; an error of the system becomes a problem.
 *
 * @param at the path to report
 * @param isLink whether a missing file means a broken link
 * @returns `undefined` after an error
 */
export function attempt<T>(
  report: ReportProblem,
  at: string,
  isLink: boolean,
  read: () => T,
): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === undefined) throw error;
    if (code === 'ELOOP') report('link-loop', at);
    else if (isLink && (code === 'ENOENT' || code === 'ENOTDIR')) report('broken-link', at);
    else report('unreadable', at, code);
    return undefined;
  }
}

/**
 * The entries of a folder, sorted by name.
 *
 * @throws the system's error
 */
export function sortedEntries(at: string): Dirent[] {
  const entries = readdirSync(at, { withFileTypes: true });
  return entries.toSorted((a, b) => byCodeUnit(a.name, b.name));
}

/** The entries of a folder, sorted by name; `undefined` when it cannot be read. */
export function listFolder(at: string, report: ReportProblem): Dirent[] | undefined {
  return attempt(report, at, false, () => sortedEntries(at));
}

/**
 * The folder that an entry is, or links to.
 *
 * @param otherwise the problem when it is not a folder
 */
export function folderAt(
  parent: Folder,
  entry: Dirent,
  otherwise: ProblemKind,
  report: ReportProblem,
): Folder | undefined {
  const at = `${parent.at}/${entry.name}`;
  if (entry.isDirectory()) return { at, real: `${parent.real}/${entry.name}` };
  if (!entry.isSymbolicLink()) {
    report(otherwise, at);
    return undefined;
  }
  const target = attempt(report, at, true, () => followLinks(at));
  if (target?.stats.isDirectory() === true) return { at, real: target.real };
  if (target !== undefined) report(otherwise, at);
  return undefined;
}

/**
 * The path with every link resolved, and what is there.
 *
 * @throws the system's error
 */
export function followLinks(at: string): { readonly real: string; readonly stats: Stats } {
  const real = realpathSync.native(at);
  return { real, stats: statSync(real) };
}
