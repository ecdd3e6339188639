import { asPlainObject } from '../plain-object.ts';

/** `model-00001-of-00002.safetensors`, `model.fp16-00001-of-00002.safetensors`, `model-00001-of-00002.fp16.safetensors`. */
const SHARD =
  /^(?<stem>.+?)(?:\.(?<variant>[A-Za-z0-9_]+))?-\d{5,6}-of-\d{5,6}(?:\.(?<late>[A-Za-z0-9_]+))?\.(?<ending>safetensors|bin|msgpack)$/u;

/** `model.safetensors.index.json`, and `model.safetensors.index.fp16.json` of a variant. */
const INDEX = /\.(?:safetensors|bin|msgpack)\.index(?:\.[A-Za-z0-9_-]+)?\.json$/u;

/** Whether a file is an index that names the shards of a model. */
export const isShardIndex = (path: string): boolean => INDEX.test(path);

/** Largest index that is read, in bytes; the Hub has none that is larger outside of LFS. */
const MAX_INDEX_BYTES = 10 * 1024 * 1024;

/** The facts about a file that decide whether it is read. */
interface SizedFile {
  readonly path: string;
  readonly size: number;
  /** Anything but `undefined` marks an LFS file. */
  readonly lfs?: unknown;
}

/** The indexes among some files that name the shards of a model, where weights stand beside them. */
export function indexesToRead<F extends SizedFile>(files: readonly F[]): readonly F[] {
  const folders = new Set(
    files.filter(({ path }) => SHARD.test(path)).map(({ path }) => folderOf(path)),
  );
  return files.filter(
    ({ path, size, lfs }) =>
      lfs === undefined &&
      size <= MAX_INDEX_BYTES &&
      isShardIndex(path) &&
      folders.has(folderOf(path)),
  );
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/**
 * The files that an index names, each once.
 *
 * @param bytes content of the index
 * @returns `undefined` when it is none, such as broken JSON
 */
export function shardsNamedIn(bytes: Uint8Array): readonly string[] | undefined {
  try {
    const map = asPlainObject(
      asPlainObject(JSON.parse(new TextDecoder().decode(bytes)))['weight_map'],
    );
    const names = [...new Set(Object.values(map))];
    return names.length > 0 && names.every((name) => typeof name === 'string') ? names : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The indexes that may name a shard, by the way that `save_pretrained` names both; none when the file is
 * no shard.
 */
function indexesOfShard(path: string): readonly string[] {
  const { stem, variant, late, ending } = SHARD.exec(path)?.groups ?? {};
  if (stem === undefined) return [];
  const part = variant ?? late;
  const plain = `${stem}.${ending}.index.json`;
  if (part === undefined) return [plain];
  return [`${stem}.${ending}.index.${part}.json`, `${stem}.${part}.${ending}.index.json`];
}

/**
 * Leaves out the indexes whose shards a selection has left out, all of them: a loader that finds an index
 * asks for its shards.
 *
 * @param all files before the selection
 * @param kept files after it
 */
export function withoutOrphanIndexes<F extends { readonly path: string }>(
  all: readonly F[],
  kept: readonly F[],
): readonly F[] {
  const named = (files: readonly F[]) => new Set(files.flatMap(({ path }) => indexesOfShard(path)));
  const before = named(all);
  const after = named(kept);
  return kept.filter(({ path }) => !before.has(path) || after.has(path));
}
