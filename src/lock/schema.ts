import * as v from 'valibot';
import { isPlainObject, plainObject } from '../plain-object.ts';
import { isRepoId } from '../repo.ts';
import { ENDPOINT, MAX_ENDPOINT } from '../address.ts';
import { badTextReason, MAX_SEGMENT, unsafeReason } from '../safe-path.ts';
import { FORMATS } from '../selection.ts';
import { STORE_NAME } from './names.ts';

/** Version of the lock format that this release writes; it reads all from 1 on. */
export const LOCKFILE_VERSION = 2;

const BAD_ENDPOINT = 'is not an http or https address';

/** Names of entries: they become Nix attribute names. */
const nameSchema = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z_][A-Za-z0-9_-]{0,2047}$/u, 'is not an entry name'),
);

const repoIdSchema = v.pipe(v.string(), v.check(isRepoId, 'is not a repository id'));

const gitId = v.regex(/^[0-9a-f]{40}$/u, 'is not 40 hex digits');

/** Date and time of ISO 8601 in UTC, as the Hub writes it. */
const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$/u;

const sri = v.regex(/^sha256-[A-Za-z0-9+/]{43}=$/u, 'is not a SHA-256 in SRI form');

/** A segment of a URL: "%2E" is refused, since programs read it as "." (RFC 3986, section 6.2.2). */
const ENCODED_SEGMENT = String.raw`(?:[A-Za-z0-9._~-]|%(?:[013-9A-F][0-9A-F]|2[0-9A-DF]))+`;

/** A percent-encoded path without "." and ".." segments. `nix/valid.nix` has the same. */
const ENCODED_PATH = new RegExp(
  String.raw`^(?!(?:.*\/)?\.\.?(?:\/|$))${ENCODED_SEGMENT}(?:\/${ENCODED_SEGMENT})*$`,
  'u',
);

/** A repository path, or a ref, which becomes a path below `refs/`. */
const pathSchema = v.pipe(
  v.string(),
  v.check(
    (path) => unsafeReason(path) === undefined,
    (issue) => unsafeReason(issue.input) ?? 'is unsafe',
  ),
);

/** A text that is neither a path nor an id. */
const textSchema = v.pipe(
  v.string(),
  v.check(
    (text) => badTextReason(text) === undefined,
    (issue) => badTextReason(issue.input) ?? 'is unsafe',
  ),
);

const refSchema = v.pipe(
  pathSchema,
  textSchema,
  v.description('Branch, tag, refs/pr/N or commit that was resolved.'),
);

const fileSchema = plainObject(
  v.strictObject({
    size: v.pipe(
      v.number(),
      v.safeInteger(),
      v.minValue(0),
      v.description('Length of the content in bytes.'),
    ),
    hash: v.pipe(v.string(), sri, v.description('SHA-256 of the content, SRI form.')),
    oid: v.pipe(
      v.string(),
      gitId,
      v.description("Git blob id at that commit; of an LFS file, its pointer's."),
    ),
    lfs: v.exactOptional(v.pipe(v.literal(true), v.description('Present for LFS files only.'))),
    storeName: v.exactOptional(
      v.pipe(
        v.string(),
        v.regex(STORE_NAME, 'is not a store path name'),
        v.description('Name in the Nix store, when the base name is not a valid one.'),
      ),
    ),
    url: v.exactOptional(
      v.pipe(
        v.string(),
        v.regex(ENCODED_PATH, 'is not a percent-encoded path'),
        v.check(
          (url) => url.split('/').every((segment) => segment.length <= 3 * MAX_SEGMENT),
          'has a segment that is too long',
        ),
        v.description('Percent-encoded path, when it differs from the path.'),
      ),
    ),
  }),
);

const listOf = <TItem extends v.GenericSchema>(item: TItem) =>
  v.pipe(v.array(item), v.minLength(1), v.readonly());

/** A text of at least one character. */
const wordSchema = v.pipe(textSchema, v.minLength(1, 'is empty'));

/** Part of a file name, as `fp16` and `Q4_K_M`. */
const tagSchema = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_.-]{1,32}$/u, 'is not a part of a file name'),
);

const selectSchema = plainObject(
  v.strictObject({
    include: v.exactOptional(listOf(textSchema)),
    exclude: v.exactOptional(listOf(textSchema)),
    files: v.exactOptional(listOf(pathSchema)),
    format: v.exactOptional(v.picklist(FORMATS)),
    variant: v.exactOptional(tagSchema),
    quant: v.exactOptional(tagSchema),
    code: v.exactOptional(
      v.pipe(v.literal(false), v.description('Present where the policy leaves code out.')),
    ),
  }),
);

/** `org/name` at a ref, as a loader asks for it. */
const needSchema = plainObject(
  v.strictObject({
    repo: v.pipe(repoIdSchema, v.description('The id as the file names it.')),
    ref: refSchema,
    by: v.pipe(pathSchema, v.description('The file of this entry that names it.')),
  }),
);

/**
 * A JSON object as a `Map`, so that no key (`__proto__`, `constructor`) is lost or special.
 * `v.record` leaves such keys out in silence.
 */
const mapOf = <
  K extends v.GenericSchema<string, string>,
  V extends v.GenericSchema<unknown, unknown>,
>(
  key: K,
  value: V,
) =>
  v.pipe(
    v.custom<Readonly<Record<string, unknown>>>(isPlainObject, 'must be an object'),
    v.transform((object) => new Map(Object.entries(object))),
    v.map(key, value),
    v.transform((map): ReadonlyMap<v.InferOutput<K>, v.InferOutput<V>> => map),
  );

const entrySchema = plainObject(
  v.strictObject({
    repo: v.pipe(repoIdSchema, v.description('The id the Hub answers with.')),
    requested: v.exactOptional(
      v.pipe(repoIdSchema, v.description('The id the manifest asks for, when it is another one.')),
    ),
    repoId: v.exactOptional(
      v.pipe(
        v.string(),
        v.regex(/^[0-9a-f]{24}$/u, 'is not 24 hex digits'),
        v.description('The name that the Hub itself gave the repository; a rename keeps it.'),
      ),
    ),
    version: v.exactOptional(
      v.pipe(textSchema, v.description('The semver range the manifest asks for.')),
    ),
    ref: refSchema,
    rev: v.pipe(v.string(), gitId, v.description('The commit.')),
    date: v.exactOptional(
      v.pipe(
        v.string(),
        v.regex(DATE, 'is not a date and time in UTC'),
        v.description('When the commit was made; present only under minimumAge.'),
      ),
    ),
    license: v.exactOptional(
      v.pipe(
        listOf(wordSchema),
        v.description('Licences that README.md declares at that commit; absent for none.'),
      ),
    ),
    licenseName: v.exactOptional(
      v.pipe(wordSchema, v.description('Name of the licence that the Hub lists as "other".')),
    ),
    groups: v.exactOptional(
      v.pipe(listOf(nameSchema), v.description("Echo of the manifest's groups, sorted.")),
    ),
    select: v.exactOptional(
      v.pipe(selectSchema, v.description("Echo of the manifest's selection.")),
    ),
    needs: v.exactOptional(
      v.pipe(
        listOf(needSchema),
        v.description('Repositories that files of this entry name, sorted by repo, ref and by.'),
      ),
    ),
    files: mapOf(pathSchema, fileSchema),
  }),
);

/** Shape of `hug.lock.json`. The types and `schemas/hug.lock.schema.json` come from here. */
export const lockSchema = v.pipe(
  plainObject(
    v.strictObject({
      lockfileVersion: v.pipe(
        v.picklist([1, LOCKFILE_VERSION]),
        v.description('Version of this format; an older one is upgraded, a newer one refused.'),
      ),
      endpoint: v.exactOptional(
        v.pipe(
          v.string(),
          // Nothing more, since Nix has no parser for addresses.
          v.regex(ENDPOINT, BAD_ENDPOINT),
          v.maxLength(MAX_ENDPOINT, BAD_ENDPOINT),
          v.description('Address of the Hub; present only when the manifest sets it.'),
        ),
      ),
      models: mapOf(nameSchema, entrySchema),
      datasets: mapOf(nameSchema, entrySchema),
      needed: v.exactOptional(
        v.pipe(
          mapOf(v.string(), entrySchema),
          v.description(
            'What entries need and the manifest does not declare, by models/ORG/NAME@REF: the id as asked, and the ref.',
          ),
        ),
      ),
    }),
  ),
  v.title('hug.lock.json'),
  v.description(
    'Models and datasets, pinned by nix-hug. Written by `nix-hug lock`; not for hands.',
  ),
);

/** One file at its commit. */
export type LockedFile = Readonly<v.InferOutput<typeof fileSchema>>;

/** One entry of the manifest, resolved. Files are keyed by path. */
export type LockedEntry = Readonly<v.InferOutput<typeof entrySchema>>;

/** A whole lock; entries are keyed by name. */
export type Lock = Readonly<v.InferOutput<typeof lockSchema>>;
