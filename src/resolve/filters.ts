import type { Selection } from '../manifest/schema.ts';
import { posixOfGlob } from './posix.ts';
import type { Selectable } from './select.ts';

/** The `filters` of `fetchModel` in Nix: expressions over whole paths of LFS files, or exact paths. */
export type Filters =
  | { readonly include?: readonly string[]; readonly exclude?: readonly string[] }
  | { readonly files: readonly string[] };

/**
 * Says a selection in Nix. Where a glob has no expression, the selected files are named one by one.
 *
 * @param selection what the user asks for
 * @param all every file of the commit
 * @param selected those that the selection keeps
 * @returns `undefined` when no filter is needed
 */
export function filtersOf(
  selection: Selection | undefined,
  all: readonly Selectable[],
  selected: readonly Selectable[],
): Filters | undefined {
  if (selection === undefined || 'files' in selection) return selection;
  const paths = all.filter(({ lfs }) => lfs !== undefined).map(({ path }) => path);
  const include = expressionsOf(selection.include, paths);
  const exclude = expressionsOf(selection.exclude, paths);
  if (include === undefined || exclude === undefined) {
    return { files: selected.map(({ path }) => path) };
  }
  return {
    ...(include.length === 0 ? {} : { include }),
    ...(exclude.length === 0 ? {} : { exclude }),
  };
}

/** `undefined` when one of the globs has no expression. */
function expressionsOf(
  globs: readonly string[] | undefined,
  paths: readonly string[],
): readonly string[] | undefined {
  const expressions = (globs ?? []).map((glob) => posixOfGlob(glob, paths));
  return expressions.every((expression) => expression !== undefined) ? expressions : undefined;
}
