import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CommitFile } from '../../src/cache/layout.ts';
import { addToTree, readExpected } from '../../src/cache/trees.ts';
import { makePipe } from '../support/pipe.ts';
import { tempFolder } from '../support/temp.ts';

const REV = 'c'.repeat(40);
const OID = 'a'.repeat(40);
const SHA256 = 'b'.repeat(64);
const PLAIN: CommitFile = {
  path: 'config.json',
  size: 3,
  digest: { kind: 'sha256', hex: 'd'.repeat(64) },
  oid: OID,
  isLfs: false,
};
const LFS: CommitFile = {
  path: 'w.bin',
  size: 7,
  digest: { kind: 'sha256', hex: SHA256 },
  oid: OID,
  isLfs: true,
};

const listOf = (files: unknown, version: unknown = 1): string =>
  JSON.stringify({ format_version: version, files });

/** Texts that the official client ignores. */
const IGNORED = [
  ['an empty file', ''],
  ['half of an object', '{"format_version": 1, "files": {'],
  ['no object', '[]'],
  ['another format', listOf({ a: { size: 1, blob_id: OID } }, 2)],
  ['files in a list', listOf([{ blob_id: OID }])],
  ['a file that is a number', listOf({ a: 1, b: { size: 1, blob_id: OID } })],
] as const;

/** A repository of the cache, perhaps with a list, and a way to add to it. */
async function repository(before?: string) {
  const repo = await tempFolder();
  const file = path.join(repo, 'trees', `${REV}.json`);
  await mkdir(path.dirname(file));
  if (before !== undefined) await writeFile(file, before);
  const add = (listed: readonly CommitFile[], isWhole = true) =>
    addToTree(file, { listed, isWhole }, () => tempFolder());
  return { repo, file, add, text: () => readFile(file, 'utf8') };
}

/** The files that are listed after adding some to a list. */
async function filesAfter(before: string, items: readonly CommitFile[], isWhole = true) {
  const { add, text } = await repository(before);
  await add(items, isWhole);
  return JSON.parse(await text()).files;
}

describe('the list of the files of a commit', () => {
  it('is written as Python writes it, for its user alone', async () => {
    const { file, add, text } = await repository();
    await add([]);
    expect(await text()).toBe('{\n "format_version": 1,\n "files": {}\n}');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it.each([true, false])(
    'keeps its files, and what only the client knows of them (whole: %s)',
    async (isWhole) => {
      const facts = { size: 7, blob_id: OID, lfs_sha256: SHA256, lfs_size: 7, xet_hash: SHA256 };
      const other = { size: 1, blob_id: OID };
      const before = listOf({ 'w.bin': facts, 'a.txt': other });
      expect(await filesAfter(before, [LFS, PLAIN], isWhole)).toEqual({
        'a.txt': other,
        'config.json': { size: 3, blob_id: OID },
        'w.bin': facts,
      });
    },
  );

  it('is not written when it has the files already', async () => {
    const { repo, add, text } = await repository();
    await add([LFS, PLAIN]);
    const before = await text();
    const { ino } = await stat(path.join(repo, 'trees', `${REV}.json`));
    await add([PLAIN]);
    await add([PLAIN, LFS]);
    expect(await text()).toBe(before);
    expect((await stat(path.join(repo, 'trees', `${REV}.json`))).ino).toBe(ino);
  });

  it('is corrected where it is wrong', async () => {
    const before = listOf({ 'config.json': { size: 9, blob_id: 'f'.repeat(40) } });
    expect(await filesAfter(before, [PLAIN])).toEqual({
      'config.json': { size: 3, blob_id: OID },
    });
  });

  it.each(IGNORED)('replaces %s, when all files are known', async (_, before) => {
    expect(await filesAfter(before, [PLAIN])).toEqual({ 'config.json': { size: 3, blob_id: OID } });
  });

  it.each(IGNORED)('does not replace %s by a part of the files', async (_, before) => {
    const { add, text } = await repository(before);
    await add([PLAIN], false);
    expect(await text()).toBe(before);
  });

  it('is never begun with a part of the files', async () => {
    const { repo, add } = await repository();
    await add([PLAIN], false);
    expect(await readdir(path.join(repo, 'trees'))).toEqual([]);
  });

  it('is left alone where it cannot be read', async ({ skip }) => {
    if (process.geteuid?.() !== 0) skip('needs root, to become somebody else');
    const { repo, file, add, text } = await repository(listOf({}));
    await chmod(repo, 0o777);
    await chmod(path.dirname(file), 0o777);
    await chmod(file, 0);
    process.seteuid?.(65_534);
    try {
      await add([PLAIN]);
    } finally {
      process.seteuid?.(0);
    }
    expect(await text()).toBe(listOf({}));
  });

  it('is never put in place of a folder', async () => {
    const { file, add } = await repository();
    await mkdir(path.join(file, 'kept'), { recursive: true });
    await expect(add([PLAIN])).rejects.toThrow('EISDIR');
    expect(await readdir(file)).toEqual(['kept']);
  });
});

describe('the blobs that a commit should have', () => {
  it('are not looked for in a pipe, which is refused by its name', async () => {
    const { repo } = await repository('');
    const file = path.join(repo, 'trees', `${REV}.json`);
    await rm(file);
    await makePipe(file);
    await expect(readExpected(repo, REV)).rejects.toMatchObject({
      code: 'EHUG_FILE_SYSTEM',
      message: `${file} is a pipe, a socket or a device`,
    });
  });

  const expectedOf = async (text?: string) => readExpected((await repository(text)).repo, REV);

  it('are named by the SHA-256 of LFS files and the blob id of plain ones', async () => {
    const files = {
      'config.json': { size: 3, blob_id: OID },
      'sub/w.bin': { size: 7, blob_id: OID, lfs_sha256: SHA256, lfs_size: 7, xet_hash: SHA256 },
    };
    expect(Object.fromEntries(await expectedOf(listOf(files)))).toEqual({
      'config.json': OID,
      'sub/w.bin': SHA256,
    });
  });

  it.each<readonly [string, string | undefined]>([
    ...IGNORED,
    ['no file', undefined],
    ['a masked digest', listOf({ a: { blob_id: OID, lfs_sha256: '*'.repeat(64) } })],
    ['no digest', listOf({ a: { blob_id: 7 }, b: {} })],
  ])('are unknown for %s', async (_, text) => {
    expect(await expectedOf(text)).toEqual(new Map());
  });
});
