import { isGitId, isSha256Hex } from '../digest.ts';
import { isPlainObject } from '../plain-object.ts';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A file of a commit, as the official client notes it in `trees/<commit>.json`. */
export interface TreeItem {
  readonly path: string;
  /** Length of the content in bytes. */
  readonly size: number;
  /** Git blob id; of an LFS file, its pointer's. */
  readonly oid: string;
  /** SHA-256 of the content in hex, for an LFS file. */
  readonly sha256?: string | undefined;
  /** Name of the content in Xet storage; a lock does not know it. */
  readonly xetHash?: string | undefined;
}

/** What is known of the files of a commit. */
export interface CommitTree {
  readonly items: readonly TreeItem[];
  /** Whether these are all files of the commit. */
  readonly isWhole: boolean;
}

/** The one format that there is; a client ignores others. */
const FORMAT_VERSION = 1;

/** What is noted of a file. */
type Facts = Readonly<Record<string, unknown>>;

/**
 * Text of `trees/<commit>.json` with these files and those that it lists already, byte for byte as
 * the official client writes it (`_tree_cache.py`): sorted by code point, indented by one space, in
 * ASCII, without a final newline.
 *
 * @param before its text as it is, or as it was at several times; none when there is none. Facts
 *   that only a client knows (`xet_hash`) are kept
 */
export function treesText(before: Iterable<string>, items: readonly TreeItem[]): string {
  const files = new Map<string, Facts>();
  const add = (path: string, facts: Facts) => files.set(path, { ...files.get(path), ...facts });
  for (const text of before) for (const [path, facts] of parse(text)) add(path, facts);
  for (const item of items) add(item.path, factsOf(item));
  const lines = [...files]
    .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([path, facts]) => `  ${ascii(path)}: ${indented(facts)}`);
  const listed = lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n }`;
  return `{\n "format_version": ${FORMAT_VERSION},\n "files": ${listed}\n}`;
}

/**
 * What the text of `trees/<commit>.json` expects of a snapshot, by path: the SHA-256 in hex of an
 * LFS file, the git blob id of a plain one, as their blobs are named. The official client writes it
 * since 1.22.
 *
 * @param text `undefined` where there is no such file
 */
export function expectedIn(text: string | undefined): ReadonlyMap<string, string> {
  const expected = new Map<string, string>();
  for (const [path, facts] of parse(text)) {
    const etag = facts['lfs_sha256'] ?? facts['blob_id'];
    if (typeof etag === 'string' && (isSha256Hex(etag) || isGitId(etag))) expected.set(path, etag);
  }
  return expected;
}

function factsOf({ size, oid, sha256, xetHash }: TreeItem): Facts {
  const lfs = sha256 === undefined ? {} : { lfs_sha256: sha256, lfs_size: size };
  return { size, blob_id: oid, ...lfs, ...(xetHash === undefined ? {} : { xet_hash: xetHash }) };
}

/** What a text lists; nothing when it is damaged or of another format, as for the client. */
function parse(text: string | undefined): Map<string, Facts> {
  const listed = new Map<string, Facts>();
  const value = text === undefined ? undefined : parseJson(text);
  if (!isPlainObject(value) || value['format_version'] !== FORMAT_VERSION) return listed;
  const files = value['files'];
  if (!isPlainObject(files)) return listed;
  for (const [path, facts] of Object.entries(files)) {
    if (isPlainObject(facts)) listed.set(path, facts);
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

/** Python's `json.dumps` leaves printable ASCII alone. */
const escaped = (json: string): string =>
  json.replace(/[^\n -~]/gu, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );

/**
 * What the cache notes that the files of a snapshot should be, see `expectedIn`.
 *
 * @param repo folder of the repository in the cache
 * @returns nothing where nothing is noted, or nothing that is understood
 */
export async function readExpected(
  repo: string,
  rev: string,
): Promise<ReadonlyMap<string, string>> {
  const file = join(repo, 'trees', `${rev}.json`);
  return expectedIn(await readFile(file, 'utf8').catch(() => undefined));
}
