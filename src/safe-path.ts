import { HugError } from './errors.ts';

/** What a text must not have: a pattern that finds it, and the reason that we give. */
export interface Flaw {
  readonly pattern: RegExp;
  readonly reason: string;
}

/** What no path may have, as far as a pattern can tell. The schema for editors has the same. */
export const PATH_FLAWS: readonly Flaw[] = [
  // None of these characters belongs into a path that is shown or linked; U+007F is DEL.
  { pattern: /[\u0000-\u001f\u007f\\]/u, reason: 'has a control character or a backslash' },
  { pattern: /^\//u, reason: 'is absolute' },
  { pattern: /^[A-Za-z]:/u, reason: 'begins with a drive letter' },
  { pattern: /\/\/|\/$/u, reason: 'has an empty segment' },
  { pattern: /(?:^|\/)\.(?:\/|$)/u, reason: 'has a "." segment' },
  { pattern: /(?:^|\/)\.\.(?:\/|$)/u, reason: 'has a ".." segment' },
];

/** What most file systems allow for one segment, in bytes. */
const MAX_SEGMENT = 255;

/** What nearly all paths are. If short, none of them is unsafe. */
const PLAIN = /^(?:\w[\w.-]*\/)*\w[\w.-]*$/u;

/**
 * Why a repository path must not be used, or `undefined` when it is safe to create below a folder.
 *
 * @param path slash-separated path as the Hub, a lock or a cache gives it
 */
export function unsafeReason(path: string): string | undefined {
  if (path.length <= MAX_SEGMENT && PLAIN.test(path)) return undefined;
  if (path === '') return 'is empty';
  if (!path.isWellFormed()) return 'is not valid Unicode';
  const isLong = path.split('/').some((segment) => Buffer.byteLength(segment) > MAX_SEGMENT);
  return reasonOf(PATH_FLAWS, path) ?? (isLong ? 'has a segment of over 255 bytes' : undefined);
}

/** The reason of the first flaw that a text has. */
export function reasonOf(flaws: readonly Flaw[], text: string): string | undefined {
  return flaws.find(({ pattern }) => pattern.test(text))?.reason;
}

/**
 * Refuses a path that could leave its folder.
 *
 * @param path slash-separated path
 * @param source where it came from, for the message
 * @throws HugError `EHUG_UNSAFE_PATH`
 */
export function assertSafePath(path: string, source: string): void {
  const reason = unsafeReason(path);
  if (reason !== undefined) {
    throw new HugError(
      'EHUG_UNSAFE_PATH',
      `${source} names a path that ${reason}: ${JSON.stringify(path)}`,
      { hint: 'Nothing was written. Report the repository to its owner or to the Hub.' },
    );
  }
}

/**
 * The first path that is a file here and a folder there (`a` beside `a/b`), which no git tree has.
 *
 * @param paths paths that are safe one by one
 */
export function pathCollision(paths: Iterable<string>): string | undefined {
  const files = new Set(paths);
  for (const path of files) {
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
      if (files.has(path.slice(0, end))) return path.slice(0, end);
    }
  }
  return undefined;
}
