import { byCodeUnit } from '../collections.ts';
import { HugError } from '../errors.ts';
import { asPlainObject } from '../plain-object.ts';
import { DEFAULT_REF, type RepoForm } from '../repo.ts';
import { ageMs } from './policy-schema.ts';
import {
  endpointProblems,
  entryProblems,
  policyProblems,
  type RawEntry,
  rawEntries,
} from './rules.ts';
import type {
  EntryFields,
  EntryFile,
  Manifest,
  ManifestEntry,
  ManifestFile,
  Selection,
} from './schema.ts';
import { checkShape } from './shape.ts';
import { type ManifestSource, readSource } from './source.ts';

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
  const data = source.data ?? {};
  const { endpoint, policy } = asPlainObject(data);
  const hubs = [endpoint, options.endpoint].filter((hub) => typeof hub === 'string');
  const entries = rawEntries(data, hubs);
  const shape = checkShape(data, source.written);
  const faults = source.faultsWith([
    ...shape.problems,
    ...endpointProblems(endpoint),
    ...policyProblems(policy),
    ...entries.flatMap(entryProblems),
  ]);
  if (faults.length > 0 || shape.file === undefined) throw invalid(file, faults);
  return normalised(shape.file, entries, source.positionOf);
}

/** An entry of a valid manifest as its text has it. */
export function entryAsWritten(
  text: string,
  { type, name }: Pick<ManifestEntry, 'type' | 'name'>,
): EntryFile | undefined {
  const { data, written } = readSource(text);
  return checkShape(data, written).file?.[`${type}s`]?.[name];
}

function invalid(file: string, faults: ReturnType<ManifestSource['faultsWith']>): HugError {
  const lines = faults.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
  // An anchored value is checked wherever it is repeated, and stands in one place.
  const details = [...new Set(lines)];
  const problems = details.length === 1 ? 'a problem' : `${details.length} problems`;
  return new HugError('EHUG_MANIFEST_INVALID', `${file} has ${problems}`, {
    details,
    hint: 'Correct the places named. Nothing was changed.',
  });
}

function normalised(
  file: ManifestFile,
  raw: readonly RawEntry[],
  positionOf: ManifestSource['positionOf'],
): Manifest {
  const omitsCode = file.policy?.remoteCode === 'omit';
  const age = file.policy?.minimumAge;
  const entries = raw.flatMap(({ name, section, type, form }): ManifestEntry[] => {
    const value = file[section]?.[name];
    // Never so in a file without problems.
    if (value === undefined || form === undefined || form instanceof HugError) return [];
    const fields: EntryFields = typeof value === 'string' ? { repo: value } : value;
    const { ref, version } = fields;
    const select = selectionOf(fields, form);
    const dependencies = fields.dependencies ?? file.dependencies;
    return [
      {
        name,
        type,
        repo: form.id,
        want: version === undefined ? { ref: ref ?? form.ref ?? DEFAULT_REF } : { version },
        position: positionOf([section, name]),
        ...(select === undefined ? {} : { select }),
        ...(fields.groups === undefined ? {} : { groups: fields.groups.toSorted(byCodeUnit) }),
        ...(dependencies === undefined ? {} : { dependencies }),
        ...(fields.allow === undefined ? {} : { allow: fields.allow }),
        ...(omitsCode && fields.allow?.includes('remoteCode') !== true ? { code: false } : {}),
      },
    ];
  });
  const policy = file.policy === undefined ? {} : { policy: file.policy };
  const aged = age === undefined ? entries : withAge(entries, ageMs(age));
  if (file.endpoint === undefined) return { ...policy, entries: aged };
  const { origin, pathname } = new URL(file.endpoint);
  return { endpoint: `${origin}${pathname}`.replace(/\/+$/u, ''), ...policy, entries: aged };
}

/**
 * Gives entries the age that their commits must have, unless the rule is allowed to be broken: by all
 * entries of the same ref of a repository, since these have one commit.
 */
function withAge(entries: readonly ManifestEntry[], minAge: number): ManifestEntry[] {
  const keyOf = ({ type, repo, want }: ManifestEntry) =>
    JSON.stringify([type, repo.toLowerCase(), want]);
  const held = new Set(
    entries.filter(({ allow }) => allow?.includes('minimumAge') !== true).map(keyOf),
  );
  return entries.map((entry) => (held.has(keyOf(entry)) ? { ...entry, minAge } : entry));
}

function selectionOf(fields: EntryFields, form: RepoForm): Selection | undefined {
  const { include, exclude, format, variant } = fields;
  const { files = form.file === undefined ? undefined : [form.file], quant = form.quant } = fields;
  if (files !== undefined) return { files };
  if (quant !== undefined) return { quant };
  const select = {
    ...(include === undefined ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
    ...(format === undefined ? {} : { format }),
    ...(variant === undefined ? {} : { variant }),
  };
  return Object.keys(select).length === 0 ? undefined : select;
}
