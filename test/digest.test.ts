import { describe, expect, it } from 'vitest';
import {
  createDigester,
  differenceOf,
  digestOfBlobName,
  digestOfSri,
  digestsOfBytes,
  digestStream,
  digestText,
  hashStream,
  hexOfSri,
  isSameDigest,
  pointerIdOf,
  pointerSizeOf,
  sriOfContent,
  sriOfHex,
} from '../src/digest.ts';
import { parseLock } from '../src/lock/codec.ts';
import { namedEntries } from '../src/lock/entries.ts';
import { lfs, startHub } from './support/hub/index.ts';
import { createProject } from './support/project.ts';

it('the pointer of an LFS file has the git blob id that git gives it', async () => {
  const hub = await startHub();
  try {
    const repo = await hub.createRepo({ type: 'model', id: 'org/tiny' });
    await repo.commit({ files: { 'a.bin': lfs('weights'), 'b.bin': lfs('') } });
    const project = await createProject(hub.endpoint, 'models: { tiny: org/tiny }');
    await project.run(['lock']);
    const lock = parseLock((await project.lockText()) ?? '', 'hug.lock.json');
    const files = namedEntries(lock).flatMap(({ entry }) => [...entry.files.values()]);
    expect(files.map(({ hash, size }) => pointerIdOf(hexOfSri(hash), size))).toEqual(
      files.map(({ oid }) => oid),
    );
    expect(files.length).toBe(2);
  } finally {
    await hub.close();
  }
});

// SHA-256 of "abc" (FIPS 180-2, appendix B.1), and the git blob id, by `printf abc | git hash-object --stdin`.
const HEX = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const SRI = 'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=';
const BLOB = 'f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f';

async function* chunks() {
  yield Buffer.from('a');
  yield Buffer.from('bc');
}

describe('a digest', () => {
  it('has the forms of hex and SRI', () => {
    expect([sriOfHex(HEX), hexOfSri(SRI)]).toEqual([SRI, HEX]);
    expect(digestOfSri(SRI)).toEqual({ kind: 'sha256', hex: HEX });
    expect(digestText({ kind: 'sha256', hex: HEX })).toBe(SRI);
    expect(digestText({ kind: 'git-blob', hex: BLOB })).toBe(BLOB);
  });

  it('is told apart from another one', () => {
    const expected = digestOfSri(SRI);
    expect(isSameDigest(expected, { kind: 'sha256', hex: HEX })).toBe(true);
    expect(isSameDigest(expected, { kind: 'git-blob', hex: HEX })).toBe(false);
    expect(isSameDigest(expected, { kind: 'sha256', hex: BLOB })).toBe(false);
    expect(differenceOf({ kind: 'git-blob', hex: BLOB }, expected)).toBe(
      `has the digest ${BLOB}, expected ${SRI}`,
    );
  });

  it.each([
    ['a SHA-256', HEX, { kind: 'sha256', hex: HEX }],
    ['a git blob id', BLOB, { kind: 'git-blob', hex: BLOB }],
    ['a masked digest', '*'.repeat(64), undefined],
    ['a digest in upper case', HEX.toUpperCase(), undefined],
    ['a git blob id in upper case', BLOB.toUpperCase(), undefined],
    ['a digest that is too long', `${HEX}0`, undefined],
    ['a digest behind other text', `x${HEX}`, undefined],
    ['a git blob id that is too short', BLOB.slice(1), undefined],
    ['a git blob id with other text behind it', `${BLOB}x`, undefined],
    ['a git blob id behind other text', `x${BLOB}`, undefined],
    ['no text', '', undefined],
  ])('by the name of a blob: %s', (_, name, digest) => {
    expect(digestOfBlobName(name)).toEqual(digest);
  });
});

describe('the digest of a content', () => {
  const all = { size: 3, hash: SRI, oid: BLOB };

  it('is that of a text, and of bytes', () => {
    expect([sriOfContent('abc'), sriOfContent(Buffer.from('abc'))]).toEqual([SRI, SRI]);
    expect(digestsOfBytes(Buffer.from('abc'))).toEqual(all);
  });

  it('is that of a stream', async () => {
    expect(await digestStream(chunks(), 3)).toEqual(all);
    expect(await digestStream(chunks(), 4)).toMatchObject({ size: 3, hash: SRI });
    for (const [kind, hex] of [
      ['sha256', HEX],
      ['git-blob', BLOB],
    ] as const) {
      const read: number[] = [];
      const digest = await hashStream(chunks(), createDigester(kind, 3), (n) => read.push(n));
      expect([digest, read]).toEqual([{ kind, hex }, [1, 3]]);
    }
  });

  it('is not that of a git blob of another size', async () => {
    expect((await digestStream(chunks(), 4)).oid).not.toBe(BLOB);
  });

  it('by the LFS pointer of it', () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${HEX}\nsize 3\n`;
    expect(pointerSizeOf(HEX, 3)).toBe(pointer.length);
    expect(pointerIdOf(HEX, 3)).toBe(digestsOfBytes(Buffer.from(pointer)).oid);
  });
});
