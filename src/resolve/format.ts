import { groupBy } from '../collections.ts';
import { type Format, FORMATS } from '../selection.ts';
import { type WeightFormat, weightFormat } from '../weight-format.ts';

/** The facts about a file that its format depends on, and its size in bytes. */
interface SizedFile {
  readonly path: string;
  readonly size: number;
}

/** Mistral's own form of the weights, which it ships beside that of transformers. */
const CONSOLIDATED = /^((?:.*\/)?)consolidated[^/]*\.safetensors$/u;
const TRANSFORMERS = /^((?:.*\/)?)model[^/]*\.safetensors$/u;

/**
 * Of the weight files, those of one format, without their copies in another layout; all other files.
 *
 * @param all files of a commit, or those that globs keep of it
 */
export function selectFormat<F extends { readonly path: string }>(
  all: readonly F[],
  format: Format,
): readonly F[] {
  const ofFormat = all.filter(({ path }) => {
    const found = weightFormat(path);
    return found === undefined || found === format;
  });
  const folders = new Set(ofFormat.map(({ path }) => TRANSFORMERS.exec(path)?.[1]));
  return ofFormat.filter(({ path }) => {
    const folder = CONSOLIDATED.exec(path)?.[1];
    return folder === undefined || !folders.has(folder);
  });
}

/** The weights of one format in a repository. */
export interface FormatOffer {
  readonly format: WeightFormat;
  /** In bytes, of the weight files that the format selects. */
  readonly size: number;
}

/**
 * The formats of weights that a repository has, with what each of them takes.
 *
 * @returns in the order of `FORMATS`, then those that cannot be asked for
 */
export function formatsIn(files: readonly SizedFile[]): readonly FormatOffer[] {
  const byFormat = groupBy(files, ({ path }) => weightFormat(path));
  return [...FORMATS, 'rust' as const, 'coreml' as const].flatMap((format) => {
    const own = byFormat.get(format);
    if (own === undefined) return [];
    const taken = isFormat(format) ? selectFormat(own, format) : own;
    return [{ format, size: taken.reduce((sum, { size }) => sum + size, 0) }];
  });
}

/** Whether the manifest can ask for a format. */
export const isFormat = (format: string): format is Format =>
  (FORMATS as readonly string[]).includes(format);
