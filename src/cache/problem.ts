/**
 * The problems that a scan reports, by kind: what each means and what to do about it, as `scan`
 * prints it. None of them stops a scan.
 */
export const PROBLEMS = {
  foreign: 'not part of a Hugging Face cache; move them elsewhere',
  'unclear-id':
    'folders whose names are not those of repositories; "--" in a name is read as "/" here',
  'no-snapshots': 'repositories without snapshots; download them again, or remove them',
  'not-a-commit': 'snapshots that are not named after a commit',
  'stray-file':
    'files where folders belong; remove them, the official client rejects the repository',
  'broken-link': 'broken links; download the repository again, or build its cache again',
  'link-loop': 'links in a circle; remove them',
  'linked-folder': 'links to folders inside of a snapshot; the files behind them are not listed',
  outside: 'links out of the cache; removing the snapshot with "hf cache rm" deletes their targets',
  'not-a-file': 'pipes, sockets or devices; remove them',
  'unsafe-name': 'names that no repository can have; scan ignores these files',
  'bad-ref': 'refs that hold no commit; the official client rejects the repository',
  'dangling-ref': 'refs to a commit that is not in the cache; download it, or remove the ref',
  incomplete: 'left by interrupted downloads; downloading again completes or replaces them',
  unreadable: 'unreadable; check the permissions',
} as const;

export type ProblemKind = keyof typeof PROBLEMS;

/** Something wrong in a cache. */
export interface CacheProblem {
  readonly kind: ProblemKind;
  /** Where, relative to the cache. */
  readonly path: string;
  /** The reason, or where a link or a ref leads. */
  readonly detail?: string;
}

/** Reports a problem at a path that begins with the path of the cache. */
export type ReportProblem = (kind: ProblemKind, at: string, detail?: string) => void;
