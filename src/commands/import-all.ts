import { scanCache } from '../cache/scan/scan.ts';
import { groupBy } from '../collections.ts';
import { unsound } from '../copy/import-contents.ts';
import { type MissingBlob, type PlacedFile, placeEntries } from '../copy/placement.ts';
import { type BringContext, damageText, sourcesOf, tryContents } from '../copy/to-store.ts';
import { EXIT, HugError, usageError } from '../errors.ts';
import { placeOf } from '../lock/entries.ts';
import type { Output } from '../output/json-schema.ts';
import type { CommandResult } from '../output/result.ts';
import { type Cell, table } from '../output/table.ts';
import { count } from '../output/text.ts';
import {
  type CachedEntry,
  type EntryReader,
  createEntryReader,
  isImportable,
} from '../project/cached-entry.ts';
import type { CommandContext } from '../project/context.ts';
import { openStore } from '../project/store.ts';
import { escapeControls } from '../quote.ts';
import prettyBytes from 'pretty-bytes';

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

/** What `import-all` has to tell. */
interface ImportAllReport {
  readonly snapshots: readonly CachedEntry[];
  /** Every file of the snapshots that could be placed. */
  readonly files: readonly PlacedFile[];
  /** What the store lacked. */
  readonly contents: readonly MissingBlob[];
  /** Whether each content was imported, by digest; `undefined` when nothing was to be. */
  readonly outcomes: ReadonlyMap<string, boolean> | undefined;
}

/** A file was in the store before, came from the cache, is in the cache alone, or is damaged there. */
type Source = 'store' | 'cache' | 'missing' | 'damaged';

const INDENT = '  ';

/** What the user is asked. */
async function questionText(report: ImportAllReport): Promise<string> {
  const rows = rowsOf(report);
  const bytes = report.contents.reduce((sum, { size, names }) => sum + size * names.size, 0);
  const amount = `${count(rows.length, 'snapshot', 'snapshots')}, ${prettyBytes(bytes)}`;
  const lines = await table(rows, { right: [1, 2] });
  return [...lines, `Import ${amount}, into the Nix store? [y/N] `].join('\n');
}

/** The text of `import-all`: one line for each snapshot that was not whole in the store. */
async function importAllText(report: ImportAllReport, columns = Infinity): Promise<string> {
  const { snapshots, outcomes } = report;
  if (snapshots.length === 0) return 'the Hugging Face cache has no snapshots';
  const rows = rowsOf(report);
  const there = snapshots.length - rows.length;
  const already = `in the Nix store already: ${count(there, 'snapshot', 'snapshots')}`;
  if (rows.length === 0) return already;
  const headline = outcomes === undefined ? 'not in the Nix store:' : 'added to the Nix store:';
  const lines = await table(rows, { right: [1, 2], columns: columns - INDENT.length });
  return [headline, ...lines.map((line) => INDENT + line), ...(there === 0 ? [] : [already])].join(
    '\n',
  );
}

/** The same as JSON: for every file where it is, and what is damaged. */
function importAllJson(report: ImportAllReport): Output<'import-all'> {
  const { snapshots, contents, outcomes } = report;
  const sources = fileSources(report);
  const files = groupBy(report.files, ({ entry }) => entry);
  return {
    changed: outcomes !== undefined && contents.some(({ hash }) => outcomes.get(hash) === true),
    snapshots: snapshots.map(({ named: { type, entry }, damaged }) => ({
      type,
      repo: entry.repo,
      rev: entry.rev,
      files: (files.get(entry) ?? []).map(({ path, file, storePath }) => ({
        path,
        size: file.size,
        storePath,
        source: sources.get(storePath) ?? 'missing',
      })),
      damaged: damaged.map(({ path, file, reason }) => ({ path, file, reason })),
    })),
  };
}

/** Name, files and bytes that the store lacked, and what is damaged, of each snapshot with any. */
function rowsOf(report: ImportAllReport): Cell[][] {
  const sources = fileSources(report);
  const files = groupBy(report.files, ({ entry }) => entry);
  return report.snapshots.flatMap(({ named, damaged }) => {
    const own = files.get(named.entry) ?? [];
    const lacked = own.filter(({ storePath }) => sources.get(storePath) !== 'store');
    const broken = lacked.filter(({ storePath }) => sources.get(storePath) === 'damaged');
    const bad = damaged.length + broken.length;
    if (lacked.length + bad === 0) return [];
    const good = lacked.filter((file) => !broken.includes(file));
    const bytes = good.reduce((sum, { file }) => sum + file.size, 0);
    const amount = [count(good.length, 'file', 'files'), prettyBytes(bytes)];
    return [
      [
        escapeControls(placeOf(named)),
        ...amount,
        { text: bad === 0 ? '' : `${bad} damaged`, style: 'red' },
      ],
    ];
  });
}

function fileSources({ files, contents, outcomes }: ImportAllReport): Map<string, Source> {
  const sources = new Map<string, Source>(files.map(({ storePath }) => [storePath, 'store']));
  for (const { hash, names } of contents) {
    const outcome = outcomes?.get(hash);
    const source = outcome === undefined ? 'missing' : outcome ? 'cache' : 'damaged';
    for (const storePath of names.keys()) sources.set(storePath, source);
  }
  return sources;
}
