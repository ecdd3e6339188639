import type { Digest } from '../digest.ts';
import { HugError } from '../errors.ts';
import { encodingsOf } from '../hub/answer.ts';
import { nameOf, type Subject } from '../hub/errors.ts';
import type { RangeAnswer } from '../hub/http.ts';
import { TransientFault } from '../hub/retry.ts';

/** A file on the Hub whose size and digest are known before the download. */
export interface RemoteFile {
  /** Address on the endpoint's origin. */
  readonly url: string;
  readonly subject: Subject;
  /** Length in bytes. */
  readonly size: number;
  readonly digest: Digest;
}

/** Bytes of a file from `start` up to, but not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** The `Range` header for some bytes; a whole file is requested without one. */
export function rangeHeader({ start, end }: ByteRange, { size }: RemoteFile): string | undefined {
  return start === 0 && end === size ? undefined : `bytes=${start}-${end - 1}`;
}

/**
 * Which bytes of the file the body of a response holds, by its status and headers.
 *
 * @param asked bytes of the request
 * @returns the requested bytes or the first of them; `undefined` when the server ignores `Range`, or
 *   does not state the length: the body may be a login page then
 * @throws HugError `EHUG_INTEGRITY` when the file has another size on the server
 */
export function bodyRange(
  { status, headers }: RangeAnswer,
  asked: ByteRange,
  file: RemoteFile,
): ByteRange | undefined {
  const isWhole = asked.start === 0 && asked.end === file.size;
  const isPlain = encodingsOf(headers).length === 0;
  if (status === 416) return undefined;
  if (status === 206) {
    const { start, end = 0, size } = parseContentRange(headers['content-range']) ?? {};
    if (size !== undefined && size !== file.size) throw wrongSize(file, size);
    const isUsable = start === asked.start && end > start && end <= asked.end;
    return isUsable && isPlain ? { start, end } : undefined;
  }
  if (!isPlain || headers['content-length'] === undefined) return undefined;
  const size = Number(headers['content-length']);
  if (size !== file.size) throw wrongSize(file, size);
  return isWhole ? asked : undefined;
}

/** The bytes of a `Content-Range`, and the size of the file if the server knows it. */
function parseContentRange(header: string | string[] | undefined) {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/u.exec(String(header));
  if (match === null) return undefined;
  const [, first, last, size] = match;
  return {
    start: Number(first),
    end: Number(last) + 1,
    size: size === '*' ? undefined : Number(size),
  };
}

const wrongSize = (file: RemoteFile, size: number): HugError =>
  integrityError(file, `has ${size} bytes, expected ${file.size}`);

/** The error for a file on the Hub with another size or digest than the lock has. */
export function integrityError({ subject }: RemoteFile, what: string): HugError {
  return new HugError('EHUG_INTEGRITY', `${nameOf(subject)} ${what}`, {
    hint: 'Nothing was stored. Run it again; if it stays, the mirror or proxy alters files.',
  });
}

/** The fault of a response without a length, which must not replace bytes that are on disk. */
export function unknownLength({ subject }: RemoteFile): TransientFault {
  const what = `the Hub does not state the length of ${nameOf(subject)}, of which a part is on disk`;
  return new TransientFault(
    new HugError('EHUG_PROTOCOL', what, {
      hint: 'Does a login page answer instead? If not, remove nix-hug/downloads in the cache folder.',
    }),
  );
}

/** The fault of a body that ended before its last byte. */
export function endedEarly({ subject }: RemoteFile, got: number, expected: number): TransientFault {
  const what = `the download of ${nameOf(subject)} ended after ${got} of ${expected} bytes`;
  return new TransientFault(
    new HugError('EHUG_NETWORK', what, { hint: 'Run it again; it continues where it ended.' }),
  );
}
