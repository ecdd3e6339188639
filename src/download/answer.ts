import { type Digest, digestText } from '../digest.ts';
import { HugError } from '../errors.ts';
import { encodingsOf } from '../hub/answer.ts';
import type { RangeAnswer } from '../hub/http.ts';
import { nameOf, type Subject } from '../hub/errors.ts';
import type { ByteRange } from './spans.ts';

/** A file whose size and digest are known beforehand. */
export interface RemoteFile {
  /** Address on the endpoint's origin. */
  readonly url: string;
  readonly subject: Subject;
  /** Length in bytes. */
  readonly size: number;
  readonly digest: Digest;
}

/** The value of `Range` for some bytes; a whole file is asked for without one. */
export function rangeHeader({ start, end }: ByteRange, { size }: RemoteFile): string | undefined {
  return start === 0 && end === size ? undefined : `bytes=${start}-${end - 1}`;
}

/**
 * Which bytes the body of an answer holds.
 *
 * @param asked bytes of the request
 * @returns `undefined` when the Hub does not serve these bytes apart from the others, or does not
 *   say how long the body is: it may be anything then
 * @throws HugError `EHUG_INTEGRITY` when the file has another size there
 */
export function spanOf(
  answer: RangeAnswer,
  asked: ByteRange,
  file: RemoteFile,
): ByteRange | undefined {
  const { status, headers } = answer;
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

/** The error for a file of another size than it was locked with. */
function wrongSize(file: RemoteFile, size: number): HugError {
  return distrust(file, `has ${size} bytes, expected ${file.size}`);
}

/** The error for a file with other bytes than it was locked with. */
export function wrongHash(file: RemoteFile, got: Digest): HugError {
  return distrust(file, `has the digest ${digestText(got)}, expected ${digestText(file.digest)}`);
}

/** The error for an answer that may not replace the bytes that are there. */
export function withoutLength(file: RemoteFile): HugError {
  const what = `the Hub does not say how long ${nameOf(file.subject)} is, of which a part is here`;
  return new HugError('EHUG_PROTOCOL', what, {
    hint: 'Does a login page answer instead? If not, remove nix-hug/downloads in the cache folder.',
  });
}

function distrust(file: RemoteFile, what: string): HugError {
  return new HugError('EHUG_INTEGRITY', `${nameOf(file.subject)} ${what}`, {
    hint: 'Nothing was stored. Run it again; if it stays, the mirror or proxy alters files.',
  });
}

/** The size is `undefined` where the server does not tell it. */
function parseContentRange(
  header: string | string[] | undefined,
): { start: number; end: number; size: number | undefined } | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/u.exec(String(header));
  if (match === null) return undefined;
  const [, first, last, size] = match;
  return {
    start: Number(first),
    end: Number(last) + 1,
    size: size === '*' ? undefined : Number(size),
  };
}
