import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { byCodeUnit } from '../collections.ts';
import { systemCodeOf } from '../errors.ts';

/**
 * The problems that a scan reports, by kind: what each means and what to do about it, as `scan`
 * prints it. None of them stops a scan.
 */
export const PROBLEMS = {
  foreign: 'not part of a Hugging Face cache; move them elsewhere',
  'unclear-id':
    'folders whose names are not those of repositories; scan reads "--" in a name as "/"',
  'no-snapshots': 'repositories without snapshots; download them again, or remove them',
  'not-a-commit': 'snapshots that are not named after a commit',
  'stray-file':
    'files where folders belong; remove them, the official client rejects the repository',
  'broken-link': 'broken links; download or export the repository again, or build its cache again',
  'link-loop': 'links in a circle; remove them',
  'linked-folder':
    'links to folders inside of a snapshot; scan does not list the files behind them',
  outside: 'links out of the cache; removing the snapshot with "hf cache rm" deletes their targets',
  'not-a-file': 'pipes, sockets or devices; remove them',
  'unsafe-name': 'names that no repository can have; scan ignores these files',
  'bad-ref': 'refs that hold no commit; the official client rejects the repository',
  'dangling-ref': 'refs to a commit that is not in the cache; download it, or remove the ref',
  incomplete: 'left by interrupted downloads; downloading again completes or replaces them',
  unreadable: 'unreadable; check the permissions',
} as const;

export type ProblemKind = keyof typeof PROBLEMS;

/** A problem of a cache. */
export interface CacheProblem {
  readonly kind: ProblemKind;
  /** The file or folder, relative to the cache. */
  readonly path: string;
  /** The reason, or where a link or a ref leads. */
  readonly detail?: string;
}

/** Reports a problem at a path that begins with the path of the cache. */
export type ReportProblem = (kind: ProblemKind, at: string, detail?: string) => void;

/** A folder of a cache, or a link to a folder. */
export interface Folder {
  /** Its path as the cache has it. */
  readonly at: string;
  /** Its path with every link resolved; relative links in the folder start there. */
  readonly real: string;
}

/**
 * Runs a call of the file system; an error of the system becomes a problem.
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
