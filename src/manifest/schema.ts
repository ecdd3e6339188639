import * as v from 'valibot';
import { plainObject } from '../plain-object.ts';
import { REF_FLAWS, repoPattern, type RepoType } from '../repo.ts';
import { badEndpointReason, ENDPOINT } from '../address.ts';
import { type Flaw, PATH_FLAWS, TEXT_FLAWS } from '../safe-path.ts';
import { allowSchema, type Policy, policySchema, type Rule } from './policy-schema.ts';
import { type Format, FORMATS, QUANT, VARIANT } from '../selection.ts';

/** A manifest as the rest of nix-hug sees it: every shorthand is written out, every rule holds. */
export interface Manifest {
  /** Address of the Hub, without a trailing slash, when the file sets one. */
  readonly endpoint?: string;
  /** What entries may be, when the file says so. */
  readonly policy?: Policy;
  /** Models, then datasets, each in file order. */
  readonly entries: readonly ManifestEntry[];
}

/** A revision and a selection of a repository: an entry of the manifest, or what one needs. */
export interface WantedEntry {
  /** Key in the manifest, or in the lock's `needed`; unique among the entries of its type. */
  readonly name: string;
  readonly type: RepoType;
  /** Repository id as the file asks for it: `org/name`, or a canonical name such as `gpt2`. */
  readonly repo: string;
  readonly want: Want;
  /** Absent when the whole repository is wanted. */
  readonly select?: Selection;
  /** Groups, sorted; absent for an entry that is always taken. */
  readonly groups?: readonly string[];
  /** `false` where the policy leaves code out. */
  readonly code?: false;
  /** How old its commit must be by the policy, in ms. */
  readonly minAge?: number;
}

/** One model or dataset of the manifest. */
export interface ManifestEntry extends WantedEntry {
  /** The entry's own mode, else the file's; `lock` when absent. */
  readonly dependencies?: DependencyMode;
  /** Rules of the policy that the entry may break. */
  readonly allow?: readonly Rule[];
  /** Where the entry's name stands in the file. */
  readonly position: Position;
}

/** Which revision: a branch, tag, `refs/pr/N` or commit (`main` when the file is silent), or a semver range over the tags. */
type Want = { readonly ref: string } | { readonly version: string };

/**
 * Which files: globs over the LFS files, a format and a variant of the weights; or exact paths; or a quant
 * of a GGUF repository. Lists are never empty and hold no item twice.
 */
export type Selection =
  | {
      readonly include?: readonly string[];
      readonly exclude?: readonly string[];
      readonly format?: Format;
      readonly variant?: string;
    }
  | { readonly files: readonly string[] }
  | { readonly quant: string };

/** What is done with the repositories that the files of an entry name. */
const DEPENDENCY_MODES = ['lock', 'warn', 'ignore'] as const;

export type DependencyMode = (typeof DEPENDENCY_MODES)[number];

/** A place in the file, both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The sections of a manifest in the order of its entries, and the type of what they hold. */
export const SECTIONS = [
  { section: 'models', type: 'model' },
  { section: 'datasets', type: 'dataset' },
] as const satisfies readonly { section: string; type: RepoType }[];

/** Names that match the pattern but that JavaScript objects cannot hold safely. */
export const RESERVED_NAMES: readonly string[] = ['__proto__', 'prototype', 'constructor'];

/** Names of entries. They become attributes in Nix. */
export const ENTRY_NAME =
  /^(?!(?:__proto__|prototype|constructor)$)[A-Za-z_][A-Za-z0-9_-]{0,2047}$/u;

const map = <TSchema extends v.GenericSchema<object>>(schema: TSchema) =>
  plainObject(schema, 'must be a map');

/** What `rules.ts` refuses, in JSON Schema: for editors. Valibot takes it for a mere description. */
type Keywords = Readonly<Record<string, unknown>>;

const without = (flaws: readonly Flaw[]): Keywords => ({
  not: {
    anyOf: flaws.map(({ pattern, reason }) => ({ pattern: pattern.source, $comment: reason })),
  },
});

const written = v.pipe(v.string('must be text'), v.nonEmpty('is empty'));

const text = (description: string, keywords: Keywords = {}) =>
  v.pipe(written, v.metadata({ description, ...keywords }));

const glob = v.pipe(
  written,
  v.regex(/^(?!!)/u, 'begins with "!": list what to leave out under "exclude", without the "!"'),
  v.metadata(without(TEXT_FLAWS)),
);

const groupName = v.pipe(
  written,
  v.regex(
    ENTRY_NAME,
    'is not a group: a name has letters, digits, "_" and "-", and begins with a letter or "_"',
  ),
);

const filePath = v.pipe(written, v.metadata(without(PATH_FLAWS)));

const list = <TItem extends v.GenericSchema<string>>(
  item: TItem,
  description: string,
  toLeaveOut = 'to keep every file',
) =>
  v.pipe(
    v.array(item, 'must be a list'),
    v.nonEmpty(`is an empty list: leave it out ${toLeaveOut}`),
    v.readonly(),
    v.metadata({ description, uniqueItems: true }),
  );

/** Fields of an entry, each with those that cannot stand beside it. */
export const EXCLUSIONS: ReadonlyMap<string, readonly string[]> = new Map([
  ['ref', ['version']],
  ['files', ['include', 'exclude', 'format', 'variant', 'quant']],
  ['quant', ['include', 'exclude', 'format', 'variant']],
]);

const exclusions: Keywords = {
  dependencies: Object.fromEntries(
    [...EXCLUSIONS].map(([key, others]) => [
      key,
      { properties: Object.fromEntries(others.map((other) => [other, false])) },
    ]),
  ),
};

const dependencies = (description: string) =>
  v.exactOptional(
    v.pipe(
      v.picklist(DEPENDENCY_MODES, 'must be lock, warn or ignore'),
      v.description(description),
    ),
  );

const commonFields = {
  ref: v.exactOptional(
    text(
      'Branch, tag, refs/pr/N or 40-hex commit; main when left out. Quote a commit that has digits only. Excludes "version".',
      without(REF_FLAWS),
    ),
  ),
  version: v.exactOptional(
    text(
      'Semver range over the tags of the repository, with or without "v" before the numbers; the highest match wins. Excludes "ref".',
      without(TEXT_FLAWS),
    ),
  ),
  include: v.exactOptional(
    list(
      glob,
      'Globs of the LFS files to keep. Plain git files such as configurations are always kept.',
    ),
  ),
  exclude: v.exactOptional(list(glob, 'Globs of the LFS files to leave out. Wins over "include".')),
  files: v.exactOptional(
    list(
      filePath,
      'Exact paths of the files to keep, and no others. Excludes all other keys that select files.',
    ),
  ),
  format: v.exactOptional(
    v.pipe(
      written,
      v.picklist(FORMATS, 'is not a format'),
      v.description('Of the weight files, keep those of this format. All other files stay.'),
    ),
  ),
  variant: v.exactOptional(
    v.pipe(
      written,
      v.regex(VARIANT, 'takes a part of file names, as fp16 in model.fp16.safetensors'),
      v.description(
        'Of the weight files in each folder, keep those with the variant in their names, such as model.fp16.safetensors; in a folder without any, the plain ones.',
      ),
    ),
  ),
  quant: v.exactOptional(
    v.pipe(
      written,
      v.regex(QUANT, 'takes letters, digits, "_" and "-", as in Q4_K_M'),
      v.description(
        'Quant of a GGUF repository, such as Q4_K_M: what llama-server -hf org/name:Q4_K_M takes, every part and mmproj. Plain files stay. Excludes all other keys that select files.',
      ),
    ),
  ),
  groups: v.exactOptional(
    list(
      groupName,
      'Groups of the entry: commands with --group NAME and hug.groups.NAME take it. An entry without groups is always taken.',
      'for an entry that is always taken',
    ),
  ),
  dependencies: dependencies(
    'For this entry, instead of "dependencies" at the top: lock, warn or ignore.',
  ),
  allow: allowSchema,
};

const entry = (repo: Keywords) =>
  v.union(
    [
      text('Repository at main, with all of its files: any form that "repo" takes.', repo),
      v.pipe(
        map(
          v.strictObject({
            repo: text(
              'Repository: org/name, a canonical name such as gpt2, or its address on the Hub. An address with /tree/REF or /commit/SHA fills "ref"; with /blob/REF/FILE, /raw/REF/FILE or /resolve/REF/FILE it fills "ref" and "files".',
              repo,
            ),
            ...commonFields,
          }),
        ),
        v.metadata(exclusions),
      ),
    ],
    'must be a repository, or a map that has "repo"',
  );

const entryName = v.pipe(
  v.string(),
  v.regex(ENTRY_NAME, 'a name has letters, digits, "_" and "-", and begins with a letter or "_"'),
);

const entries = (type: RepoType, description: string) =>
  v.exactOptional(
    v.pipe(
      v.nullable(map(v.record(entryName, entry({ pattern: repoPattern(type) })))),
      v.description(description),
    ),
  );

const fileFields = {
  endpoint: v.exactOptional(
    v.pipe(
      v.string('must be text'),
      v.regex(ENDPOINT, ({ input }) => badEndpointReason(input) ?? 'is not an address'),
      v.description('Address of the Hub; HF_ENDPOINT wins over it.'),
    ),
  ),
  dependencies: dependencies(
    'Repositories that files of the entries name, such as the base model of an adapter: lock (the default) locks them too, warn names them, ignore passes over them.',
  ),
  policy: policySchema,
  models: entries('model', 'Models by name. Each becomes an attribute of that name in Nix.'),
  datasets: entries('dataset', 'Datasets by name. Each becomes an attribute of that name in Nix.'),
};

/** Shape of `hug.yaml`. `schemas/hug.schema.json` is made from it. */
export const manifestSchema = v.pipe(
  map(v.strictObject(fileFields)),
  // A file of comments only is null to editors; we read it as an empty map.
  v.metadata({ type: ['object', 'null'] }),
  v.title('hug.yaml'),
  v.description('Models and datasets of the Hugging Face Hub that nix-hug locks for Nix.'),
);

/** A manifest as written, once its shape is known to be right. */
export type ManifestFile = v.InferOutput<typeof manifestSchema>;

/** An entry as written: a repository form, or its fields. */
export type EntryFile = v.InferOutput<ReturnType<typeof entry>>;

/** The fields of an entry as written. */
export type EntryFields = Exclude<EntryFile, string>;

/** Keys that the top of a manifest may have. */
export const FILE_KEYS: readonly string[] = Object.keys(fileFields);

/** Keys that an entry may have. */
export const ENTRY_KEYS: readonly string[] = ['repo', ...Object.keys(commonFields)];
