import { createHash } from 'node:crypto';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PartialFile } from '../../src/download/partial-file.ts';
import type { RemoteFile } from '../../src/download/response.ts';
import { tempFolder } from '../support/temp.ts';

const MIB = 1024 * 1024;
const SEGMENT = 32 * MIB;
/** Two whole segments, and one of seven bytes. */
const SIZE = 2 * SEGMENT + 7;
const ENDS = [SEGMENT, 2 * SEGMENT, SIZE];

const remote = (size: number, hex = 'ab'.repeat(32)): RemoteFile => ({
  url: 'http://localhost/file',
  subject: { type: 'model', id: 'org/name', path: 'w.bin' },
  size,
  digest: { kind: 'sha256', hex },
});

const open = (folder: string, file: RemoteFile): Promise<PartialFile> => {
  const { signal } = new AbortController();
  return PartialFile.open({ folder, file, onBytes: () => undefined, signal });
};

/** What an earlier process left of a file. */
async function leftBehind(file: RemoteFile, content: Uint8Array): Promise<string> {
  const folder = await tempFolder();
  await writeFile(path.join(folder, `${file.digest.hex}-${file.size}.part`), content);
  return folder;
}

describe('a partial file', () => {
  it('keeps the bytes of each segment for the next process', async () => {
    const write = fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 3 }));
    await fc.assert(
      fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 7 }), async (writes) => {
        const folder = await tempFolder();
        const partial = await open(folder, remote(SIZE));
        const counts = [0, 0, 0];
        for (const [segment, length] of writes) {
          const { start, end } = partial.gap(segment);
          const bytes = Buffer.alloc(Math.min(length, end - start), 'x');
          await partial.write([bytes], start);
          counts[segment] = (counts[segment] ?? 0) + bytes.length;
        }
        await partial.release();
        const next = await open(folder, remote(SIZE));
        expect(next.gaps).toEqual(
          counts.map((count, segment) => ({
            start: segment * SEGMENT + count,
            end: ENDS[segment],
          })),
        );
        expect(next.present).toBe(SIZE - next.missing);
        await next.remove();
      }),
      { numRuns: 20 },
    );
  });

  it('counts a write in every segment that it reaches', async () => {
    const folder = await tempFolder();
    const partial = await open(folder, remote(SIZE));
    await partial.write([Buffer.alloc(SEGMENT - 1)], 0);
    await partial.write([Buffer.alloc(SEGMENT + 3)], SEGMENT - 1);
    await partial.release();
    const next = await open(folder, remote(SIZE));
    expect(next.gaps.map(({ start }) => start)).toEqual([SEGMENT, 2 * SEGMENT, 2 * SEGMENT + 2]);
    await next.remove();
  });

  it.each([
    ['in order', [0, 1, 2]],
    ['from the end', [2, 1, 0]],
    ['mixed', [1, 0, 2]],
  ])('has the digest of segments that come %s', async (_how, order) => {
    const content = Buffer.alloc(SIZE);
    for (let at = 0; at < SIZE; at += 1000) content.writeUInt32LE(at, Math.min(at, SIZE - 4));
    const partial = await open(await tempFolder(), remote(SIZE));
    for (const segment of order) {
      const { start, end } = partial.gap(segment);
      await partial.write([content.subarray(start, start + 5)], start);
      await partial.write([content.subarray(start + 5, end)], start + 5);
    }
    const hex = createHash('sha256').update(content).digest('hex');
    expect(await partial.digest()).toEqual({ kind: 'sha256', hex });
    await partial.complete();
    expect(content.equals(await readFile(partial.path))).toBe(true);
    await partial.remove();
  });

  it('has the git blob id of a file that is known by it', async () => {
    const digest = { kind: 'git-blob', hex: 'b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0' } as const;
    const partial = await open(await tempFolder(), { ...remote(5), digest });
    await partial.write([Buffer.from('hello')], 0);
    expect(await partial.digest()).toEqual(digest);
    await partial.remove();
  });

  it('without a table is complete', async () => {
    const folder = await leftBehind(remote(5), Buffer.from('hello'));
    const partial = await open(folder, remote(5));
    expect([partial.present, partial.gaps]).toEqual([5, [{ start: 5, end: 5 }]]);
    const hex = createHash('sha256').update('hello').digest('hex');
    expect(await partial.digest()).toEqual({ kind: 'sha256', hex });
    await partial.remove();
  });

  it.each([
    ['that counts more than the file has', Buffer.from('hello\x06\0\0\0')],
    ['that is cut', Buffer.from('hello\x03\0')],
    ['that is too long', Buffer.from('hello\x03\0\0\0\0')],
    ['of a file that is too short', Buffer.from('hel')],
  ])('with a table %s begins anew', async (_what, content) => {
    const partial = await open(await leftBehind(remote(5), content), remote(5));
    expect(partial.gaps).toEqual([{ start: 0, end: 5 }]);
    await partial.remove();
  });

  it('is removed when it has no bytes', async () => {
    const folder = await tempFolder();
    const partial = await open(folder, remote(5));
    await partial.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is released while its bytes are still hashed', async () => {
    const folder = await leftBehind(remote(SIZE), Buffer.alloc(SIZE));
    const partial = await open(folder, remote(SIZE));
    await partial.release();
    await expect(partial.digest()).rejects.toThrow('closed');
    expect(await readdir(folder)).toEqual([`${'ab'.repeat(32)}-${SIZE}.part`]);
  });

  it('is not written any more when another process took it over', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    onTestFinished(() => void vi.useRealTimers());
    const folder = await tempFolder();
    const partial = await open(folder, remote(5));
    await partial.write([Buffer.from('he')], 0);
    const theirs = path.join(folder, 'theirs');
    await rename(partial.path, theirs);
    vi.setSystemTime(Date.now() + 60_000);
    await expect(partial.write([Buffer.from('llo')], 2)).rejects.toThrow(
      'another process took over',
    );
    await partial.release();
    expect(await readFile(theirs, 'latin1')).toBe('he\0\0\0\x02\0\0\0');
    expect(await readdir(folder)).toEqual(['theirs']);
  });
});
