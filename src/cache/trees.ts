import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { digestOfBlobName } from '../digest.ts';
import { HugError } from '../errors.ts';
import { succeedsUnless } from '../failures.ts';
import { isPlainObject } from '../plain-object.ts';
import { readRegularFile } from '../regular-file.ts';
import { unsafeReason } from '../safe-path.ts';
import { blobNameOf, type CommitFile } from './layout.ts';
import { readIfThere } from './write/files.ts';

/** The files of a commit, as the official client lists them in `trees/<rev>.json`. */
export interface CommitTree {
  /** The known files of the commit, written to the cache or not. */
  readonly listed: readonly CommitFile[];
  /** Whether these are all files of the commit. */
  readonly isWhole: boolean;
}

/** The only version of the format; the client ignores a file of another one. */
const FORMAT_VERSION = 1;

/** The facts about one file, under the names that the client gives them. */
type Facts = Readonly<Record<string, unknown>>;

/**
 * Adds files to `trees/<rev>.json`, replacing it in one step, without a lock, as the official client
 * does. Whichever of two writers comes last, the list is complete: a partial file list is only merged
 * into an existing list; it never creates one, because huggingface_hub treats the list as complete.
 * A list that this user may not read stays as it is.
 *
 * @param scratch makes a folder of this process on the same file system
 * @throws the system's error
 */
export async function addToTree(
  file: string,
  { listed, isWhole }: CommitTree,
  scratch: () => Promise<string>,
): Promise<void> {
  let before: string | undefined;
  const isReadable = await succeedsUnless(['EACCES'], async () => {
    before = await readIfThere(file);
  });
  if (!isReadable) return;
  if (!isWhole && parseTree(before) === undefined) return;
  const after = treeText(before, listed);
  if (after === before) return;
  const temporary = path.join(await scratch(), path.basename(file));
  // The client makes its file by `mkstemp`, which nobody else may read.
  await writeFile(temporary, after, { mode: 0o600, flush: true });
  await rename(temporary, file);
}

/**
 * Text of `trees/<rev>.json` with these files added, byte for byte as the official client writes it
 * (`_tree_cache.py`): sorted by code point, indented by one space, in ASCII, without a final newline.
 *
 * @param before its text, of which facts that only a client knows (`xet_hash`) are kept; `undefined`
 *   when the file does not exist
 */
function treeText(before: string | undefined, added: readonly CommitFile[]): string {
  const files = new Map(parseTree(before));
  for (const file of added) files.set(file.path, { ...files.get(file.path), ...factsOf(file) });
  const lines = [...files]
    .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([name, facts]) => `  ${ascii(name)}: ${indented(facts)}`);
  const listed = lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n }`;
  return `{\n "format_version": ${FORMAT_VERSION},\n "files": ${listed}\n}`;
}

/**
 * Files that loaders look for and can do without (transformers, peft, sentence-transformers). Offline,
 * clients fail for a file that the snapshot does not have, unless there is an empty
 * `.no_exist/<rev>/<name>`. The same list is in `nix/build-cache.nix`.
 */
const PROBED_FILES: readonly string[] = [
  'adapter_config.json',
  'adapter_model.safetensors',
  'added_tokens.json',
  'chat_template.jinja',
  'chat_template.json',
  'config.json',
  'config_sentence_transformers.json',
  'generation_config.json',
  'model.safetensors',
  'model.safetensors.index.json',
  'modules.json',
  'preprocessor_config.json',
  'processor_config.json',
  'special_tokens_map.json',
  'tokenizer.json',
  'tokenizer.model',
  'tokenizer_config.json',
  'video_preprocessor_config.json',
];

/**
 * Marks the files that loaders look for and a commit does not have.
 *
 * @param folder `.no_exist/<rev>` of the repository
 * @param listed all files of the commit
 * @throws the system's error
 */
export async function markAbsent(folder: string, listed: readonly CommitFile[]): Promise<void> {
  const known = new Set(listed.map((file) => file.path));
  for (const absent of PROBED_FILES.filter((probed) => !known.has(probed))) {
    const mark = path.join(folder, absent);
    await succeedsUnless(['EEXIST'], () => writeFile(mark, '', { flag: 'wx' }));
  }
}

/**
 * The names that the blobs of a commit should have, by path: the SHA-256 in hex of an LFS file, the
 * git blob id of a plain one.
 *
 * @throws HugError those of `readTree`
 */
export async function readExpected(
  repo: string,
  rev: string,
): Promise<ReadonlyMap<string, string>> {
  const { listed } = await readTree(repo, rev);
  return new Map(listed.map((file) => [file.path, blobNameOf(file).hex]));
}

/**
 * The files that `trees/<rev>.json` lists with their digests. huggingface_hub writes it since 1.22.
 *
 * @param repo folder of the repository in the cache
 * @returns not whole, and perhaps empty, when the list does not exist or cannot be read
 * @throws HugError `EHUG_FILE_SYSTEM` for a pipe, a socket or a device in its place
 */
export async function readTree(repo: string, rev: string): Promise<CommitTree> {
  const file = path.join(repo, 'trees', `${rev}.json`);
  const text = await readRegularFile(file).catch((error: unknown) => {
    if (error instanceof HugError) throw error;
    return undefined;
  });
  const tree = parseTree(text);
  const listed = [...(tree ?? [])].flatMap(([name, facts]) => commitFile(name, facts) ?? []);
  return { listed, isWhole: listed.length === tree?.size };
}

/** A listed file; `undefined` when its path is not safe, or a fact is missing. */
function commitFile(name: string, facts: Facts): CommitFile | undefined {
  const { size, blob_id: oid, lfs_sha256: sha256, xet_hash: xet } = facts;
  const digest = digestOfBlobName(String(sha256 ?? oid));
  if (unsafeReason(name) !== undefined || digest === undefined) return undefined;
  if (typeof size !== 'number' || typeof oid !== 'string') return undefined;
  const xetHash = typeof xet === 'string' ? xet : undefined;
  return { path: name, size, digest, oid, isLfs: sha256 !== undefined, xetHash };
}

function factsOf({ size, digest, oid, isLfs, xetHash }: CommitFile): Facts {
  const lfs = isLfs ? { lfs_sha256: digest.hex, lfs_size: size } : {};
  return { size, blob_id: oid, ...lfs, ...(xetHash === undefined ? {} : { xet_hash: xetHash }) };
}

/** The listed files; `undefined` when the client would ignore the text: damaged, or another format. */
function parseTree(text: string | undefined): ReadonlyMap<string, Facts> | undefined {
  const value = text === undefined ? undefined : parseJson(text);
  if (!isPlainObject(value) || value['format_version'] !== FORMAT_VERSION) return undefined;
  const files = value['files'];
  if (!isPlainObject(files)) return undefined;
  const listed = new Map<string, Facts>();
  for (const [name, facts] of Object.entries(files)) {
    if (!isPlainObject(facts)) return undefined;
    listed.set(name, facts);
  }
  return listed;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const indented = (facts: Facts): string =>
  escaped(JSON.stringify(facts, null, 1)).replaceAll('\n', '\n  ');

const ascii = (text: string): string => escaped(JSON.stringify(text));

/** Escapes what Python's `json.dumps` escapes: all but printable ASCII. */
const escaped = (json: string): string =>
  json.replace(/[^\n -~]/gu, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
