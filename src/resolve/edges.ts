import { byCodeUnit } from '../collections.ts';
import { asPlainObject, isPlainObject } from '../plain-object.ts';
import { quote } from '../quote.ts';
import { badRefReason, DEFAULT_REF, isRepoId } from '../repo.ts';
import { badTextReason, unsafeReason } from '../safe-path.ts';
import {
  COMBINED_PIPELINE,
  type EdgeData,
  isLeftOut,
  KINDS_OF,
  LIST_FILES,
  type Mention,
  PIPELINE_CARD,
  PIPELINE_INDEX,
  type Unsupported,
} from './edge-kinds.ts';
import { readFrontMatter } from './license.ts';
import { parsePythonJson } from './python-json.ts';

/** What a loader takes of the repository that an edge leads to. */
export type Take =
  | { readonly kind: 'weights' }
  | { readonly kind: 'code' }
  | {
      readonly kind: 'folder';
      /** A safe path, without a trailing slash. */
      readonly folder: string;
    };

/** One repository that a file of another one names. */
export interface Edge {
  /** The id as the file has it. */
  readonly repo: string;
  readonly ref: string;
  /** Path of the file. */
  readonly by: string;
  /** Place in the file, for messages: `base_model_name_or_path`, `auto_map.AutoModel`. */
  readonly key: string;
  readonly take: Take;
}

/** The facts about a file that decide whether it is read. */
interface SizedFile {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Anything but `undefined` marks an LFS file. */
  readonly lfs?: unknown;
}

/** Largest file that is read, in bytes. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Warnings of one call; the others are counted. */
const MAX_WARNINGS = 20;

/**
 * Of some files, those that may name other repositories. LFS files are not read.
 *
 * @param files those that the selection keeps
 * @returns a warning for each file that is too large
 */
export function edgeFiles<F extends SizedFile>(
  files: readonly F[],
): {
  readonly files: readonly F[];
  readonly warnings: readonly string[];
} {
  const plain = files.filter(({ lfs }) => lfs === undefined);
  const paths = new Set(plain.map(({ path }) => path));
  const hasCard = paths.has(PIPELINE_INDEX) && paths.has(PIPELINE_CARD);
  const candidates = plain.filter(({ path }) =>
    path === PIPELINE_CARD || path === PIPELINE_INDEX ? hasCard : isEdgeFile(path),
  );
  const isTooLarge = ({ size }: SizedFile) => size > MAX_BYTES;
  const warnings = candidates
    .filter(isTooLarge)
    .map(({ path }) => unread(path, `has more than ${MAX_BYTES} bytes`));
  return { files: candidates.filter((file) => !isTooLarge(file)), warnings: capped(warnings) };
}

/** A README in a folder is not the one of the repository. */
const isEdgeFile = (path: string): boolean => {
  const name = baseName(path);
  return KINDS_OF.has(name) && name !== PIPELINE_CARD;
};

/**
 * The repositories that files name, as their loaders read them. Strangers write these files, so no
 * content makes it throw.
 *
 * @param contents by path; paths that `edgeFiles` does not give are passed over
 * @param own ids of the repository itself, compared without case: they are no edges
 * @returns edges by repository, ref and path, each once; of two for the same three that take different
 *   parts, both. A warning for each file that cannot be read, and for each value that is no repository
 */
export function edgesIn(
  contents: ReadonlyMap<string, Uint8Array>,
  own: readonly string[],
): { readonly edges: readonly Edge[]; readonly warnings: readonly string[] } {
  const isOwn = lowerCased(own);
  const edges = new Map<string, Edge>();
  const warnings = new Set<string>();
  for (const [by, data] of edgeData(contents)) {
    for (const found of findingsIn(by, data, isOwn)) {
      if (typeof found === 'string') warnings.add(found);
      else {
        const key = JSON.stringify([found.repo, found.ref, by, found.take]);
        if (!edges.has(key)) edges.set(key, found);
      }
    }
  }
  const sorted = [...edges.values()].toSorted(
    (a, b) => byCodeUnit(a.repo, b.repo) || byCodeUnit(a.ref, b.ref) || byCodeUnit(a.by, b.by),
  );
  return { edges: sorted, warnings: capped([...warnings]) };
}

function lowerCased(ids: readonly string[]): (id: string) => boolean {
  const lower = new Set(ids.map((id) => id.toLowerCase()));
  return (id) => lower.has(id.toLowerCase());
}

/** The data of each file that may have edges, by path; `undefined` for a file that cannot be read. */
function* edgeData(
  contents: ReadonlyMap<string, Uint8Array>,
): Iterable<readonly [path: string, data: unknown]> {
  const { _class_name: pipeline } = asPlainObject(parse(contents.get(PIPELINE_INDEX)));
  const isCombined = typeof pipeline === 'string' && COMBINED_PIPELINE.test(pipeline);
  for (const [path, bytes] of [...contents].toSorted(([a], [b]) => byCodeUnit(a, b))) {
    if (isEdgeFile(path)) yield [path, parse(bytes)];
    else if (path === PIPELINE_CARD && isCombined) yield [path, readFrontMatter(textOf(bytes))];
  }
}

function parse(bytes: Uint8Array | undefined): unknown {
  try {
    return parsePythonJson(textOf(bytes));
  } catch {
    return undefined;
  }
}

/** Bytes that are not UTF-8 become U+FFFD, which no id has. */
const textOf = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

/** Edges and warnings of one file, with repeats. */
function* findingsIn(
  by: string,
  data: unknown,
  isOwn: (id: string) => boolean,
): Iterable<Edge | string> {
  const shape = LIST_FILES.has(baseName(by)) ? 'list' : 'object';
  if (data === undefined) yield unread(by, 'cannot be read');
  else if (!isOfShape(data, shape)) yield unread(by, `is not a JSON ${shape}`);
  else {
    for (const { read } of KINDS_OF.get(baseName(by)) ?? []) {
      for (const mention of read(data)) {
        const found = check(by, mention, isOwn);
        if (found !== undefined) yield found;
      }
    }
  }
}

const isOfShape = (data: unknown, shape: 'list' | 'object'): data is EdgeData =>
  shape === 'list' ? Array.isArray(data) : isPlainObject(data);

/** @returns a warning for what cannot be an edge; `undefined` where no other repository is named */
function check(
  by: string,
  mention: Mention | Unsupported,
  isOwn: (id: string) => boolean,
): Edge | string | undefined {
  const file = quote(by);
  const { key } = mention;
  if ('reason' in mention)
    return `${file} names ${quote(mention.name)} in ${key}, ${mention.reason}`;
  const { repo, revision, folder, take } = mention;
  if (isLeftOut(repo)) return undefined;
  if (typeof repo !== 'string') return `${file} has no text in ${key}, so nothing is locked for it`;
  if (isOwn(repo)) return undefined;
  const named = `${file} names ${quote(repo)} in ${key}`;
  if (!isRepoId(repo)) return `${named}, which is no repository id: nothing is locked for it`;
  const ref = isLeftOut(revision) ? DEFAULT_REF : revision;
  const badRef = flawOf(ref, badRefReason);
  if (badRef !== undefined) return `${named} at the revision ${badRef}: it is not locked`;
  if (isLeftOut(folder)) return { repo, ref: String(ref), by, key, take: { kind: take } };
  const path = withoutSlash(folder);
  // The lock has it in a glob.
  const badFolder = flawOf(path, (text) => badTextReason(text) ?? unsafeReason(text));
  if (badFolder !== undefined) return `${named} with the folder ${badFolder}: it is not locked`;
  return { repo, ref: String(ref), by, key, take: { kind: 'folder', folder: String(path) } };
}

/** A value that is not a fitting text, and why. */
function flawOf(
  value: unknown,
  reasonAgainst: (text: string) => string | undefined,
): string | undefined {
  if (typeof value !== 'string') return 'that is not text';
  const reason = reasonAgainst(value);
  return reason === undefined ? undefined : `${quote(value)}, which ${reason}`;
}

const withoutSlash = (folder: unknown): unknown =>
  typeof folder === 'string' && folder.endsWith('/') ? folder.slice(0, -1) : folder;

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

const unread = (path: string, reason: string): string =>
  `${quote(path)} ${reason}, so nix-hug does not see which repositories it names`;

const capped = (warnings: readonly string[]): readonly string[] =>
  warnings.length <= MAX_WARNINGS
    ? warnings
    : [...warnings.slice(0, MAX_WARNINGS), `and ${warnings.length - MAX_WARNINGS} more`];
