import { groupBy } from '../collections.ts';
import type { Selection } from '../manifest/schema.ts';
import { quote } from '../quote.ts';
import { unsafeReason } from '../safe-path.ts';
import { weightFormat } from '../weight-format.ts';
import { ggufName } from './quant.ts';

/** The facts about a file that decide whether others are missing beside it. */
interface NamedFile {
  readonly path: string;
  /** Anything but `undefined` marks an LFS file. */
  readonly lfs?: unknown;
}

/** Files that one warning names. */
const MAX_NAMED = 5;

/**
 * Warnings for what a loader will ask for and does not find: shards that an index names, parts of a split
 * GGUF file, weights of a folder, tokenizers.
 *
 * @param all files of the commit
 * @param kept those that the selection keeps
 * @param shardsOf file names by the path of the index that names them, relative to its folder; an index
 *   that cannot be read has `undefined`
 */
export function incompleteness(
  all: readonly NamedFile[],
  kept: readonly NamedFile[],
  selection: Selection | undefined,
  shardsOf: ReadonlyMap<string, readonly string[] | undefined>,
): readonly string[] {
  const there = new Set(all.map(({ path }) => path));
  const taken = new Set(kept.map(({ path }) => path));
  return [
    ...[...shardsOf].flatMap(([index, shards]) => missingShards(index, shards, there, taken)),
    ...missingParts(all, taken),
    ...emptiedFolders(all, kept, selection),
    ...droppedTokenizers(all, taken, selection),
  ];
}

function missingShards(
  index: string,
  shards: readonly string[] | undefined,
  there: ReadonlySet<string>,
  taken: ReadonlySet<string>,
): string[] {
  if (shards === undefined) return [`${quote(index)} cannot be read as an index of shards`];
  const folder = folderOf(index);
  const isOutside = (name: string) => name.includes('://') || unsafeReason(name) !== undefined;
  const paths = shards.filter((name) => !isOutside(name)).map((name) => folder + name);
  const outside = shards.filter(isOutside);
  const missing = paths.filter((path) => !taken.has(path));
  const isUsed = missing.length < paths.length;
  const absent = missing.filter((path) => !there.has(path));
  return [
    ...(outside.length === 0
      ? []
      : [`${quote(index)} names what is no file of its folder: ${listOf(outside)}`]),
    ...(isUsed
      ? [
          ...leftOut(
            `of the shards that ${quote(index)} names,`,
            missing.filter((path) => there.has(path)),
          ),
          ...(absent.length === 0
            ? []
            : [`${quote(index)} names shards that the commit does not have: ${listOf(absent)}`]),
        ]
      : []),
  ];
}

/** Counts parts that are in no commit: a name can say that there are 99,999. */
function missingParts(all: readonly NamedFile[], taken: ReadonlySet<string>): string[] {
  const parts = all.flatMap(({ path }) => {
    const name = ggufName(path);
    return name === undefined || name.parts <= 1 ? [] : [{ path, ...name }];
  });
  return [...groupBy(parts, ({ prefix, parts: of }) => `${prefix} ${of}`).values()].flatMap(
    (own) => {
      const [{ prefix, parts: of }] = own;
      const dropped = own.flatMap(({ path }) => (taken.has(path) ? [] : [path]));
      if (dropped.length === own.length) return [];
      const absent = of - new Set(own.map(({ part }) => part)).size;
      return [
        ...leftOut(`of the ${of} parts of ${quote(prefix)},`, dropped),
        ...(absent > 0
          ? [`of the ${of} parts of ${quote(prefix)}, the commit does not have ${absent}`]
          : []),
      ];
    },
  );
}

/** Weights that a loader takes where a folder has no others. */
const PYTORCH_MODEL = /(?:^|\/)(?:diffusion_)?pytorch_model[^/]*\.bin$/u;

/**
 * Folders whose weights are of PyTorch alone, where a selection asks for safetensors: parts of pipelines
 * and modules of sentence-transformers.
 */
function emptiedFolders(
  all: readonly NamedFile[],
  kept: readonly NamedFile[],
  selection: Selection | undefined,
): string[] {
  if (selection === undefined || !('format' in selection)) return [];
  if (selection.format !== 'safetensors') return [];
  const full = new Set(
    kept.filter(({ path }) => weightFormat(path) !== undefined).map(({ path }) => folderOf(path)),
  );
  const folders = all
    .filter(({ path }) => PYTORCH_MODEL.test(path) && !full.has(folderOf(path)))
    .map(({ path }) => folderOf(path) || './');
  const emptied = [...new Set(folders)];
  return emptied.length === 0
    ? []
    : [
        `the format safetensors leaves no weights in ${listOf(emptied)}, which has those of pytorch`,
      ];
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/** Base names of tokenizers that are large enough for LFS. */
const TOKENIZER =
  /(?:^|\/)(?:tokenizer\.json|tokenizer\.model[^/]*|spiece\.model|[^/]*\.spm|sentencepiece\.bpe\.model|[^/]*\.tiktoken|vocab\.[^/]*|merges\.txt)$/u;

/** Exact paths are what the user wants, and a GGUF file has its tokenizer inside. */
function droppedTokenizers(
  all: readonly NamedFile[],
  taken: ReadonlySet<string>,
  selection: Selection | undefined,
): string[] {
  if (selection === undefined || 'files' in selection || 'quant' in selection) return [];
  const dropped = all.filter(
    ({ path, lfs }) => lfs !== undefined && !taken.has(path) && TOKENIZER.test(path),
  );
  if (dropped.length === 0) return [];
  const paths = dropped.map(({ path }) => path);
  return [`the selection leaves out ${listOf(paths)}, which a tokenizer may need`];
}

const leftOut = (what: string, dropped: readonly string[]): string[] =>
  dropped.length === 0 ? [] : [`${what} the selection leaves out ${listOf(dropped)}`];

function listOf(paths: readonly string[]): string {
  const more = paths.length - MAX_NAMED;
  const named = paths.slice(0, MAX_NAMED).map(quote).join(', ');
  return more > 0 ? `${named} and ${more} more` : named;
}
