import { describe, expect, it } from 'vitest';
import { expectedIn, treesText } from '../../src/cache/trees.ts';

const OID = 'a'.repeat(40);
const PLAIN = { path: 'config.json', size: 3, oid: OID };
const SHA256 = 'b'.repeat(64);
const LFS = { path: 'w.bin', size: 7, oid: OID, sha256: SHA256 };

const tree = (files: unknown, version: unknown = 1) =>
  JSON.stringify({ format_version: version, files });

const filesOf = (text: string): Record<string, unknown> => JSON.parse(text).files;

describe('trees/<commit>.json', () => {
  it('lists nothing as Python would', () => {
    expect(treesText([], [])).toBe('{\n "format_version": 1,\n "files": {}\n}');
  });

  it('keeps what it lists, and what only the client knows of it', () => {
    const xet = 'c'.repeat(64);
    const facts = { size: 7, blob_id: OID, lfs_sha256: LFS.sha256, lfs_size: 7, xet_hash: xet };
    const other = { size: 1, blob_id: OID };
    const before = JSON.stringify({ format_version: 1, files: { 'w.bin': facts, 'a.txt': other } });
    expect(filesOf(treesText([before], [LFS, PLAIN]))).toEqual({
      'a.txt': other,
      'config.json': { size: 3, blob_id: OID },
      'w.bin': facts,
    });
  });

  it('keeps what it listed at several times', () => {
    const texts = [treesText([], [LFS]), treesText([], [PLAIN])];
    expect(treesText(texts, [])).toBe(treesText([], [LFS, PLAIN]));
  });

  it('does not change what lists all of it', () => {
    const text = treesText([], [LFS, PLAIN]);
    expect(treesText([text], [PLAIN])).toBe(text);
    expect(treesText([text], [PLAIN, LFS])).toBe(text);
  });

  it.each([
    ['that is no JSON', '{'],
    ['of another format', '{"format_version":2,"files":{"a":{"size":1}}}'],
    ['without files', '{"format_version":1,"files":[]}'],
    ['of a wrong file', '{"format_version":1,"files":{"a":1}}'],
    ['that is a list', '[]'],
  ])('takes the place of one %s', (_, before) => {
    expect(treesText([before], [PLAIN])).toBe(treesText([], [PLAIN]));
  });

  it('is not led astray by what it says wrongly', () => {
    const before = JSON.stringify({
      format_version: 1,
      files: { 'config.json': { size: 9, blob_id: 'f'.repeat(40) } },
    });
    expect(filesOf(treesText([before], [PLAIN]))).toEqual({
      'config.json': { size: 3, blob_id: OID },
    });
  });
});

describe('what trees/<commit>.json expects', () => {
  it('is the SHA-256 of LFS files and the blob id of plain ones', () => {
    const files = {
      'config.json': { size: 3, blob_id: OID },
      'sub/w.bin': { size: 7, blob_id: OID, lfs_sha256: SHA256, lfs_size: 7, xet_hash: SHA256 },
    };
    expect(Object.fromEntries(expectedIn(tree(files)))).toEqual({
      'config.json': OID,
      'sub/w.bin': SHA256,
    });
  });

  it.each([
    ['no text', undefined],
    ['an empty one', ''],
    ['no object', '[]'],
    ['half of one', '{"format_version": 1, "files": {'],
    ['another version', tree({ a: { blob_id: OID } }, 2)],
    ['files that are a list', tree([{ blob_id: OID }])],
    ['a file that is none', tree({ a: null, b: 'x', c: [] })],
    ['a masked digest', tree({ a: { blob_id: OID, lfs_sha256: '*'.repeat(64) } })],
    ['no digest', tree({ a: { blob_id: 7 }, b: {} })],
  ])('is nothing for %s', (_, text) => {
    expect(expectedIn(text)).toEqual(new Map());
  });
});
