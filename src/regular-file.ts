import { constants } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { HugError } from './errors.ts';

/**
 * Reads the text of a file, which a link may lead to. A pipe, a socket or a device is refused: it
 * may let its reader wait for ever.
 *
 * @throws HugError `EHUG_FILE_SYSTEM` for what is no regular file; the error of the system
 */
export async function readRegularFile(file: string): Promise<string> {
  const stats = await stat(file);
  if (!stats.isFile() && !stats.isDirectory()) {
    throw new HugError('EHUG_FILE_SYSTEM', `${file} is a pipe, a socket or a device`, {
      hint: 'Move it away, and put a file there if one is needed.',
    });
  }
  // One that became a pipe meanwhile is empty, rather than waited for.
  return readFile(file, { encoding: 'utf8', flag: constants.O_RDONLY | constants.O_NONBLOCK });
}
