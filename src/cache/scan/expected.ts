import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expectedIn } from '../trees.ts';

/**
 * What the cache notes that the files of a snapshot should be, see `expectedIn`.
 *
 * @param repo folder of the repository in the cache
 * @returns nothing where nothing is noted, or nothing that is understood
 */
export async function readExpected(
  repo: string,
  rev: string,
): Promise<ReadonlyMap<string, string>> {
  const file = path.join(repo, 'trees', `${rev}.json`);
  return expectedIn(await readFile(file, 'utf8').catch(() => undefined));
}
