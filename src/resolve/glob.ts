import picomatch from 'picomatch';
import { HugError } from '../errors.ts';
import { quoted } from '../quote.ts';

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

/** Characters; picomatch recurses, and could not take some ten thousand of them. */
const LONGEST = 1000;

/**
 * Compiles a glob over whole repository paths; a final `/` means all below that folder.
 *
 * @param glob pattern of a manifest's `include` or `exclude`
 * @throws HugError `EHUG_SELECTION` when it is empty, or longer than any glob
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

function withoutFolder(glob: string): string {
  if (glob === '')
    throw new HugError('EHUG_SELECTION', 'a glob is empty', {
      hint: 'Leave it out to keep every file.',
    });
  if (glob.length > LONGEST) {
    throw new HugError(
      'EHUG_SELECTION',
      `the glob ${quoted(glob)} has over ${LONGEST} characters`,
      {
        hint: 'Write a shorter one, or list the files one by one.',
      },
    );
  }
  return glob.endsWith('/') ? `${glob}*` : glob;
}
