import type { Selection } from '../manifest/schema.ts';
import { weightFormat } from '../weight-format.ts';
import { selectFormat } from './format.ts';
import { compileGlob, posixOfGlob } from './glob.ts';
import { selectQuant } from './quant.ts';
import {
  type Listed,
  missingFiles,
  missingFormat,
  missingQuant,
  missingVariant,
  nothingLeft,
} from './selection-errors.ts';
import { withoutOrphanIndexes } from './shards.ts';
import { hasVariant, selectVariant } from './variant.ts';

/** Files that a selection keeps, and warnings for the user. */
interface Selected<F> {
  readonly files: readonly F[];
  readonly warnings: readonly string[];
}

/**
 * Applies a selection to the files of a commit. Globs and a quant filter LFS files and keep all plain
 * files; exclude wins over include. A format and a variant filter weight files by their names, among
 * those that the globs keep. Exact paths choose among all files.
 *
 * @param files sizes in bytes, for the lists in errors
 * @returns the files in their order, and warnings for the user
 * @throws HugError `EHUG_SELECTION` when an exact path, a format or a quant does not exist, or no file
 *   is left
 */
export function selectFiles<F extends Listed>(
  files: readonly F[],
  selection: Selection | undefined,
): Selected<F> {
  const selected = filesOf(files, selection);
  if (selected.files.length === 0) throw nothingLeft(files);
  return selected;
}

function filesOf<F extends Listed>(
  files: readonly F[],
  selection: Selection | undefined,
): Selected<F> {
  if (selection === undefined) return { files, warnings: [] };
  if ('files' in selection) return { files: exactFiles(files, selection.files), warnings: [] };
  if ('quant' in selection) return { files: quantFiles(files, selection.quant), warnings: [] };
  const { format, variant } = selection;
  const include = compileGlobs(selection.include);
  const exclude = compileGlobs(selection.exclude);
  if (format !== undefined && !files.some(({ path }) => weightFormat(path) === format)) {
    throw missingFormat(files, format);
  }
  const kept = files.filter(
    ({ path, lfs }) =>
      lfs === undefined ||
      ((include.length === 0 || matchesAny(include, path)) && !matchesAny(exclude, path)),
  );
  const ofFormat = format === undefined ? kept : selectFormat(kept, format);
  const isMissing =
    variant !== undefined && !ofFormat.some(({ path }) => hasVariant(path, variant));
  const ofVariant = variant === undefined ? ofFormat : selectVariant(ofFormat, variant);
  const isByName = format !== undefined || variant !== undefined;
  return {
    files: isByName ? withoutOrphanIndexes(files, ofVariant) : ofVariant,
    warnings: [
      ...unmatchedGlobs('include', include, files),
      ...unmatchedGlobs('exclude', exclude, files),
      ...(isMissing ? [missingVariant(ofFormat, variant)] : []),
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

function exactFiles<F extends Listed>(files: readonly F[], paths: readonly string[]): F[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const missing = paths.filter((path) => !byPath.has(path));
  if (missing.length > 0) throw missingFiles(files, missing);
  return paths.flatMap((path) => byPath.get(path) ?? []);
}

function quantFiles<F extends Listed>(files: readonly F[], quant: string): F[] {
  const taken = new Set(selectQuant(files, quant));
  if (taken.size === 0) throw missingQuant(files, quant);
  return files.filter((file) => file.lfs === undefined || taken.has(file));
}

function unmatchedGlobs(
  key: 'include' | 'exclude',
  globs: readonly CompiledGlob[],
  files: readonly Listed[],
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
 * Translates a selection for Nix. When a glob has no POSIX expression, and for a format, a variant or a
 * quant, the selected files are listed.
 *
 * @param selection of a manifest entry or of options
 * @param all every file of the commit
 * @param selected the files that the selection keeps
 * @returns `undefined` when no filter is needed
 */
export function filtersOf(
  selection: Selection | undefined,
  all: readonly Listed[],
  selected: readonly Listed[],
): Filters | undefined {
  if (selection === undefined || 'files' in selection) return selection;
  const listed = { files: selected.map(({ path }) => path) };
  if ('quant' in selection || selection.format !== undefined || selection.variant !== undefined) {
    return listed;
  }
  const lfsPaths = all.filter(({ lfs }) => lfs !== undefined).map(({ path }) => path);
  const translate = (glob: string) => posixOfGlob(glob, lfsPaths);
  const include = selection.include?.map(translate) ?? [];
  const exclude = selection.exclude?.map(translate) ?? [];
  if (!areTranslated(include) || !areTranslated(exclude)) return listed;
  return {
    ...(include.length === 0 ? {} : { include }),
    ...(exclude.length === 0 ? {} : { exclude }),
  };
}

const areTranslated = (globs: readonly (string | undefined)[]): globs is readonly string[] =>
  !globs.includes(undefined);
