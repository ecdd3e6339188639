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

/** In characters. picomatch recurses and overflows the stack at some ten thousand of them. */
const MAX_LENGTH = 1000;

/**
 * Compiles a glob over whole repository paths; a final `/` means all below that folder.
 *
 * @param glob pattern of a manifest's `include` or `exclude`
 * @throws HugError `EHUG_SELECTION` when it is empty or longer than 1,000 characters
 */
export function compileGlob(glob: string): (path: string) => boolean {
  const expression = singlePass(expressionOf(glob));
  const literal = withFolderStar(glob);
  return (path) => path === literal || expression.test(path);
}

/**
 * The regular expression behind a glob. A path that equals the glob, character for character, matches
 * the glob even where it does not match the expression (`a[1].txt`).
 */
export function expressionOf(glob: string): RegExp {
  return picomatch.makeRe(withFolderStar(glob), DIALECT);
}

function withFolderStar(glob: string): string {
  if (glob === '') throw unusable('a glob is empty', 'Leave it out to keep every file.');
  if (glob.length > MAX_LENGTH) {
    const problem = `the glob ${quote(glob)} has over ${MAX_LENGTH} characters`;
    throw unusable(problem, 'Write a shorter one, or list the files one by one.');
  }
  return glob.endsWith('/') ? `${glob}*` : glob;
}

const unusable = (problem: string, hint: string): HugError =>
  new HugError('EHUG_SELECTION', problem, { hint });

/** Letters and classes: every match has the same length. */
const FIXED_LENGTH = /^(?:[^\\^$.*+?()[\]{}|]|\\[^\w]|\[(?:[^\\\]]|\\[^\w])+\])*$/su;

/** A reference to a group by its number, or a group that has one. */
const NUMBERED = /\\\w|\((?!\?[:=!])/u;

/**
 * The same expression without backtracking: the text after a star is matched at its first occurrence,
 * which leaves most to the next star, and no other place is tried (`(?=(…))\\k` is an atomic group).
 * picomatch's own expression takes time in the length of the path to the power of the number of
 * stars. A star before an alternative keeps its backtracking.
 */
function singlePass(expression: RegExp): RegExp {
  const [first = '', ...parts] = expression.source.split('.*?');
  const last = parts.pop();
  if (last === undefined || NUMBERED.test(expression.source)) return expression;
  let source = first;
  for (const [index, part] of parts.entries()) {
    source += FIXED_LENGTH.test(part)
      ? `(?=(?<part${index}>.*?${part}))\\k<part${index}>`
      : `.*?${part}`;
  }
  return new RegExp(`${source}.*?${last}`, expression.flags);
}

/**
 * Translates a glob to a POSIX extended regular expression over whole paths, as `builtins.match` of
 * Nix takes it.
 *
 * @param paths the safe repository paths that the expression will be matched against
 * @returns `undefined` when the glob has more than letters, `*`, `**`, `/` and `{a,b}`, or when the
 *   expression would select other paths than the glob does
 * @throws HugError `EHUG_SELECTION`, see `compileGlob`
 */
export function posixOfGlob(glob: string, paths: readonly string[]): string | undefined {
  const matches = compileGlob(glob);
  const posix = translate(withFolderStar(glob));
  if (posix === undefined) return undefined;
  const source = posix.replaceAll('(', '(?:').replaceAll('.*', '.*?');
  const expression = singlePass(new RegExp(`^(?:${source})$`, 's'));
  return paths.every((path) => matches(path) === expression.test(path)) ? posix : undefined;
}

/** Parts of a glob that are not translated. */
const EXOTIC = /[?[()|\\]/u;

/** `**` and `/` at the start of a segment, stars, braces, commas, and letters to escape in POSIX. */
const TOKEN = /(?<=^|[/{,])\*\*\/|\*+|[{},.+^$]/gu;

function translate(glob: string): string | undefined {
  if (EXOTIC.test(glob)) return undefined;
  let depth = 0;
  const posix = glob.replace(TOKEN, (token) => {
    if (token === '**/') return '(.*/)?';
    if (token.startsWith('*')) return '.*';
    if (token === '{') {
      depth += 1;
      return '(';
    }
    if (token === ',' || token === '}') {
      if (depth === 0) return token;
      depth -= token === '}' ? 1 : 0;
      return token === '}' ? ')' : '|';
    }
    return `\\${token}`;
  });
  // POSIX leaves the meaning of an empty alternative open.
  const hasEmptyAlternative = /[(|][|)]/u.test(posix);
  return depth > 0 || hasEmptyAlternative ? undefined : posix;
}
