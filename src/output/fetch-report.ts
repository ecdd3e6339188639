import prettyBytes from 'pretty-bytes';
import { type NamedEntry, placeOf } from '../lock/entries.ts';
import { escapeControls } from '../quote.ts';
import type { MissingBlob, PlacedFile } from '../copy/placement.ts';
import type { Source } from '../copy/sources.ts';
import { count } from './text.ts';
import type { Output } from './json-schema.ts';

/** What `fetch` has to tell. */
export interface FetchReport {
  readonly entries: readonly NamedEntry[];
  /** Every file of the entries. */
  readonly files: readonly PlacedFile[];
  /** What the store lacked. */
  readonly contents: readonly MissingBlob[];
  /** Where contents came from, by digest; `undefined` when nothing was brought. */
  readonly sources: ReadonlyMap<string, Source> | undefined;
}

const SOURCE_NAMES: Readonly<Record<Source, string>> = {
  hub: 'from the Hub',
  cache: 'from the Hugging Face cache',
};

/** The text of `fetch`: what was added, and what is there now. */
export function fetchText({ entries, files, contents, sources }: FetchReport): string {
  const all = `${count(files.length, 'file', 'files')} of ${count(entries.length, 'entry', 'entries')}`;
  if (contents.length === 0) return `in the Nix store already: ${all}`;
  if (sources === undefined) {
    const lines = contents.map(({ places: [first], size }) => {
      return `  ${placeOf(first)} ${escapeControls(first.path)}  ${prettyBytes(size)}`;
    });
    return [`missing in the Nix store: ${amount(contents)}; of ${all}`, ...lines].join('\n');
  }
  const parts = Object.entries(SOURCE_NAMES).flatMap(([source, name]) => {
    const some = contents.filter(({ hash }) => sources.get(hash) === source);
    return some.length === 0 ? [] : [`${amount(some)} ${name}`];
  });
  return `added to the Nix store: ${parts.join(', ')}; ${all} are there`;
}

/** The same as JSON: for every file where it is, and where it came from. */
export function fetchJson({ entries, files, contents, sources }: FetchReport): Output<'fetch'> {
  const lacked = new Map(
    contents.flatMap(({ hash, names }) =>
      [...names.keys()].map((storePath) => [storePath, sources?.get(hash) ?? 'missing'] as const),
    ),
  );
  return {
    changed: sources !== undefined && contents.length > 0,
    entries: entries.map(({ type, name, entry }) => ({
      name,
      type,
      repo: entry.repo,
      rev: entry.rev,
      files: files
        .filter((file) => file.entry === entry)
        .map(({ path, file, storePath }) => ({
          path,
          size: file.size,
          storePath,
          source: lacked.get(storePath) ?? 'store',
        })),
    })),
  };
}

function amount(contents: readonly MissingBlob[]): string {
  const bytes = contents.reduce((sum, { size }) => sum + size, 0);
  return `${count(contents.length, 'file', 'files')} (${prettyBytes(bytes)})`;
}
