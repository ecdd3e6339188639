import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { digestText, hexOfSri } from '../../src/digest.ts';
import { parseLock } from '../../src/lock/codec.ts';
import { allEntries } from '../../src/lock/entries.ts';
import { snapshotOfEntry } from '../../src/copy/blob.ts';
import { storedFiles } from '../../src/copy/to-store.ts';
import { type IsolatedStore, storeObjects } from '../support/isolated-store.ts';

/** The digest by base name of everything that a lock puts into a store. */
export function expectedIn({ folder }: IsolatedStore, lockText: string): Map<string, string> {
  const entries = allEntries(parseLock(lockText, 'lock'));
  const snapshots = entries.map((entry) => snapshotOfEntry(entry, undefined));
  const files = storedFiles(snapshots, folder);
  return new Map(
    files.map(({ storePath, file }) => [path.basename(storePath), digestText(file.digest)]),
  );
}

/** The digest by base name of everything that is in a store. */
export async function foundIn(store: IsolatedStore): Promise<Map<string, string>> {
  const names = await storeObjects(store);
  const hashes = names.map(async (name): Promise<[string, string]> => {
    return [name, await hashOf(path.join(store.folder, name))];
  });
  return new Map(await Promise.all(hashes));
}

/** SHA-256 of a file in SRI form. */
export async function hashOf(file: string): Promise<string> {
  const bytes = await readFile(file);
  return `sha256-${createHash('sha256').update(bytes).digest('base64')}`;
}

/** The digest by name of every blob that a lock has in the Hugging Face cache. */
export function blobsOf(lockText: string): Map<string, string> {
  const files = allEntries(parseLock(lockText, 'lock')).flatMap(({ entry }) => [
    ...entry.files.values(),
  ]);
  return new Map(files.map(({ lfs, hash, oid }) => [lfs === true ? hexOfSri(hash) : oid, hash]));
}
