import { HugError } from '../errors.ts';
import type { Selection } from '../manifest/schema.ts';
import { compileGlob } from './glob.ts';

/** What a selection looks at. */
export interface Selectable {
  readonly path: string;
  /** Anything but `undefined` marks an LFS file. */
  readonly lfs?: unknown;
}

/** The files a selection keeps, and what is worth telling the user about it. */
export interface Selected<F> {
  readonly files: readonly F[];
  readonly warnings: readonly string[];
}

/**
 * Applies a selection to the files of a commit. Globs choose among LFS files, plain files are
 * always kept, exclude wins over include; exact paths choose among all files.
 *
 * @throws HugError `EHUG_SELECTION` when an exact path is not there, or no file is left
 */
export function selectFiles<F extends Selectable>(
  files: readonly F[],
  selection: Selection | undefined,
): Selected<F> {
  const selected = applySelection(files, selection);
  if (selected.files.length > 0) return selected;
  throw new HugError(
    'EHUG_SELECTION',
    files.length === 0 ? 'the repository has no files' : 'the selection leaves no file',
    { hint: files.length === 0 ? 'Name another repository.' : 'Loosen include and exclude.' },
  );
}

function applySelection<F extends Selectable>(
  files: readonly F[],
  selection: Selection | undefined,
): Selected<F> {
  if (selection === undefined) return { files, warnings: [] };
  if ('files' in selection) return { files: exactFiles(files, selection.files), warnings: [] };
  const include = (selection.include ?? []).map(compileGlob);
  const exclude = (selection.exclude ?? []).map(compileGlob);
  const lfs = files.filter((file) => file.lfs !== undefined);
  const kept = (file: F) =>
    file.lfs === undefined ||
    ((include.length === 0 || include.some((matches) => matches(file.path))) &&
      !exclude.some((matches) => matches(file.path)));
  return {
    files: files.filter(kept),
    warnings: [
      ...idleGlobs('include', selection.include, lfs),
      ...idleGlobs('exclude', selection.exclude, lfs),
    ],
  };
}

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

function idleGlobs(
  key: 'include' | 'exclude',
  globs: readonly string[] | undefined,
  lfs: readonly Selectable[],
): string[] {
  return (globs ?? [])
    .filter((glob) => {
      const matches = compileGlob(glob);
      return !lfs.some(({ path }) => matches(path));
    })
    .map(
      (glob) => `${key} ${JSON.stringify(glob)} matches no LFS file; plain files are always kept`,
    );
}
