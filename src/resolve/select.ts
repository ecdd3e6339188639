import { HugError } from '../errors.ts';
import type { Selection } from '../manifest/schema.ts';
import { compileGlob, posixOfGlob } from './glob.ts';

/** The facts about a file that decide whether it is selected. */
interface Selectable {
  readonly path: string;
  /** Anything but `undefined` marks an LFS file. */
  readonly lfs?: unknown;
}

/**
 * Applies a selection to the files of a commit. Globs filter LFS files and keep all plain files;
 * exclude wins over include. Exact paths choose among all files.
 *
 * @returns the files that the selection keeps, and warnings for the user
 * @throws HugError `EHUG_SELECTION` when an exact path does not exist, or no file is left
 */
export function selectFiles<F extends Selectable>(
  files: readonly F[],
  selection: Selection | undefined,
): { readonly files: readonly F[]; readonly warnings: readonly string[] } {
  if (selection !== undefined && 'files' in selection) {
    return { files: exactFiles(files, selection.files), warnings: [] };
  }
  const include = compileGlobs(selection?.include);
  const exclude = compileGlobs(selection?.exclude);
  const isKept = ({ path, lfs }: F) =>
    lfs === undefined ||
    ((include.length === 0 || matchesAny(include, path)) && !matchesAny(exclude, path));
  const kept = files.filter(isKept);
  if (kept.length === 0) {
    throw new HugError(
      'EHUG_SELECTION',
      files.length === 0 ? 'the repository has no files' : 'the selection leaves no file',
      { hint: files.length === 0 ? 'Name another repository.' : 'Loosen include and exclude.' },
    );
  }
  return {
    files: kept,
    warnings: [
      ...unmatchedGlobs('include', include, files),
      ...unmatchedGlobs('exclude', exclude, files),
    ],
  };
}

interface CompiledGlob {
  readonly glob: string;
  readonly matches: (path: string) => boolean;
}

const compileGlobs = (globs: readonly string[] = []): CompiledGlob[] =>
  globs.map((glob) => ({ glob, matches: compileGlob(glob) }));

const matchesAny = (globs: readonly CompiledGlob[], path: string): boolean =>
  globs.some(({ matches }) => matches(path));

function exactFiles<F extends Selectable>(files: readonly F[], paths: readonly string[]): F[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const missing = paths.filter((path) => !byPath.has(path));
  if (missing.length > 0) {
    throw new HugError(
      'EHUG_SELECTION',
      `no such file at this commit: ${missing.map((path) => JSON.stringify(path)).join(', ')}`,
      { hint: 'Names are exact, case counts; use include for patterns.' },
    );
  }
  return paths.flatMap((path) => byPath.get(path) ?? []);
}

function unmatchedGlobs(
  key: 'include' | 'exclude',
  globs: readonly CompiledGlob[],
  files: readonly Selectable[],
): string[] {
  return globs
    .filter(({ matches }) => !files.some(({ path, lfs }) => lfs !== undefined && matches(path)))
    .map(
      ({ glob }) =>
        `${key} ${JSON.stringify(glob)} matches no LFS file; plain files are always kept`,
    );
}

/** The `filters` of `fetchModel` in Nix: expressions over whole paths of LFS files, or exact paths. */
export type Filters =
  | { readonly include?: readonly string[]; readonly exclude?: readonly string[] }
  | { readonly files: readonly string[] };

/**
 * Translates a selection for Nix. When a glob has no POSIX expression, the selected files are listed.
 *
 * @param selection of a manifest entry or of options
 * @param all every file of the commit
 * @param selected the files that the selection keeps
 * @returns `undefined` when no filter is needed
 */
export function filtersOf(
  selection: Selection | undefined,
  all: readonly Selectable[],
  selected: readonly Selectable[],
): Filters | undefined {
  if (selection === undefined || 'files' in selection) return selection;
  const lfsPaths = all.filter(({ lfs }) => lfs !== undefined).map(({ path }) => path);
  const translate = (glob: string) => posixOfGlob(glob, lfsPaths);
  const include = selection.include?.map(translate) ?? [];
  const exclude = selection.exclude?.map(translate) ?? [];
  if (!areTranslated(include) || !areTranslated(exclude)) {
    return { files: selected.map(({ path }) => path) };
  }
  return {
    ...(include.length === 0 ? {} : { include }),
    ...(exclude.length === 0 ? {} : { exclude }),
  };
}

const areTranslated = (globs: readonly (string | undefined)[]): globs is readonly string[] =>
  !globs.includes(undefined);
