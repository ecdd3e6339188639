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
  return picomatch(glob.endsWith('/') ? `${glob}*` : glob, DIALECT);
}
