import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';

/** Everything below a folder, by its path: `d 755`, `-> target`, or `f 644 sha256`. */
export async function folderFacts(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder, { recursive: true });
  const facts = await Promise.all(
    names.map(async (name) => [name, await factOf(path.join(folder, name))] as const),
  );
  return Object.fromEntries(facts.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

async function factOf(file: string): Promise<string> {
  const stats = await lstat(file);
  if (stats.isSymbolicLink()) return `-> ${await readlink(file)}`;
  const mode = (stats.mode & 0o7777).toString(8);
  if (stats.isDirectory()) return `d ${mode}`;
  return `f ${mode} ${createHash('sha256')
    .update(await readFile(file))
    .digest('hex')}`;
}
