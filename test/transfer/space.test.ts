import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { bring, publish } from '../support/bring.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { tempFolder } from '../support/temp.ts';

const MIB = 1024 * 1024;

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

/** A disk of 32 MiB until the running test ends; `undefined` where none can be mounted. */
async function smallDisk(): Promise<string | undefined> {
  const folder = await tempFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', folder], { stdio: 'pipe' });
  } catch {
    console.warn('Skipped: a small disk can be mounted by root only');
    return undefined;
  }
  onTestFinished(() => void execFileSync('umount', [folder]));
  return folder;
}

describe('a disk', () => {
  it('without room is told before anything is asked of the Hub', async ({ skip }) => {
    const folder = (await smallDisk()) ?? skip();
    const content = lfs.generated({ size: 48 * MIB, seed: 1 });
    const file = await publish(hub, 'org/too-large', 'w.bin', content);
    hub.clearRequests();
    await expect(bring(file, { endpoint: hub.endpoint, folder })).rejects.toEqual(
      expect.objectContaining({
        code: 'EHUG_DISK_FULL',
        message: `${folder} needs 48 MiB more, and 32 MiB are free`,
      }),
    );
    expect(hub.requests).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('that fills up meanwhile keeps what was downloaded', async ({ skip }) => {
    const folder = (await smallDisk()) ?? skip();
    const content = lfs.generated({ size: 24 * MIB, seed: 2 });
    const file = await publish(hub, 'org/fitting', 'w.bin', content);
    const other = path.join(folder, 'of another program');
    const full = bring(file, {
      endpoint: hub.endpoint,
      folder,
      onBytes: (present) => {
        if (present >= 10 * MIB && !existsSync(other)) writeFileSync(other, Buffer.alloc(12 * MIB));
      },
    });
    await expect(full).rejects.toEqual(
      expect.objectContaining({
        code: 'EHUG_DISK_FULL',
        message: expect.stringContaining(`${folder} is full: `),
      }),
    );
    rmSync(other);
    const { hash, presents } = await bring(file, { endpoint: hub.endpoint, folder });
    expect(hash).toBe(file.hash);
    expect(presents[0]).toBeGreaterThanOrEqual(10 * MIB);
  });
});
