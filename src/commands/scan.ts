import { type CacheProblem, PROBLEMS } from '../cache/problem.ts';
import { type CacheScan, scanCache } from '../cache/scan.ts';
import type { CachedRevision } from '../cache/scan-repo.ts';
import { EXIT, HugError } from '../errors.ts';
import type { Output } from '../output/json-schema.ts';
import type { CommandResult } from '../output/result.ts';
import { type Cell, table } from '../output/table.ts';
import { count, shortRev } from '../output/text.ts';
import type { CommandContext } from '../project/context.ts';
import { escapeControls } from '../quote.ts';
import { findStoredRevisions } from './scan-store.ts';
import prettyBytes from 'pretty-bytes';

/** What `scan` prints. */
interface ScanReport {
  readonly cacheFolder: string;
  readonly scan: CacheScan;
  /** Whether the store has all files of a revision; `undefined` when that is not known. */
  readonly isStored: (revision: CachedRevision) => boolean | undefined;
}

/**
 * `nix-hug scan`: lists the revisions in the Hugging Face cache, which of them are in the Nix store,
 * and the problems of the cache. Problems are results, not failures. Without a working Nix, scan
 * lists the cache alone.
 */
export async function run(context: CommandContext): Promise<CommandResult> {
  const { cacheFolder, signal } = context;
  const [scan, store] = await Promise.all([
    scanCache(cacheFolder, signal),
    withNix(() => context.openNix(), context),
  ]);
  const stored =
    store && (await withNix(() => findStoredRevisions(scan.repos, store, signal), context));
  const storeFolder = store?.diskFolder ?? store?.storeFolder ?? USUAL_STORE;
  // Nobody can lose what a link into the store leads to.
  const isProblem = ({ kind, detail }: CacheProblem) =>
    kind !== 'outside' || detail?.startsWith(`${storeFolder}/`) !== true;
  const report: ScanReport = {
    cacheFolder,
    scan: { ...scan, problems: scan.problems.filter(isProblem) },
    isStored: (revision) => stored?.get(revision),
  };
  return {
    get json() {
      return scanJson(report);
    },
    text: (columns) => scanText(report, columns),
    exitStatus: EXIT.ok,
  };
}

/** Where links into the store lead when there is no Nix to ask. */
const USUAL_STORE = '/nix/store';

/** What Nix answers; `undefined` when there is no Nix, or when it fails, which is a warning. */
async function withNix<T>(ask: () => Promise<T>, { warn }: CommandContext): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof HugError)) throw error;
    if (error.code === 'EHUG_NIX') warn([error.message, ...error.details].join('\n'));
    else if (error.code !== 'EHUG_NIX_MISSING') throw error;
    return undefined;
  }
}

/** The latest time that a `Date` can be, in ms since 1970; file systems have later ones. */
const MAX_DATE = 8.64e15;

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
        modified: new Date(Math.min(revision.modified, MAX_DATE)).toISOString(),
        folder: revision.folder,
      })),
    ),
    problems: scan.problems,
  };
}

/** A line for each revision, one for the sum, and the problems by kind. */
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
      storeCell(isStored(revision)),
      escapeControls(revision.refs.join(', ')),
    ]),
  );
  const lines = await table(rows, { right: [3, 4], shrink: [6], columns });
  return [...lines, sumLine(report), ...problemLines(scan.problems)].join('\n');
}

function storeCell(isStored: boolean | undefined): Cell {
  if (isStored === undefined) return '-';
  return isStored
    ? { text: 'in the store', style: 'green' }
    : { text: 'not in the store', style: 'yellow' };
}

function sumLine({ cacheFolder, scan, isStored }: ScanReport): string {
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

/** As many paths of one kind are printed; `--json` has them all. */
const MAX_PATHS = 5;

function problemLines(problems: readonly CacheProblem[]): string[] {
  if (problems.length === 0) return [];
  const lines = Object.entries(PROBLEMS).flatMap(([kind, meaning]) => {
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
