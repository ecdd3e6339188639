/** `model-00001-of-00002.safetensors`, `model.fp16-00001-of-00002.safetensors`, `model-00001-of-00002.fp16.safetensors`. */
const SHARD =
  /^(?<stem>.+?)(?:\.(?<variant>[A-Za-z0-9_]+))?-\d{5,6}-of-\d{5,6}(?:\.(?<late>[A-Za-z0-9_]+))?\.(?<ending>safetensors|bin|msgpack)$/u;

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
