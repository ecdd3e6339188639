import { HugError } from './errors.ts';

/** Control characters, DEL and backslash: none of them belongs into a path that is shown or linked. */
const FORBIDDEN = /[\u0000-\u001f\u007f\\]/u;
const DRIVE = /^[A-Za-z]:/u;
/** What most file systems allow for one segment, in bytes. */
const LONGEST_SEGMENT = 255;

/** What nearly all paths are. If short, none of them is unsafe. */
const PLAIN = /^(?:\w[\w.-]*\/)*\w[\w.-]*$/u;

/**
 * Why a repository path must not be used, or `undefined` when it is safe to create below a folder.
 *
 * @param path slash-separated path as the Hub, a lock or a cache gives it
 */
export function unsafeReason(path: string): string | undefined {
  if (path.length <= LONGEST_SEGMENT && PLAIN.test(path)) return undefined;
  if (path === '') return 'is empty';
  if (!path.isWellFormed()) return 'is not valid Unicode';
  if (FORBIDDEN.test(path)) return 'has a control character or a backslash';
  if (path.startsWith('/')) return 'is absolute';
  if (DRIVE.test(path)) return 'begins with a drive letter';
  for (const segment of path.split('/')) {
    if (segment === '') return 'has an empty segment';
    if (segment === '.' || segment === '..') return `has a "${segment}" segment`;
    if (Buffer.byteLength(segment) > LONGEST_SEGMENT) return 'has a segment of over 255 bytes';
  }
  return undefined;
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
