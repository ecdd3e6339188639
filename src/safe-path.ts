import { HugError } from './errors.ts';

/** A pattern that makes a text invalid, and the reason for messages. */
export interface Flaw {
  readonly pattern: RegExp;
  readonly reason: string;
}

/**
 * Patterns that no ref, version or glob matches, since Nix cannot read it or a terminal would obey it. U+007F is
 * DEL, and U+0080 to U+009F are the C1 controls. `nix/valid.nix` has the same.
 */
export const TEXT_FLAWS: readonly Flaw[] = [
  { pattern: /[\u0000-\u001f\u007f-\u009f]/u, reason: 'has a control character' },
];

/** Patterns that no safe path matches. The JSON Schema for editors has the same. */
export const PATH_FLAWS: readonly Flaw[] = [
  // What shows a path escapes the C1 controls.
  { pattern: /[\u0000-\u001f\u007f\\]/u, reason: 'has a control character or a backslash' },
  { pattern: /^\//u, reason: 'is absolute' },
  { pattern: /^[A-Za-z]:/u, reason: 'begins with a drive letter' },
  { pattern: /\/\/|\/$/u, reason: 'has an empty segment' },
  { pattern: /(?:^|\/)\.(?:\/|$)/u, reason: 'has a "." segment' },
  { pattern: /(?:^|\/)\.\.(?:\/|$)/u, reason: 'has a ".." segment' },
];

/** Limit of most file systems for one segment, in bytes. */
export const MAX_SEGMENT = 255;

/** Limit of Linux for a path (`PATH_MAX`), in bytes. */
const MAX_PATH = 4096;

/** Nearly all paths; a short one is safe without further checks. */
const PLAIN = /^(?:\w[\w.-]*\/)*\w[\w.-]*$/u;

/**
 * Why a repository path must not be used; `undefined` when it is safe to create below a folder.
 *
 * @param path slash-separated path of the Hub, a lock or a cache
 */
export function unsafeReason(path: string): string | undefined {
  if (path.length <= MAX_SEGMENT && PLAIN.test(path)) return undefined;
  if (path === '') return 'is empty';
  if (!path.isWellFormed()) return 'is not valid Unicode';
  if (Buffer.byteLength(path) > MAX_PATH) return 'has over 4096 bytes';
  const isLong = path.split('/').some((segment) => Buffer.byteLength(segment) > MAX_SEGMENT);
  return reasonOf(PATH_FLAWS, path) ?? (isLong ? 'has a segment of over 255 bytes' : undefined);
}

/** Why a text cannot be in a lock; `undefined` when it can. */
export function badTextReason(text: string): string | undefined {
  return text.isWellFormed() ? reasonOf(TEXT_FLAWS, text) : 'is not valid Unicode';
}

/** The reason of the first pattern that a text matches. */
export function reasonOf(flaws: readonly Flaw[], text: string): string | undefined {
  return flaws.find(({ pattern }) => pattern.test(text))?.reason;
}

/**
 * Refuses a path that is not safe.
 *
 * @param path slash-separated path
 * @param source of the path, for the message
 * @throws HugError `EHUG_UNSAFE_PATH`
 */
export function assertSafePath(path: string, source: string): void {
  const reason = unsafeReason(path);
  if (reason === undefined) return;
  const problem = `${source} names a path that ${reason}: ${JSON.stringify(path)}`;
  const hint = 'Nothing was written. Report the repository to its owner or to the Hub.';
  throw new HugError('EHUG_UNSAFE_PATH', problem, { hint });
}

/**
 * The first path that is both a file and a folder (`a` beside `a/b`); `undefined` without one.
 *
 * @param paths safe paths
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
