import { groupBy } from '../collections.ts';
import { weightFormat } from '../weight-format.ts';
import { isShardIndex } from './shards.ts';

/** The number of a shard in its name. */
const SHARD_NUMBER = /-\d{5,6}-of-\d{5,6}(?=\.)/u;

/** A name with a variant before its ending: `model.fp16.safetensors`. */
const WITH_VARIANT = /^(.+)\.([A-Za-z][A-Za-z0-9_-]*)(\.[A-Za-z0-9_]+)$/u;

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/** The base name without the number of a shard: all shards of a model have the same. */
const stemOf = (path: string): string =>
  path.slice(path.lastIndexOf('/') + 1).replace(SHARD_NUMBER, '');

/** The variant in the name of a weight file; `undefined` when its name is that of plain weights. */
const variantOf = (path: string): string | undefined => WITH_VARIANT.exec(stemOf(path))?.[2];

/** Whether a file is a weight file of a variant. */
export const hasVariant = (path: string, variant: string): boolean =>
  weightFormat(path) !== undefined && stemOf(path).includes(`.${variant}.`);

/**
 * Of the weight files in each folder, those of a variant where there are any, else the plain ones; all
 * other files. A pipeline may have the variant of some of its parts only.
 *
 * @param all files of a commit, or those that globs and a format keep of it
 */
export function selectVariant<F extends { readonly path: string }>(
  all: readonly F[],
  variant: string,
): readonly F[] {
  const weights = all.filter(({ path }) => weightFormat(path) !== undefined);
  const dropped = new Set<F>();
  for (const own of groupBy(weights, ({ path }) => folderOf(path)).values()) {
    const isThere = own.some(({ path }) => !isShardIndex(path) && hasVariant(path, variant));
    const stems = new Set(own.map(({ path }) => stemOf(path)));
    for (const file of own) {
      const isKept = isThere ? hasVariant(file.path, variant) : isPlain(file.path, stems);
      if (!isKept) dropped.add(file);
    }
  }
  return all.filter((file) => !dropped.has(file));
}

/** Whether no file of the folder has the same name without a variant in it. */
function isPlain(path: string, stems: ReadonlySet<string>): boolean {
  const stem = stemOf(path);
  const plain = stem.replace(WITH_VARIANT, '$1$3');
  return plain === stem || !stems.has(plain);
}

/** The variants that a repository has beside plain weights of the same name, sorted as its files. */
export function variantsIn(files: readonly { readonly path: string }[]): readonly string[] {
  const weights = files.filter(({ path }) => weightFormat(path) !== undefined);
  const found = [...groupBy(weights, ({ path }) => folderOf(path)).values()].flatMap((own) => {
    const stems = new Set(own.map(({ path }) => stemOf(path)));
    return own.flatMap(({ path }) => {
      const variant = variantOf(path);
      return variant === undefined || isPlain(path, stems) ? [] : [variant];
    });
  });
  return [...new Set(found)];
}
