import prettyBytes from 'pretty-bytes';
import { groupBy } from '../../group.ts';
import { placeOf } from '../../lock/entries.ts';
import { visible } from '../../quote.ts';
import type { LackingContent, PlacedFile } from '../../store/plan.ts';
import { count } from '../count.ts';
import type { Output } from '../output-schema.ts';
import { table } from '../table.ts';
import type { CachedEntry } from './cached-entry.ts';

/** What `import-all` has to tell. */
export interface ImportAllReport {
  readonly snapshots: readonly CachedEntry[];
  /** Every file of the snapshots that could be placed. */
  readonly files: readonly PlacedFile[];
  /** What the store lacked. */
  readonly contents: readonly LackingContent[];
  /** Whether each content was imported, by digest; `undefined` when nothing was to be. */
  readonly outcomes: ReadonlyMap<string, boolean> | undefined;
}

/** A file was in the store before, came from the cache, is in the cache alone, or is damaged there. */
type Source = 'store' | 'cache' | 'missing' | 'damaged';

const INDENT = '  ';

/** What the user is asked. */
export async function questionText(report: ImportAllReport): Promise<string> {
  const rows = rowsOf(report);
  const bytes = report.contents.reduce((sum, { size, names }) => sum + size * names.size, 0);
  const amount = `${count(rows.length, 'snapshot', 'snapshots')}, ${prettyBytes(bytes)}`;
  const lines = await table(rows, [1, 2]);
  return [...lines, `Import ${amount}, into the Nix store? [y/N] `].join('\n');
}

/** The text of `import-all`: one line for each snapshot that was not whole in the store. */
export async function importAllText(report: ImportAllReport, columns = Infinity): Promise<string> {
  const { snapshots, outcomes } = report;
  if (snapshots.length === 0) return 'the Hugging Face cache has no snapshots';
  const rows = rowsOf(report);
  const there = snapshots.length - rows.length;
  const already = `in the Nix store already: ${count(there, 'snapshot', 'snapshots')}`;
  if (rows.length === 0) return already;
  const headline = outcomes === undefined ? 'not in the Nix store:' : 'added to the Nix store:';
  const lines = await table(rows, [1, 2], columns - INDENT.length);
  return [headline, ...lines.map((line) => INDENT + line), ...(there === 0 ? [] : [already])].join(
    '\n',
  );
}

/** The same as JSON: for every file where it is, and what is damaged. */
export function importAllJson(report: ImportAllReport): Output<'import-all'> {
  const { snapshots, contents, outcomes } = report;
  const sources = sourcesOf(report);
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
function rowsOf(report: ImportAllReport): string[][] {
  const sources = sourcesOf(report);
  const files = groupBy(report.files, ({ entry }) => entry);
  return report.snapshots.flatMap(({ named, damaged }) => {
    const own = files.get(named.entry) ?? [];
    const lacked = own.filter(({ storePath }) => sources.get(storePath) !== 'store');
    const unsound = lacked.filter(({ storePath }) => sources.get(storePath) === 'damaged');
    const bad = damaged.length + unsound.length;
    if (lacked.length + bad === 0) return [];
    const good = lacked.filter((file) => !unsound.includes(file));
    const bytes = good.reduce((sum, { file }) => sum + file.size, 0);
    const amount = [count(good.length, 'file', 'files'), prettyBytes(bytes)];
    return [[visible(placeOf(named)), ...amount, bad === 0 ? '' : `${bad} damaged`]];
  });
}

function sourcesOf({ files, contents, outcomes }: ImportAllReport): Map<string, Source> {
  const sources = new Map<string, Source>(files.map(({ storePath }) => [storePath, 'store']));
  for (const { hash, names } of contents) {
    const outcome = outcomes?.get(hash);
    const source = outcome === undefined ? 'missing' : outcome ? 'cache' : 'damaged';
    for (const storePath of names.keys()) sources.set(storePath, source);
  }
  return sources;
}
