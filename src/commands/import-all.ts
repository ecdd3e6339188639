import prettyBytes from 'pretty-bytes';
import { lockableSnapshots } from '../cache/find-snapshot.ts';
import { scanCache } from '../cache/scan.ts';
import { groupBy } from '../collections.ts';
import type { RepoFile } from '../copy/blob.ts';
import { type CopyResult, damageText, throwFailed } from '../copy/copy.ts';
import { type CachedSnapshot, createDigestReader, damagedInCache } from '../copy/from-cache.ts';
import { bytesInStore, copyToStore, planStore, type StorePlan } from '../copy/to-store.ts';
import { EXIT, HugError, usageError } from '../errors.ts';
import type { Output } from '../output/json-schema.ts';
import type { CommandResult } from '../output/result.ts';
import { type Cell, table } from '../output/table.ts';
import { count } from '../output/text.ts';
import type { CommandContext } from '../project/context.ts';
import { escapeControls } from '../quote.ts';
import { NEXT_AFTER_STORE } from './fetch.ts';

export interface ImportAllOptions {
  /** Do not ask. */
  readonly yes?: boolean;
  /** Only tell what would be imported. */
  readonly dryRun?: boolean;
}

/**
 * `nix-hug import-all`: adds every snapshot of the Hugging Face cache to the Nix store, after a
 * confirmation. Needs neither a lock nor a network.
 *
 * @throws HugError `EHUG_USAGE` when there is nobody to ask
 */
export async function run(
  context: CommandContext,
  { yes = false, dryRun = false }: ImportAllOptions,
): Promise<CommandResult> {
  const { confirm } = context;
  if (!yes && !dryRun && confirm === undefined) {
    throw usageError(
      'import-all asks before it fills the store, and nobody can answer',
      'Pass -y to import all, or --dry-run to see what that is.',
    );
  }
  const reader = createDigestReader(context.cacheFolder, context.signal);
  const snapshots = await readSnapshots(reader, context);
  const nix = await context.openNix();
  const plan = await planStore(snapshots, nix);
  for (const { damaged } of snapshots) {
    for (const damage of damaged) context.warn(damageText(damage));
  }
  const report: ImportAllReport = { snapshots, plan, result: undefined };
  const { missing } = plan;
  const isWanted =
    missing.length === 0 ||
    (!dryRun && (yes || (await confirm?.(await questionText(report))) === true));
  if (!isWanted) return resultOf(report);
  const options = { missing: damagedInCache, checked: reader.checked };
  const result = await copyToStore(missing, nix, options, { ...context, offline: true });
  const { failures, skipped } = result;
  const others = [...failures].filter(
    ([, reason]) => !(reason instanceof HugError && reason.code === 'EHUG_NOT_CACHED'),
  );
  throwFailed({ failures: new Map(others), skipped });
  return resultOf({ ...report, result });
}

/** Reads all snapshots of models and datasets. */
async function readSnapshots(
  reader: ReturnType<typeof createDigestReader>,
  { cacheFolder, runTasks, signal, warn }: CommandContext,
): Promise<CachedSnapshot[]> {
  const { repos } = await scanCache(cacheFolder, signal);
  const found = lockableSnapshots(repos);
  const [outcome] = await runTasks([
    {
      title: `reading ${cacheFolder}`,
      run: async (report) => {
        const snapshots: CachedSnapshot[] = [];
        for (const one of found) {
          snapshots.push(await reader.read(one));
          report(`${snapshots.length} of ${found.length} snapshots`);
        }
        return snapshots;
      },
    },
  ]);
  if (outcome?.status !== 'fulfilled') throw outcome?.reason;
  for (const [index, { title }] of outcome.value.entries()) {
    if (found[index]?.revision.isWhole !== true) {
      warn(`${title} is not whole; nix-hug scan tells why`);
    }
  }
  return outcome.value;
}

/** What `import-all` prints, as text or as JSON. */
interface ImportAllReport {
  readonly snapshots: readonly CachedSnapshot[];
  /** The undamaged files of the snapshots, and the blobs that the store missed. */
  readonly plan: StorePlan;
  /** `undefined` when nothing was to be imported. */
  readonly result: CopyResult | undefined;
}

function resultOf(report: ImportAllReport): CommandResult {
  const { snapshots, result } = report;
  const damaged = snapshots.reduce((sum, each) => sum + each.damaged.length, 0);
  const isSound = damaged + (result?.failures.size ?? 0) === 0;
  return {
    text: (columns) => importAllText(report, columns),
    json: importAllJson(report),
    next: (result?.sources.size ?? 0) > 0 ? NEXT_AFTER_STORE : undefined,
    exitStatus: isSound ? EXIT.ok : EXIT.failed,
  };
}

const INDENT = '  ';

/** The question to the user: which snapshots, and how much of the disk. */
async function questionText(report: ImportAllReport): Promise<string> {
  const rows = rowsOf(report);
  const bytes = prettyBytes(bytesInStore(report.plan.missing));
  const lines = await table(rows, { right: [1, 2] });
  const snapshots = count(rows.length, 'snapshot', 'snapshots');
  return [...lines, `Import ${snapshots}, ${bytes}, into the Nix store? [y/N] `].join('\n');
}

/** The text of `import-all`: one line for each snapshot that was not whole in the store. */
async function importAllText(report: ImportAllReport, columns = Infinity): Promise<string> {
  const { snapshots, result } = report;
  if (snapshots.length === 0) return 'the Hugging Face cache has no snapshots';
  const rows = rowsOf(report);
  const there = snapshots.length - rows.length;
  const already = `in the Nix store already: ${count(there, 'snapshot', 'snapshots')}`;
  if (rows.length === 0) return already;
  const headline = result === undefined ? 'not in the Nix store:' : 'added to the Nix store:';
  const lines = await table(rows, { right: [1, 2], columns: columns - INDENT.length });
  const indented = lines.map((line) => INDENT + line);
  return [headline, ...indented, ...(there === 0 ? [] : [already])].join('\n');
}

/** The same as JSON: for every file where it is, and what is damaged. */
function importAllJson(report: ImportAllReport): Output<'import-all'> {
  const { snapshots, plan, result } = report;
  const stateOf = fileStates(report);
  const filesBy = groupBy(plan.files, ({ snapshot }) => snapshot);
  return {
    changed: (result?.sources.size ?? 0) > 0,
    snapshots: snapshots.map((snapshot) => ({
      type: snapshot.type,
      repo: snapshot.repo,
      rev: snapshot.rev,
      files: (filesBy.get(snapshot) ?? []).map(({ file, storePath }) => ({
        path: file.path,
        size: file.size,
        storePath,
        source: stateOf(file),
      })),
      damaged: snapshot.damaged.map(({ path, file, reason }) => ({ path, file, reason })),
    })),
  };
}

/** Title, files and bytes that the store missed, and damaged files, of each snapshot with any. */
function rowsOf(report: ImportAllReport): Cell[][] {
  const stateOf = fileStates(report);
  return report.snapshots.flatMap(({ title, files, damaged }) => {
    const missed = files.filter((file) => stateOf(file) !== 'store');
    const good = missed.filter((file) => stateOf(file) !== 'damaged');
    const bad = damaged.length + missed.length - good.length;
    if (missed.length + bad === 0) return [];
    const bytes = good.reduce((sum, { size }) => sum + size, 0);
    const amount = [count(good.length, 'file', 'files'), prettyBytes(bytes)];
    const damage = { text: bad === 0 ? '' : `${bad} damaged`, style: 'red' as const };
    return [[escapeControls(title), ...amount, damage]];
  });
}

/** Each file was in the store before, came from the cache, is in the cache alone, or is damaged. */
function fileStates({ plan, result }: ImportAllReport) {
  const missing = new Set(plan.missing.flatMap(({ places }) => places.map(({ file }) => file)));
  return (file: RepoFile): 'store' | 'cache' | 'missing' | 'damaged' => {
    if (!missing.has(file)) return 'store';
    if (result === undefined) return 'missing';
    return result.sources.has(file) ? 'cache' : 'damaged';
  };
}
