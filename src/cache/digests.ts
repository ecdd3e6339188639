import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type Digests, digestStream } from '../integrity.ts';

/** Bytes of one read; larger reads are not faster. */
const READ_BYTES = 1024 * 1024;

/**
 * Size and digests of a file as it is.
 *
 * @param signal ends the reading
 * @throws the error of the system when it cannot be read
 */
export async function digestsOf(file: string, signal: AbortSignal): Promise<Digests> {
  const { size } = await stat(file);
  return digestStream(createReadStream(file, { highWaterMark: READ_BYTES, signal }), size);
}
