import type { CacheProblem, ProblemKind } from '../cache/scan/problem.ts';
import type { CachedRevision } from '../cache/scan/repo-folder.ts';
import { type CacheScan, scanCache } from '../cache/scan/scan.ts';
import { EXIT, HugError } from '../errors.ts';
import type { Output } from '../output/json-schema.ts';
import type { CommandResult } from '../output/result.ts';
import { type Cell, table } from '../output/table.ts';
import { count, shortRev } from '../output/text.ts';
import type { CommandContext } from '../project/context.ts';
import { openStore } from '../project/store.ts';
import { storedRevisions } from '../project/stored-revisions.ts';
import { escapeControls } from '../quote.ts';
import prettyBytes from 'pretty-bytes';

/** What `scan` needs from outside. */
export type ScanContext = Pick<
  CommandContext,
  'cacheFolder' | 'openScanIndex' | 'openNix' | 'signal' | 'warn'
>;

/**
 * `nix-hug scan`: what is in the Hugging Face cache, what of it is in the Nix store, and what is odd.
 * Oddities are results, not failures. Without Nix it is not known what is in the store.
 */
export async function run(context: ScanContext): Promise<CommandResult> {
  const { cacheFolder, signal } = context;
  const [scan, store] = await Promise.all([
    context.openScanIndex().then((index) => scanCache(cacheFolder, signal, index)),
    askNix(() => openStore(context), context),
  ]);
  const stored = await askNix(async () => {
    return store === undefined ? undefined : await storedRevisions(scan.repos, store, signal);
  }, context);
  const report: ScanReport = { cacheFolder, scan, isStored: (revision) => stored?.get(revision) };
  return {
    get json() {
      return scanJson(report);
    },
    text: (columns) => scanText(report, columns),
    exitStatus: EXIT.ok,
  };
}

/** Nix's answer; `undefined` where there is no Nix, or none that works. */
async function askNix<T>(ask: () => Promise<T>, { warn }: ScanContext): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof HugError)) throw error;
    if (error.code === 'EHUG_NIX') warn([error.message, ...error.details].join('\n'));
    else if (error.code !== 'EHUG_NIX_MISSING') throw error;
    return undefined;
  }
}

/** What `scan` has to tell. */
interface ScanReport {
  readonly cacheFolder: string;
  readonly scan: CacheScan;
  /** Whether the store has all files of a revision; `undefined` when that is not known. */
  readonly isStored: (revision: CachedRevision) => boolean | undefined;
}

/** The last moment that a `Date` can be; file systems have later ones. In ms since 1970. */
const LAST_DATE = 8.64e15;

/** A document of it. Times are in ISO 8601. */
function scanJson({ cacheFolder, scan, isStored }: ScanReport): Output<'scan'> {
  return {
    cache: cacheFolder,
    found: scan.found,
    size: scan.size,
    revisions: scan.repos.flatMap(({ id, type, revisions }) =>
      revisions.map((revision) => ({
        repo: id,
        type,
        rev: revision.rev,
        size: revision.size,
        files: revision.files.length,
        inStore: isStored(revision) ?? null,
        refs: revision.refs,
        modified: new Date(Math.min(revision.modified, LAST_DATE)).toISOString(),
        folder: revision.folder,
      })),
    ),
    problems: scan.problems,
  };
}

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
const MAX_PATHS = 5;

/** A line for each revision, one for the whole, and the problems by kind. */
async function scanText(report: ScanReport, columns?: number): Promise<string> {
  const { cacheFolder, scan, isStored } = report;
  if (!scan.found) return `there is no Hugging Face cache at ${escapeControls(cacheFolder)}`;
  const rows = scan.repos.flatMap(({ id, type, revisions }) =>
    revisions.map((revision) => [
      escapeControls(id),
      type,
      escapeControls(shortRev(revision.rev)),
      prettyBytes(revision.size),
      count(revision.files.length, 'file', 'files'),
      STORED[String(isStored(revision))] ?? '-',
      escapeControls(revision.refs.join(', ')),
    ]),
  );
  const lines = await table(rows, { right: [3, 4], shrink: [6], columns });
  return [...lines, totalOf(report), ...problemLines(scan.problems)].join('\n');
}

const STORED: Readonly<Record<string, Cell>> = {
  true: { text: 'in the store', style: 'green' },
  false: { text: 'not in the store', style: 'yellow' },
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
  return `${parts.join(', ')} in ${escapeControls(cacheFolder)}`;
}

function problemLines(problems: readonly CacheProblem[]): string[] {
  if (problems.length === 0) return [];
  const lines = Object.entries(MEANINGS).flatMap(([kind, meaning]) => {
    const some = problems.filter((problem) => problem.kind === kind);
    if (some.length === 0) return [];
    const shown = some.slice(0, MAX_PATHS).map(({ path, detail }) => {
      return `    ${escapeControls(path)}${detail === undefined ? '' : `: ${escapeControls(detail)}`}`;
    });
    const more = some.length - shown.length;
    return [`  ${meaning}`, ...shown, ...(more === 0 ? [] : [`    and ${more} more`])];
  });
  return ['', `${count(problems.length, 'problem', 'problems')}:`, ...lines];
}
