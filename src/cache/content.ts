import { createReadStream } from 'node:fs';

/** Bytes of one read; larger reads are not faster. */
const READ_BYTES = 1024 * 1024;

/**
 * The content of a file, to be hashed or copied.
 *
 * @param signal ends the reading
 */
export const readContent = (file: string, signal: AbortSignal | undefined) =>
  createReadStream(file, { highWaterMark: READ_BYTES, signal });
