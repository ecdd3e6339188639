import { describe, expect, it } from 'vitest';
import { treesText } from '../../src/cache/trees.ts';

const OID = 'a'.repeat(40);
const PLAIN = { path: 'config.json', size: 3, oid: OID };
const LFS = { path: 'w.bin', size: 7, oid: OID, sha256: 'b'.repeat(64) };

const filesOf = (text: string): Record<string, unknown> => JSON.parse(text).files;

describe('trees/<commit>.json', () => {
  it('lists nothing as Python would', () => {
    expect(treesText(undefined, [])).toBe('{\n "format_version": 1,\n "files": {}\n}');
  });

  it('keeps what it lists, and what only the client knows of it', () => {
    const xet = 'c'.repeat(64);
    const facts = { size: 7, blob_id: OID, lfs_sha256: LFS.sha256, lfs_size: 7, xet_hash: xet };
    const other = { size: 1, blob_id: OID };
    const before = JSON.stringify({ format_version: 1, files: { 'w.bin': facts, 'a.txt': other } });
    expect(filesOf(treesText(before, [LFS, PLAIN]))).toEqual({
      'a.txt': other,
      'config.json': { size: 3, blob_id: OID },
      'w.bin': facts,
    });
  });

  it('does not change what lists all of it', () => {
    const text = treesText(undefined, [LFS, PLAIN]);
    expect(treesText(text, [PLAIN])).toBe(text);
    expect(treesText(text, [PLAIN, LFS])).toBe(text);
  });

  it.each([
    ['that is no JSON', '{'],
    ['of another format', '{"format_version":2,"files":{"a":{"size":1}}}'],
    ['without files', '{"format_version":1,"files":[]}'],
    ['of a wrong file', '{"format_version":1,"files":{"a":1}}'],
    ['that is a list', '[]'],
  ])('takes the place of one %s', (_, before) => {
    expect(treesText(before, [PLAIN])).toBe(treesText(undefined, [PLAIN]));
  });

  it('is not led astray by what it says wrongly', () => {
    const before = JSON.stringify({
      format_version: 1,
      files: { 'config.json': { size: 9, blob_id: 'f'.repeat(40) } },
    });
    expect(filesOf(treesText(before, [PLAIN]))).toEqual({
      'config.json': { size: 3, blob_id: OID },
    });
  });
});
