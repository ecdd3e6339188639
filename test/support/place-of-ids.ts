import { acquireLease } from '../../src/download/claim.ts';
import { tempFolder } from './temp.ts';

/** What the name of a partial file has after `@` when its owner is, or was, a process of here. */
export async function placeOfIds(): Promise<string> {
  const { path } = await acquireLease(await tempFolder(), 'key');
  return path.slice(path.indexOf('@') + 1);
}
