import picomatch from 'picomatch';

/**
 * The one glob dialect of nix-hug: picomatch with `*` crossing `/` and matching leading dots, and
 * `[!a]` for a negated class. Extended globs and a leading `!` have no special meaning.
 */
const DIALECT: picomatch.PicomatchOptions = {
  bash: true,
  dot: true,
  posix: true,
  nonegate: true,
  noextglob: true,
  windows: false,
};

/**
 * Compiles a glob over whole repository paths; a final `/` means all below that folder.
 *
 * @param glob pattern of a manifest's `include` or `exclude`
 */
export function compileGlob(glob: string): (path: string) => boolean {
  const matches = picomatch(withoutFolder(glob), DIALECT);
  // Not the matcher itself, whose second parameter would take an index for an option.
  return (path) => matches(path);
}

/**
 * The regular expression behind a glob. A path that is the glob itself, letter for letter, matches
 * the glob even where it does not match the expression (`a[1].txt`).
 */
export function expressionOf(glob: string): RegExp {
  return picomatch.makeRe(withoutFolder(glob), DIALECT);
}

const withoutFolder = (glob: string): string => (glob.endsWith('/') ? `${glob}*` : glob);
