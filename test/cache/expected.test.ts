import path from 'node:path';
import { expect, it } from 'vitest';
import { readExpected } from '../../src/cache/expected.ts';
import { put } from '../support/cached-project.ts';
import { tempFolder } from '../support/temp.ts';

const OID = 'a'.repeat(40);
const SHA256 = 'b'.repeat(64);

const read = async (text: string) =>
  Object.fromEntries(await readExpected(await put(path.join(await tempFolder(), 't'), text)));

const tree = (files: unknown, version: unknown = 1) =>
  JSON.stringify({ format_version: version, files });

it('has the SHA-256 of LFS files and the blob id of plain ones', async () => {
  const files = {
    'config.json': { size: 3, blob_id: OID },
    'sub/w.bin': { size: 7, blob_id: OID, lfs_sha256: SHA256, lfs_size: 7, xet_hash: SHA256 },
  };
  expect(await read(tree(files))).toEqual({ 'config.json': OID, 'sub/w.bin': SHA256 });
});

it.each([
  ['nothing', ''],
  ['no object', '[]'],
  ['half of one', '{"format_version": 1, "files": {'],
  ['another version', tree({ a: { blob_id: OID } }, 2)],
  ['files that are a list', tree([{ blob_id: OID }])],
  ['a file that is none', tree({ a: null, b: 'x', c: [] })],
  ['a masked digest', tree({ a: { blob_id: OID, lfs_sha256: '*'.repeat(64) } })],
  ['no digest', tree({ a: { blob_id: 7 }, b: {} })],
])('expects nothing for %s', async (_, text) => {
  expect(await read(text)).toEqual({});
});

it('expects nothing where there is no file', async () => {
  expect(await readExpected('/nonexistent')).toEqual(new Map());
});
