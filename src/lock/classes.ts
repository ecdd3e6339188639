import type { RepoType } from '../repo.ts';
import { weightFormat } from '../weight-format.ts';

/** What a file is for, in the order in which changes are listed. */
export const CHANGE_CLASSES = ['weights', 'code', 'tokenizer', 'config', 'docs', 'data'] as const;

export type ChangeClass = (typeof CHANGE_CLASSES)[number];

const TOKENIZER =
  /(?:^|\/)(?:(?:tokenizer|vocab|chat_template)[^/]*|merges\.txt|special_tokens_map\.json|added_tokens\.json|[^/]*\.(?:model|spm|tiktoken)|additional_chat_templates\/.*)$/u;
const DOCS = /(?:^|\/)(?:(?:README|LICENSE|NOTICE)[^/]*|\.gitattributes)$/u;
/** In a dataset these can be its rows. */
const DOCS_OF_MODEL = /\.(?:md|avif|bmp|gif|ico|jpe?g|png|svg|tiff?|webp)$/iu;

/**
 * The class of a file, by its path alone. Of several that could be meant the first counts: a
 * `tokenizer.py` is code.
 *
 * @param type in a dataset, images and Markdown are data, but for its README
 */
export function classOf(path: string, type: RepoType): ChangeClass {
  if (weightFormat(path) !== undefined) return 'weights';
  if (path.endsWith('.py')) return 'code';
  if (TOKENIZER.test(path)) return 'tokenizer';
  if (path.endsWith('.json')) return 'config';
  if (DOCS.test(path) || (type === 'model' && DOCS_OF_MODEL.test(path))) return 'docs';
  return 'data';
}

/** The classes of some files, each once, in the order of `CHANGE_CLASSES`. */
export function classesOf(paths: readonly string[], type: RepoType): ChangeClass[] {
  const found = new Set(paths.map((path) => classOf(path, type)));
  return CHANGE_CLASSES.filter((one) => found.has(one));
}
