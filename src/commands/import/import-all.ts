import { scanCache } from '../../cache/scan/scan.ts';
import { EXIT, HugError } from '../../errors.ts';
import { placeOf } from '../../lock/entries.ts';
import { type BringContext, damageText, sourcesOf, tryContents } from '../bring/bring.ts';
import { placeEntries } from '../bring/placement.ts';
import type { CommandContext } from '../context.ts';
import type { CommandResult } from '../result.ts';
import { openStore } from '../store.ts';
import { usageError } from '../usage.ts';
import {
  type CachedEntry,
  createEntryReader,
  type EntryReader,
  isImportable,
} from './cached-entry.ts';
import { unsound } from './contents.ts';
import {
  importAllJson,
  type ImportAllReport,
  importAllText,
  questionText,
} from './import-all-report.ts';

export interface ImportAllOptions {
  /** Do not ask. */
  readonly yes?: boolean;
  /** Only tell what would be imported. */
  readonly dryRun?: boolean;
}

/** What `import-all` needs from outside. */
export type ImportAllContext = BringContext &
  Pick<CommandContext, 'openNix' | 'runTasks' | 'confirm'>;

/**
 * `nix-hug import-all`: brings every snapshot of the Hugging Face cache into the Nix store, after a
 * confirmation. Needs neither a lock nor a network.
 *
 * @throws HugError `EHUG_USAGE` when there is nobody to ask
 */
export async function run(
  { yes = false, dryRun = false }: ImportAllOptions,
  context: ImportAllContext,
): Promise<CommandResult> {
  const { confirm } = context;
  if (!yes && !dryRun && confirm === undefined) throw nobodyToAsk();
  const reader = createEntryReader(context.cacheFolder, context.signal);
  const snapshots = await readSnapshots(reader, context);
  const store = await openStore(context);
  const { files, contents } = await placeEntries(
    snapshots.map(({ named }) => named),
    store,
  );
  const plan: ImportAllReport = { snapshots, files, contents, outcomes: undefined };
  const unread = snapshots.flatMap(({ damaged }) => damaged);
  for (const damage of unread) context.warn(damageText(damage));

  const isWanted =
    contents.length === 0 ||
    (!dryRun && (yes || (await confirm?.(await questionText(plan))) === true));
  if (!isWanted) return resultOf(plan);
  const results = await tryContents(
    contents,
    store,
    { absent: unsound, checked: reader.checked },
    { ...context, offline: true },
  );
  const damaged = new Set(contents.filter((_, index) => isDamage(results[index])));
  const sources = sourcesOf(
    contents.filter((content) => !damaged.has(content)),
    results.filter((result) => !isDamage(result)),
  );
  const outcomes = new Map(contents.map(({ hash }) => [hash, sources.has(hash)]));
  return resultOf({ ...plan, outcomes });
}

/** All snapshots of models and datasets. */
async function readSnapshots(
  reader: EntryReader,
  { cacheFolder, runTasks, signal, warn }: ImportAllContext,
): Promise<CachedEntry[]> {
  const { repos } = await scanCache(cacheFolder, signal);
  const found = repos
    .filter(isImportable)
    .flatMap((repo) => repo.revisions.map((revision) => ({ repo, revision })));
  const [outcome] = await runTasks([
    {
      title: `reading ${cacheFolder}`,
      run: async (report) => {
        const snapshots: CachedEntry[] = [];
        for (const { repo, revision } of found) {
          snapshots.push(await reader.read(repo, revision));
          report(`${snapshots.length} of ${found.length} snapshots`);
        }
        return snapshots;
      },
    },
  ]);
  if (outcome?.status !== 'fulfilled') throw outcome?.reason;
  for (const [index, { named }] of outcome.value.entries()) {
    if (found[index]?.revision.isWhole === true) continue;
    warn(`${placeOf(named)} is not whole; nix-hug scan tells why`);
  }
  return outcome.value;
}

const isDamage = (result: PromiseSettledResult<unknown> | undefined): boolean =>
  result?.status === 'rejected' &&
  result.reason instanceof HugError &&
  result.reason.code === 'EHUG_NOT_CACHED';

function resultOf(report: ImportAllReport): CommandResult {
  const isSound =
    report.snapshots.every(({ damaged }) => damaged.length === 0) &&
    [...(report.outcomes?.values() ?? [])].every(Boolean);
  return {
    text: (columns) => importAllText(report, columns),
    json: importAllJson(report),
    exitStatus: isSound ? EXIT.ok : EXIT.failed,
  };
}

const nobodyToAsk = (): HugError =>
  usageError(
    'import-all asks before it fills the store, and nobody can answer',
    'Pass -y to import all, or --dry-run to see what that is.',
  );
