import { HugError } from '../errors.ts';
import { DEFAULT_REF, parseRepoForm, type RepoForm } from '../repo.ts';
import { asMap, type Problem, SECTIONS } from './data.ts';
import { rawEntries } from './entries.ts';
import { endpointProblems, entryProblems } from './rules.ts';
import type {
  EntryFields,
  EntryFile,
  Manifest,
  ManifestEntry,
  ManifestFile,
  Selection,
  Want,
} from './schema.ts';
import { checkShape } from './shape.ts';
import { readSource, type Source } from './source.ts';
import type { Fault } from './tree.ts';

export interface ParseOptions {
  /** Address from `HF_ENDPOINT`; its host counts as the Hub, beside that of the manifest. */
  readonly endpoint?: string | undefined;
}

/**
 * Reads the text of a manifest. An empty text, or one of comments only, is a manifest without
 * entries.
 *
 * @param text content of `hug.yaml`, without a byte order mark
 * @param file its name as the user knows it, for messages
 * @throws HugError `EHUG_MANIFEST_INVALID` with a detail `file:line:column: message` for each
 *   problem, in file order
 */
export function parseManifest(text: string, file: string, options: ParseOptions = {}): Manifest {
  const source = readSource(text);
  const data = source.tree.data ?? {};
  const hubs = [asMap(data)['endpoint'], options.endpoint].filter((hub) => typeof hub === 'string');
  const shape = checkShape(data, (path) => source.tree.written(path));
  const faults = certainFaults(source, [
    ...shape.problems,
    ...endpointProblems(asMap(data)['endpoint']),
    ...rawEntries(data, hubs).flatMap(entryProblems),
  ]);
  if (faults.length > 0 || shape.file === undefined) throw invalid(file, faults, source);
  return normalised(shape.file, hubs, source);
}

/** Everything wrong, in file order; beyond an error of syntax, only errors of syntax. */
function certainFaults(source: Source, problems: readonly Problem[]): readonly Fault[] {
  const { tree, errors, warnings } = source;
  const unsure = errors.reduce((first, { start }) => Math.min(first, start), Infinity);
  const located = problems.map(({ path, part, message }) => ({
    ...tree.span(path, part),
    message,
  }));
  const sure = [...warnings, ...tree.faults, ...located].filter(({ end }) => end < unsure);
  return [...errors, ...sure].toSorted((a, b) => a.start - b.start);
}

function invalid(file: string, faults: readonly Fault[], { position }: Source): HugError {
  const lines = faults.map(({ start, message }) => {
    const { line, column } = position(start);
    return `${file}:${line}:${column}: ${message}`;
  });
  // An anchored value is checked wherever it is repeated, and stands in one place.
  const details = [...new Set(lines)];
  const problems = details.length === 1 ? 'a problem' : `${details.length} problems`;
  return new HugError('EHUG_MANIFEST_INVALID', `${file} has ${problems}`, {
    details,
    hint: 'Correct the places named. Nothing was changed.',
  });
}

function normalised(file: ManifestFile, hubs: readonly string[], source: Source): Manifest {
  const entries = SECTIONS.flatMap(({ section, type }) =>
    Object.entries(file[section] ?? {}).map(([name, entry]) => {
      const { start } = source.tree.span([section, name], 'key');
      return normalEntry({ name, type, position: source.position(start) }, entry, hubs);
    }),
  );
  return file.endpoint === undefined
    ? { entries }
    : { endpoint: normalEndpoint(file.endpoint), entries };
}

function normalEntry(
  place: Pick<ManifestEntry, 'name' | 'type' | 'position'>,
  entry: EntryFile,
  hubs: readonly string[],
): ManifestEntry {
  const fields = typeof entry === 'string' ? { repo: entry } : entry;
  const form = parseRepoForm(fields.repo, ...hubs);
  const { name, type, position } = place;
  const want = wantOf(fields, form);
  const select = selectionOf(fields, form);
  const common = { name, type, repo: form.id, want, position };
  return select === undefined ? common : { ...common, select };
}

function wantOf({ ref, version }: EntryFields, form: RepoForm): Want {
  return version === undefined ? { ref: ref ?? form.ref ?? DEFAULT_REF } : { version };
}

function selectionOf(
  { include, exclude, files }: EntryFields,
  form: RepoForm,
): Selection | undefined {
  if (form.file !== undefined) return { files: [form.file] };
  if (files !== undefined) return { files };
  if (include === undefined && exclude === undefined) return undefined;
  return {
    ...(include === undefined ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
  };
}

function normalEndpoint(endpoint: string): string {
  const { origin, pathname } = new URL(endpoint);
  return `${origin}${pathname}`.replace(/\/+$/u, '');
}
