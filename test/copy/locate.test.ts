import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { blobPath, repoFolderName, snapshotPath } from '../../src/cache/layout.ts';
import { type Blob, blobsOf, placesIn, snapshotOfEntry } from '../../src/copy/blob.ts';
import { locateBlobs } from '../../src/copy/locate.ts';
import { digestsOfBytes } from '../../src/digest.ts';
import { HugError } from '../../src/errors.ts';
import { lockedEntry } from '../support/locks.ts';
import { tempFolder } from '../support/temp.ts';

const CONTENT = 'weights';
const REV = 'c'.repeat(40);

const entry = lockedEntry({ files: new Map([['w.bin', digestsOfBytes(Buffer.from(CONTENT))]]) });
const snapshot = snapshotOfEntry({ type: 'model', name: 'm', entry }, undefined);
const blobs = blobsOf(placesIn([snapshot]));
const { oid } = digestsOfBytes(Buffer.from(CONTENT));
const named = { type: 'model', id: 'org/name', rev: REV, path: 'w.bin', etag: oid } as const;

/** The file that is found, by its path. */
async function located(cacheFolder: string): Promise<string | undefined> {
  const found = await locateBlobs(blobs, {
    cacheFolder,
    signal: new AbortController().signal,
    warn: () => undefined,
    openNix: () => Promise.reject(new HugError('EHUG_NIX_MISSING', 'there is no Nix')),
  });
  const [file] = blobs.map((blob: Blob) => found.get(blob));
  return file;
}

async function write(file: string, content: string): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

it('finds a content by its name in the cache, also in that of another repository', async () => {
  const cache = await tempFolder('cache ü');
  expect(await located(path.join(cache, 'none'))).toBeUndefined();
  expect(await located(cache)).toBeUndefined();
  const other = await write(blobPath(cache, { ...named, id: 'org/other' }), CONTENT);
  expect(await located(cache)).toBe(other);
  const own = await write(blobPath(cache, named), CONTENT);
  expect(await located(cache)).toBe(own);
});

it('takes no file of another size, and no folder', async () => {
  const cache = await tempFolder('cache');
  const blob = await write(blobPath(cache, named), 'weights that are longer');
  expect(await located(cache)).toBeUndefined();
  await rm(blob);
  await mkdir(blob);
  expect(await located(cache)).toBeUndefined();
});

it('compares a file outside of the cache, which a link leads to', async () => {
  const cache = await tempFolder('cache');
  const outside = await write(path.join(await tempFolder('outside'), 'w'), CONTENT);
  const link = snapshotPath(cache, named);
  await mkdir(path.dirname(link), { recursive: true });
  await symlink(outside, link);
  expect(await located(cache)).toBe(outside);
  // As long, and another: a secret of the user, perhaps.
  await write(outside, 'secrets');
  expect(await located(cache)).toBeUndefined();
});

it('follows a folder of the cache that is a link to another disk', async () => {
  const cache = await tempFolder('cache');
  const elsewhere = await tempFolder('elsewhere');
  const blob = await write(path.join(elsewhere, 'blobs', oid), CONTENT);
  await symlink(elsewhere, path.join(cache, repoFolderName('model', 'org/name')));
  expect(await located(cache)).toBe(blob);
});
