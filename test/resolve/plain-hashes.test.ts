import { describe, expect, it } from 'vitest';
import { createPlainHashes } from '../../src/resolve/resolve.ts';
import { lockedFile } from '../support/locks.ts';

const treeFile = (oid: string, size = 3) => ({ path: 'x', oid: oid.repeat(40), size });

describe('digests of plain files', () => {
  it('come from an earlier lock for the same git blob, without a download', async () => {
    const known = lockedFile('k', { oid: 'a'.repeat(40) });
    const hashes = createPlainHashes([known]);
    const download = () => Promise.reject(new Error('not needed'));
    expect(await hashes.get(treeFile('a'), download)).toBe(known.hash);
  });

  it('are downloaded once for each other blob, also of the same size', async () => {
    const hashes = createPlainHashes([lockedFile('k', { oid: 'a'.repeat(40) })]);
    const got: string[] = [];
    const download = (name: string) => async () => {
      got.push(name);
      return `sha256-${name}`;
    };
    expect(await hashes.get(treeFile('b'), download('b'))).toBe('sha256-b');
    expect(await hashes.get(treeFile('c'), download('c'))).toBe('sha256-c');
    expect(await hashes.get(treeFile('b'), download('again'))).toBe('sha256-b');
    expect(got).toEqual(['b', 'c']);
  });

  it('do not come from LFS files, whose git blob is a pointer', async () => {
    const hashes = createPlainHashes([lockedFile('k', { oid: 'a'.repeat(40), lfs: true })]);
    expect(await hashes.get(treeFile('a'), async () => 'sha256-own')).toBe('sha256-own');
  });

  it('are downloaded again after a failure', async () => {
    const hashes = createPlainHashes([]);
    const first = hashes.get(treeFile('a'), () => Promise.reject(new Error('lost')));
    await expect(first).rejects.toThrow('lost');
    expect(await hashes.get(treeFile('a'), async () => 'sha256-found')).toBe('sha256-found');
  });
});
