import prettyBytes from 'pretty-bytes';
import type { CacheProblem, ProblemKind } from '../../cache/scan/problem.ts';
import { visible } from '../../quote.ts';
import { count } from '../count.ts';
import { shortRev } from '../short-rev.ts';
import { table } from '../table.ts';
import type { ScanReport } from './report.ts';

/** What a problem means, and what to do about it. */
const MEANINGS: Readonly<Record<ProblemKind, string>> = {
  foreign: 'no part of a cache; move them elsewhere',
  'unclear-id':
    'names of folders that are no repository; a "--" in the name of one reads as "/" here',
  'no-snapshots': 'repositories without snapshots; download them again, or remove them',
  'not-a-commit': 'snapshots that are not named after a commit',
  'stray-file':
    'files where folders belong; remove them, the official client rejects the repository',
  'broken-link': 'links to nothing; download the repository again, or build its cache again',
  'link-loop': 'links in a circle; remove them',
  'linked-folder': 'links to folders inside of a snapshot: the files behind them are not listed',
  outside: 'links out of the cache: removing the snapshot with "hf cache rm" deletes their targets',
  'not-a-file': 'neither file, folder nor link; remove them',
  'unsafe-name': 'names that no repository has; they were passed over',
  'bad-ref': 'refs that hold no commit; the official client rejects the repository',
  'dangling-ref': 'refs to a commit that is not here; download it, or remove the ref',
  incomplete: 'left by interrupted downloads; downloading again completes or replaces them',
  unreadable: 'not readable; look at the permissions',
};

/** More paths of one kind do not help; `--json` has them all. */
const MOST_PATHS = 5;

/** A line for each revision, one for the whole, and the problems by kind. */
export async function scanText(report: ScanReport, columns?: number): Promise<string> {
  const { cacheFolder, scan, isStored } = report;
  if (!scan.found) return `there is no Hugging Face cache at ${visible(cacheFolder)}`;
  const rows = scan.repos.flatMap(({ id, type, revisions }) =>
    revisions.map((revision) => [
      visible(id),
      type,
      visible(shortRev(revision.rev)),
      prettyBytes(revision.size),
      count(revision.files.length, 'file', 'files'),
      STORED[String(isStored(revision))] ?? '-',
      visible(revision.refs.join(', ')),
    ]),
  );
  const lines = await table(rows, [3, 4], columns);
  return [...lines, totalOf(report), ...problemLines(scan.problems)].join('\n');
}

const STORED: Readonly<Record<string, string>> = {
  true: 'in the store',
  false: 'not in the store',
};

function totalOf({ cacheFolder, scan, isStored }: ScanReport): string {
  const { repos, size } = scan;
  const revisions = repos.flatMap((repo) => repo.revisions);
  const stored = revisions.filter((revision) => isStored(revision) === true);
  const parts = [
    `${count(revisions.length, 'revision', 'revisions')} of ${count(repos.length, 'repository', 'repositories')}`,
    prettyBytes(size),
    ...(stored.length === 0 ? [] : [`${stored.length} in the store`]),
  ];
  return `${parts.join(', ')} in ${visible(cacheFolder)}`;
}

function problemLines(problems: readonly CacheProblem[]): string[] {
  if (problems.length === 0) return [];
  const lines = Object.entries(MEANINGS).flatMap(([kind, meaning]) => {
    const some = problems.filter((problem) => problem.kind === kind);
    if (some.length === 0) return [];
    const shown = some.slice(0, MOST_PATHS).map(({ path, detail }) => {
      return `    ${visible(path)}${detail === undefined ? '' : `: ${visible(detail)}`}`;
    });
    const more = some.length - shown.length;
    return [`  ${meaning}`, ...shown, ...(more === 0 ? [] : [`    and ${more} more`])];
  });
  return ['', `${count(problems.length, 'problem', 'problems')}:`, ...lines];
}
