import { realpath } from 'node:fs/promises';
import path from 'node:path';

/**
 * Whether a file lies in a folder, behind all links of the folder.
 *
 * @param file its path behind all links
 */
export async function isInside(folder: string, file: string): Promise<boolean> {
  const root = await realpath(folder);
  return file.startsWith(`${root}${path.sep}`);
}
