import { isUtf8 } from 'node:buffer';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { protocolError } from './errors.ts';
import type { Refusal } from './errors.ts';

/** Headers of an answer by lower-case name. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Names of encodings that leave a body as it is; S3 keeps `aws-chunked` of how it was uploaded. */
const PLAIN: ReadonlySet<string> = new Set(['', 'identity', 'aws-chunked']);

/**
 * How a body differs from what it stands for.
 *
 * @returns lower-case names of encodings, the one that was applied last at the end; none for a body
 *   that is plain
 */
export function encodingsOf(headers: Headers): string[] {
  return String(headers['content-encoding'] ?? '')
    .split(',')
    .map((name) =>
      name
        .trim()
        .toLowerCase()
        .replace(/^x-gzip$/u, 'gzip'),
    )
    .filter((name) => !PLAIN.has(name));
}

/**
 * Undoes gzip, which some answers have even when it was not asked for.
 *
 * @throws HugError `EHUG_PROTOCOL` for every other encoding
 */
export function decoded(body: Readable, headers: Headers): AsyncIterable<Uint8Array> {
  const encoding = encodingsOf(headers).join(', ');
  if (encoding === '') return body;
  if (encoding === 'gzip') return unzipped(body);
  throw protocolError(`the Hub answers in the encoding ${encoding}`);
}

/** Begins when it is read, so that a body that nobody wants can end without an error. */
async function* unzipped(body: Readable): AsyncIterable<Uint8Array> {
  // Not `compose`, which waits for ever when the body turns out not to be gzip.
  yield* pipeline(body, createGunzip(), () => undefined);
}

/**
 * A whole body as text.
 *
 * @param largest most bytes it may have
 * @throws HugError `EHUG_PROTOCOL` when it has more, or is not UTF-8: a damaged name must not pass for one
 */
export async function readText(body: AsyncIterable<Uint8Array>, largest: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > largest) {
      throw protocolError(`the Hub answers more than ${largest} bytes of JSON`);
    }
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw protocolError('the Hub answers what is not UTF-8 text');
}

/**
 * @param address where the text came from, fit for a message
 * @throws HugError `EHUG_PROTOCOL`
 */
export function parseJson(text: string, address: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw protocolError(`the answer of ${address} is not JSON`, cause);
  }
}

/** The parts of an answer of status 400 and above that tell why. */
export function refusalOf(status: number, headers: Headers, body: string): Refusal {
  const header = (name: string) => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  return {
    status,
    errorCode: header('x-error-code'),
    errorMessage: header('x-error-message') ?? errorInBody(body),
    requestId: header('x-request-id'),
  };
}

function errorInBody(body: string): string {
  if (body.trimStart().startsWith('<')) return '';
  const quoted = /"(?:error|message)":\s*"([^"]*)"/u.exec(body);
  return quoted?.[1] ?? body;
}
