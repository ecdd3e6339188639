import { isUtf8 } from 'node:buffer';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type Refusal, protocolError } from './errors.ts';

/** Headers of a response by lower-case name. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Encodings that leave a body as it is; S3 keeps `aws-chunked` from the upload. */
const IDENTITY: ReadonlySet<string> = new Set(['', 'identity', 'aws-chunked']);

/**
 * The content encodings of a body.
 *
 * @returns lower-case names, the one applied last at the end; empty for a plain body
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
    .filter((name) => !IDENTITY.has(name));
}

/**
 * Undoes gzip, which some servers apply even when it was not requested.
 *
 * @throws HugError `EHUG_PROTOCOL` for every other encoding
 */
export function decoded(body: Readable, headers: Headers): AsyncIterable<Uint8Array> {
  const encoding = encodingsOf(headers).join(', ');
  if (encoding === '') return body;
  if (encoding === 'gzip') return unzipped(body);
  throw protocolError(`the Hub sent a response in the unsupported encoding ${encoding}`);
}

/** Starts with the first read, so that a body that nobody reads can end without an error. */
async function* unzipped(body: Readable): AsyncIterable<Uint8Array> {
  // Not `compose`, which waits for ever when the body turns out not to be gzip.
  yield* pipeline(body, createGunzip(), () => undefined);
}

/**
 * A whole body as text.
 *
 * @param maxBytes largest accepted body
 * @throws HugError `EHUG_PROTOCOL` for a larger body, or one that is not UTF-8, since a damaged name
 *   must not pass for another
 */
export async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw protocolError(`the Hub sent more than ${maxBytes} bytes of JSON`);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw protocolError('the Hub sent text that is not UTF-8');
}

/**
 * @param url of the response, fit for a message
 * @throws HugError `EHUG_PROTOCOL`
 */
export function parseJson(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw protocolError(`the response of ${url} is not JSON`, cause);
  }
}

/** The parts of a response of status 400 and above that give the reason. */
export function refusalOf(
  { address, status, headers }: { address: string; status: number; headers: Headers },
  body: string,
): Refusal {
  const header = (name: string) => [headers[name]].flat()[0];
  return {
    address,
    status,
    errorCode: header('x-error-code'),
    errorMessage: header('x-error-message') ?? errorInBody(body),
    requestId: header('x-request-id'),
  };
}

function errorInBody(body: string): string {
  if (body.trimStart().startsWith('<')) return '';
  const message = /"(?:error|message)":\s*"([^"]*)"/u.exec(body);
  return message?.[1] ?? body;
}
