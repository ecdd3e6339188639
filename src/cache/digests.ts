import { stat } from 'node:fs/promises';
import { type Digests, digestStream } from '../integrity.ts';
import { readContent } from './content.ts';

/**
 * Size and digests of a file as it is.
 *
 * @param signal ends the reading
 * @throws the error of the system when it cannot be read
 */
export async function digestsOf(file: string, signal: AbortSignal): Promise<Digests> {
  const { size } = await stat(file);
  return digestStream(readContent(file, signal), size);
}
