import picomatch from 'picomatch';
import { HugError } from '../errors.ts';
import { quote } from '../quote.ts';

/**
 * The one glob dialect of nix-hug: picomatch with `*` crossing `/` and matching leading dots and line
 * separators, and `[!a]` for a negated class. Extended globs and a leading `!` have no special meaning.
 */
const DIALECT: picomatch.PicomatchOptions = {
  bash: true,
  dot: true,
  flags: 's',
  posix: true,
  nonegate: true,
  noextglob: true,
  windows: false,
};

/** Characters; picomatch recurses, and could not take some ten thousand of them. */
const MAX_LENGTH = 1000;

/**
 * Compiles a glob over whole repository paths; a final `/` means all below that folder.
 *
 * @param glob pattern of a manifest's `include` or `exclude`
 * @throws HugError `EHUG_SELECTION` when it is empty, or longer than any glob
 */
export function compileGlob(glob: string): (path: string) => boolean {
  const expression = committed(expressionOf(glob));
  const letters = withoutFolder(glob);
  return (path) => path === letters || expression.test(path);
}

/**
 * The regular expression behind a glob. A path that is the glob itself, letter for letter, matches
 * the glob even where it does not match the expression (`a[1].txt`).
 */
export function expressionOf(glob: string): RegExp {
  return picomatch.makeRe(withoutFolder(glob), DIALECT);
}

function withoutFolder(glob: string): string {
  if (glob === '') throw unusable('a glob is empty', 'Leave it out to keep every file.');
  if (glob.length > MAX_LENGTH) {
    const problem = `the glob ${quote(glob)} has over ${MAX_LENGTH} characters`;
    throw unusable(problem, 'Write a shorter one, or list the files one by one.');
  }
  return glob.endsWith('/') ? `${glob}*` : glob;
}

const unusable = (problem: string, hint: string): HugError =>
  new HugError('EHUG_SELECTION', problem, { hint });

/** Letters and classes: what matches it has always the same length. */
const FIXED = /^(?:[^\\^$.*+?()[\]{}|]|\\[^\w]|\[(?:[^\\\]]|\\[^\w])+\])*$/su;

/** What may refer to a group by its number, or be one. */
const NUMBERED = /\\\w|\((?!\?[:=!])/u;

/**
 * The same expression for one pass: what follows a star is taken where it comes first, which leaves
 * the next star the most, and no other place is tried (`(?=(…))\\k` is an atomic group). As picomatch
 * writes it, a path of n characters takes n to the power of the stars. Stars between alternatives
 * stay as they are.
 */
function committed(expression: RegExp): RegExp {
  const [first = '', ...parts] = expression.source.split('.*?');
  const last = parts.pop();
  if (last === undefined || NUMBERED.test(expression.source)) return expression;
  let source = first;
  for (const [index, part] of parts.entries()) {
    source += FIXED.test(part) ? `(?=(?<part${index}>.*?${part}))\\k<part${index}>` : `.*?${part}`;
  }
  return new RegExp(`${source}.*?${last}`, expression.flags);
}
