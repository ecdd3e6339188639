import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttp } from '../../src/hub/http.ts';
import { createDownloads, type Downloads } from '../../src/download/downloads.ts';
import { downloadFile, publish } from '../support/download.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { smallDisk } from '../support/small-disk.ts';

const MIB = 1024 * 1024;

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

/** Works with one engine, as one run of the program does. */
async function withDownloads<T>(
  folder: string,
  work: (downloads: Downloads) => Promise<T>,
): Promise<T> {
  const { signal } = new AbortController();
  const retry = { retries: 0, baseMs: 2, longestWaitMs: 5_000 };
  const http = createHttp({ userAgent: 'test', retry, endpoint: hub.endpoint, signal });
  try {
    return await work(createDownloads({ http, folder, signal }));
  } finally {
    await http.close();
  }
}

describe('a disk', () => {
  it('without room is reported before any request to the Hub', async ({ skip }) => {
    const { folder } = await smallDisk(32 * MIB, skip);
    const content = lfs.generated({ size: 48 * MIB, seed: 1 });
    const file = await publish(hub, 'org/too-large', 'w.bin', content);
    hub.clearRequests();
    await expect(downloadFile(file, { endpoint: hub.endpoint, folder })).rejects.toEqual(
      expect.objectContaining({
        code: 'EHUG_DISK_FULL',
        message: `not enough disk space in ${folder}: 48 MiB needed, 32 MiB free`,
      }),
    );
    expect(hub.requests).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('with room for one of two files at a time takes one after the other', async ({ skip }) => {
    const { folder } = await smallDisk(32 * MIB, skip);
    const files = await Promise.all(
      [3, 4].map((seed) =>
        publish(hub, `org/half-${seed}`, 'w.bin', lfs.generated({ size: 20 * MIB, seed })),
      ),
    );
    const inFolder = await withDownloads(folder, (downloads) =>
      Promise.all(
        files.map(async (file) => {
          const download = await downloads.fetch(file, () => undefined);
          const there = readdirSync(folder).length;
          await download.discard();
          return there;
        }),
      ),
    );
    // One waits beside the other, with no more than its table.
    expect(inFolder.toSorted((a, b) => a - b)).toEqual([1, 2]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('with room for one file of two refuses the other one only', async ({ skip }) => {
    const { folder } = await smallDisk(32 * MIB, skip);
    const content = lfs.generated({ size: 20 * MIB, seed: 5 });
    const fitting = await publish(hub, 'org/fails', 'w.bin', content);
    const large = lfs.generated({ size: 48 * MIB, seed: 6 });
    const tooLarge = await publish(hub, 'org/never-fits', 'w.bin', large);
    const outcomes = await withDownloads(folder, (downloads) =>
      Promise.allSettled(
        [{ ...fitting, digest: tooLarge.digest }, tooLarge].map((file) =>
          downloads.fetch(file, () => undefined),
        ),
      ),
    );
    expect(outcomes).toEqual(
      ['EHUG_INTEGRITY', 'EHUG_DISK_FULL'].map((code) =>
        expect.objectContaining({ reason: expect.objectContaining({ code }) }),
      ),
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it('that fills up meanwhile keeps what was downloaded', async ({ skip }) => {
    const { folder } = await smallDisk(32 * MIB, skip);
    const content = lfs.generated({ size: 24 * MIB, seed: 2 });
    const file = await publish(hub, 'org/fitting', 'w.bin', content);
    const other = path.join(folder, 'of another program');
    const full = downloadFile(file, {
      endpoint: hub.endpoint,
      folder,
      onBytes: (present) => {
        if (present >= 10 * MIB && !existsSync(other)) writeFileSync(other, Buffer.alloc(12 * MIB));
      },
    });
    await expect(full).rejects.toEqual(
      expect.objectContaining({
        code: 'EHUG_DISK_FULL',
        message: expect.stringContaining(`the disk of ${folder} is full: `),
      }),
    );
    rmSync(other);
    const { digest, presents } = await downloadFile(file, { endpoint: hub.endpoint, folder });
    expect(digest).toEqual(file.digest);
    expect(presents[0]).toBeGreaterThanOrEqual(10 * MIB);
    // It did not start again: the bytes that were kept were right.
    expect(presents).not.toContain(0);
  });
});
