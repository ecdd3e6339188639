import { isDeepStrictEqual } from 'node:util';
import { byCodeUnit } from '../collections.ts';
import {
  ENTRY_NAME,
  type EntryFields,
  type EntryFile,
  type ManifestEntry,
} from '../manifest/schema.ts';
import { DEFAULT_REF, parseRepoForm, type RepoType } from '../repo.ts';
import type { RepoRequest } from './arguments.ts';

/** A repository that is to be added, and its type. */
export interface Addition extends RepoRequest {
  readonly type: RepoType;
}

/** What the user says of an entry beside its repository and selection. */
export interface EntryOptions {
  /** Semver range over the tags, instead of a ref. */
  readonly version?: string;
  /** Groups of the entry; they replace those that it has. */
  readonly group?: readonly string[];
}

/** Whether the user gives a revision or a range. */
export const isWantGiven = ({ named }: RepoRequest, { version }: EntryOptions): boolean =>
  named || version !== undefined;

/** The value of a new entry in its shortest form. */
export function newValue({ type, id, ref, select }: Addition, options: EntryOptions): EntryFile {
  const { version } = options;
  const repo = shortestForm(type, id);
  const want = wantFields(version === undefined ? { ref } : { version });
  return shorthand({ repo, ...want, ...select, ...groupFields(options) }, type);
}

/**
 * The value of an entry with what the user gives in place of the same; what is not given stays.
 *
 * @param written the value as the manifest has it
 * @param hubs addresses that count as the Hub
 */
export function changedValue(
  written: EntryFile,
  { type, repo, want, select, groups }: ManifestEntry,
  addition: Addition,
  options: EntryOptions,
  hubs: readonly string[],
): EntryFile {
  const { version: range } = options;
  const given = range === undefined ? { ref: addition.ref } : { version: range };
  const isMoved = isWantGiven(addition, options) && !isDeepStrictEqual(given, want);
  const isSelected = addition.select !== undefined && !isDeepStrictEqual(addition.select, select);
  const grouping = groupFields(options);
  const isGrouped =
    grouping.groups !== undefined &&
    !isDeepStrictEqual(grouping.groups.toSorted(byCodeUnit), groups);
  if (!isMoved && !isSelected && !isGrouped) return written;
  const fields = typeof written === 'string' ? { repo: written } : written;
  const { ref: refInForm, file, quant } = parseRepoForm(fields.repo, ...hubs);
  const saysMore = refInForm !== undefined || file !== undefined || quant !== undefined;
  const whole: EntryFields = saysMore
    ? { ...fields, repo: shortestForm(type, repo), ...wantFields(want), ...select }
    : fields;
  const { ref: _ref, version: _version, ...withoutWant } = whole;
  const moved = isMoved ? { ...withoutWant, ...wantFields(given) } : whole;
  const selected = isSelected ? { ...withoutSelection(moved), ...addition.select } : moved;
  const result = isGrouped ? { ...selected, ...grouping } : selected;
  return typeof written === 'string' ? shorthand(result, type) : result;
}

/**
 * A name for an entry, made from a repository id: the last part in lower case, with `-` for `.`,
 * and a leading `_` where it would not be a name otherwise. `Mistral-7B-Instruct-v0.3` of any
 * organisation gives `mistral-7b-instruct-v0-3`.
 */
export function nameFor(id: string): string {
  const last = id.slice(id.lastIndexOf('/') + 1);
  const name = last.toLowerCase().replaceAll('.', '-');
  return ENTRY_NAME.test(name) ? name : `_${name}`;
}

/** The fields of a revision; none for the default. */
const wantFields = (want: ManifestEntry['want']): Partial<EntryFields> =>
  'ref' in want && want.ref === DEFAULT_REF ? {} : want;

function withoutSelection(fields: EntryFields): EntryFields {
  const { include: _in, exclude: _out, files: _files, ...withFormat } = fields;
  const { format: _format, variant: _variant, quant: _quant, ...rest } = withFormat;
  return rest;
}

/** The field of `--group`; none where it is not given. */
const groupFields = ({ group }: EntryOptions): Pick<EntryFields, 'groups'> =>
  group === undefined ? {} : { groups: [...new Set(group)] };

/** The fields as text where there is a form that says the same: `org/name`, `org/name:Q4_K_M`. */
function shorthand(fields: EntryFields, type: RepoType): EntryFile {
  const { repo, quant, ...others } = fields;
  if (Object.keys(others).length > 0) return fields;
  if (quant === undefined) return repo;
  return type === 'model' && repo.includes('/') ? `${repo}:${quant}` : fields;
}

/** The id alone, unless it looks like another form: an organisation may be called `models`. */
function shortestForm(type: RepoType, id: string): string {
  if (parseRepoForm(id).id === id) return id;
  return type === 'dataset' ? `hf-datasets:${id}` : `hf:${id}`;
}
