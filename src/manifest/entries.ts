import { HugError } from '../errors.ts';
import { parseRepoForm, type RepoForm, type RepoType } from '../repo.ts';
import { asMap, type Path, SECTIONS } from './data.ts';

/** An entry of a manifest before anything about it is known to be right. */
export interface RawEntry {
  readonly name: string;
  readonly type: RepoType;
  readonly path: Path;
  readonly value: unknown;
  /** The fields; for the shorthand, its text as `repo`. Empty when the value is neither. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** What the repository form says, or why it is none; `undefined` when there is no text. */
  readonly form: RepoForm | HugError | undefined;
}

/**
 * Every entry of both sections, whatever it holds: models, then datasets, each in file order.
 *
 * @param data plain data of the file
 * @param hubs addresses that count as the Hub
 */
export function rawEntries(data: unknown, hubs: readonly string[]): readonly RawEntry[] {
  return SECTIONS.flatMap(({ section, type }) =>
    Object.entries(asMap(asMap(data)[section])).map(([name, value]) => {
      const fields = typeof value === 'string' ? { repo: value } : asMap(value);
      return {
        name,
        type,
        path: [section, name],
        value,
        fields,
        form: formOf(fields['repo'], hubs),
      };
    }),
  );
}

/** Where a field stands, the repository of a shorthand included. */
export function fieldPath({ path, value }: RawEntry, key: string): Path {
  return typeof value === 'string' ? path : [...path, key];
}

function formOf(repo: unknown, hubs: readonly string[]): RepoForm | HugError | undefined {
  if (typeof repo !== 'string' || repo === '') return undefined;
  try {
    return parseRepoForm(repo, ...hubs);
  } catch (error) {
    if (error instanceof HugError) return error;
    throw error;
  }
}
