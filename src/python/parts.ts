import { badTextReason, unsafeReason } from '../safe-path.ts';
import type { PartKind, Parameter } from './calls.ts';
import { stringOf, stringsOf } from './literals.ts';
import type { Expression } from './scopes.ts';

/** What a call loads of a repository: exact files, or globs over the LFS files; all of it where empty. */
export interface Part {
  readonly files?: readonly string[];
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}

/** What a call says of the part that it loads. */
export interface PartReading {
  /** `undefined` when the source does not tell. */
  readonly part: Part | undefined;
  /** The argument that could not be read. */
  readonly unread?: Expression;
}

/** The arguments of one call. */
export interface CallArguments {
  readonly source: string;
  readonly get: (parameter: Parameter) => Expression | undefined;
}

const SUBFOLDER: Parameter = { names: ['subfolder'] };
const WHOLE: PartReading = { part: {} };

/** Reads what a call loads of its repository. */
export const readPart = (kind: PartKind, call: CallArguments): PartReading => READERS[kind](call);

const READERS: Readonly<Record<PartKind, (call: CallArguments) => PartReading>> = {
  whole(call) {
    const file = textAt(call, { names: ['gguf_file'] });
    if (file !== undefined) return { part: globsOr([file]) };
    const folder = textAt(call, SUBFOLDER);
    return { part: folder === undefined ? {} : globsOr([`${folder.replace(/\/+$/u, '')}/`]) };
  },

  file(call) {
    const file = call.get({ at: 1, names: ['filename'] });
    if (file === undefined) return WHOLE;
    const more = call.get({ names: ['additional_files'] });
    const read = [file, ...(more === undefined ? [] : [more])].map((one) => ({
      one,
      names: stringsOf(one, call.source),
    }));
    const unread = read.find(({ names }) => names === undefined)?.one ?? unreadAt(call, SUBFOLDER);
    if (unread !== undefined) return { part: undefined, unread };
    const folder = textAt(call, SUBFOLDER);
    const names = read.flatMap(({ names: some = [] }) => some);
    const paths = names.map((name) => (folder === undefined ? name : `${folder}/${name}`));
    if (paths.some((path) => /[*?[]/u.test(path))) return { part: globsOr(paths) };
    const isSafe = paths.every((path) => unsafeReason(path) === undefined);
    return isSafe ? { part: { files: paths } } : { part: undefined, unread: file };
  },

  weight(call) {
    const name = textAt(call, { names: ['weight_name'] });
    if (name === undefined) return READERS.whole(call);
    const folder = textAt(call, SUBFOLDER);
    const path = folder === undefined ? name : `${folder}/${name}`;
    return { part: unsafeReason(path) === undefined ? { files: [path] } : {} };
  },

  patterns(call) {
    const include = globsAt(call, { names: ['allow_patterns'] });
    const exclude = globsAt(call, { names: ['ignore_patterns'] });
    const unread = include.unread ?? exclude.unread;
    if (unread !== undefined) return { part: {}, unread };
    return {
      part: {
        ...(include.globs === undefined ? {} : { include: include.globs }),
        ...(exclude.globs === undefined ? {} : { exclude: exclude.globs }),
      },
    };
  },

  data(call) {
    const folder = globsAt(call, { at: 2, names: ['data_dir'] });
    const files = globsAt(call, { at: 3, names: ['data_files'] });
    const unread = folder.unread ?? files.unread;
    if (unread !== undefined) return { part: {}, unread };
    const [below] = folder.globs ?? [];
    const prefix = below === undefined ? '' : `${below.replace(/\/+$/u, '')}/`;
    const globs = files.globs?.map((glob) => prefix + glob) ?? (prefix === '' ? [] : [prefix]);
    // Addresses name files of other repositories.
    const isInside = globs.every((glob) => !glob.includes('://'));
    return { part: isInside && globs.length > 0 ? { include: globs } : {} };
  },
};

/** A text; `undefined` where there is none, it is empty, or cannot be read. */
function textAt(call: CallArguments, parameter: Parameter): string | undefined {
  const expression = call.get(parameter);
  const text = expression === undefined ? undefined : stringOf(expression, call.source);
  return text === '' ? undefined : text;
}

function unreadAt(call: CallArguments, parameter: Parameter): Expression | undefined {
  const expression = call.get(parameter);
  if (expression === undefined || stringOf(expression, call.source) !== undefined) return undefined;
  return expression;
}

/** Globs that mean the same in `hug.yaml`; `unread` where that is not so. */
function globsAt(
  call: CallArguments,
  parameter: Parameter,
): { readonly globs?: readonly string[]; readonly unread?: Expression } {
  const expression = call.get(parameter);
  if (expression === undefined) return {};
  const globs = stringsOf(expression, call.source);
  if (globs === undefined || !globs.every(isSameGlob)) return { unread: expression };
  return globs.length === 0 ? {} : { globs: [...new Set(globs)] };
}

/** The LFS files of these globs; all files where a glob means something else in `hug.yaml`. */
const globsOr = (globs: readonly string[]): Part =>
  globs.every(isSameGlob) ? { include: globs } : {};

/** Only letters and `*` mean the same to Python's `fnmatch` and to `hug.yaml`. */
const isSameGlob = (glob: string): boolean =>
  glob !== '' &&
  glob.length <= 1000 &&
  !/[?[\](){}|\\]|^!/u.test(glob) &&
  badTextReason(glob) === undefined;
