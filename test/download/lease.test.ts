import { readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { acquireLease, confirmLease, releaseLease, removeAll } from '../../src/download/lease.ts';
import { silenceLeases } from '../support/silence.ts';
import { tempFolder } from '../support/temp.ts';

const KEY = 'f00d-12';
const HELD = `${KEY}.11111111-2222-3333-4444-555555555555.part`;

/** A folder with one file of this name. */
async function folderWith(name: string): Promise<string> {
  const folder = await tempFolder();
  await writeFile(path.join(folder, name), 'old');
  return folder;
}

/** The module with a clock that stands still, and leases of its own. */
async function withTimers() {
  vi.resetModules();
  vi.useFakeTimers({ toFake: ['setInterval', 'Date'], now: Date.now() });
  onTestFinished(() => void vi.useRealTimers());
  return import('../../src/download/lease.ts');
}

describe('a lease', () => {
  it('is on a new file where no process left one', async () => {
    const folder = path.join(await tempFolder(), 'made', 'when missing');
    const first = await acquireLease(folder, KEY);
    const second = await acquireLease(folder, KEY);
    expect([first.exists, second.exists]).toEqual([false, false]);
    expect(first.path).not.toBe(second.path);
  });

  it('goes to one process only', async () => {
    const folder = await folderWith(`${KEY}.part`);
    const leases = await Promise.all(Array.from({ length: 8 }, () => acquireLease(folder, KEY)));
    const [taken, ...others] = leases.filter(({ exists }) => exists);
    expect(others).toEqual([]);
    expect(await readFile(taken?.path ?? '', 'utf8')).toBe('old');
  });

  it('is free again once it is released', async () => {
    const folder = await folderWith(`${KEY}.part`);
    await releaseLease((await acquireLease(folder, KEY)).path, KEY);
    expect(await readdir(folder)).toEqual([`${KEY}.part`]);
  });

  it.each([
    ['of a process that shows signs of life', HELD],
    ['of another content', `${KEY}3.part`],
    ['of another content that begins alike', `${KEY}.5.part`],
    ['of another form', `${KEY}.txt`],
  ])('%s is left alone', async (_what, name) => {
    const folder = await folderWith(name);
    const { path: mine, exists } = await acquireLease(folder, KEY);
    expect(exists).toBe(false);
    await writeFile(mine, 'new');
    await removeAll(mine, KEY);
    expect(await readdir(folder)).toEqual([name]);
  });

  it('is taken over after a minute of silence, and then is not silent', async () => {
    const folder = await folderWith(HELD);
    await silenceLeases(folder);
    const { path: mine, exists } = await acquireLease(folder, KEY);
    expect(exists).toBe(true);
    expect(await readdir(folder)).toEqual([path.basename(mine)]);
    expect((await stat(mine)).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
  });

  it('of an ended process is removed with the file that replaced it', async () => {
    const folder = await folderWith(HELD);
    const { path: mine } = await acquireLease(folder, KEY);
    await writeFile(mine, 'new');
    await silenceLeases(folder);
    await removeAll(mine, KEY);
    expect(await readdir(folder)).toEqual([]);
  });

  it('of this process is its own, however silent, until it is released', async () => {
    const folder = await folderWith(`${KEY}.part`);
    const { path: mine } = await acquireLease(folder, KEY);
    await silenceLeases(folder);
    expect((await acquireLease(folder, KEY)).exists).toBe(false);
    await releaseLease(mine, KEY);
    expect((await acquireLease(folder, KEY)).exists).toBe(true);
  });

  it('is renewed every ten seconds', async () => {
    const lease = await withTimers();
    const folder = await folderWith(`${KEY}.part`);
    const { path: mine } = await lease.acquireLease(folder, KEY);
    const before = new Date(0);
    await utimes(mine, before, before);
    vi.advanceTimersByTime(10_000);
    await vi.waitFor(async () => expect((await stat(mine)).mtime).not.toEqual(before));
  });

  it.each([
    ['at the next renewal', 10_000, 0],
    ['before the next write of a process that was suspended', 0, 60_000],
  ])('that another process took over is lost %s', async (_when, renewalsMs, pauseMs) => {
    const lease = await withTimers();
    const folder = await folderWith(`${KEY}.part`);
    const { path: mine } = await lease.acquireLease(folder, KEY);
    await lease.confirmLease(mine);
    await rename(mine, path.join(folder, HELD));
    vi.advanceTimersByTime(renewalsMs);
    vi.setSystemTime(Date.now() + pauseMs);
    await vi.waitFor(() =>
      expect(lease.confirmLease(mine)).rejects.toThrow('another process took over or removed'),
    );
    await lease.releaseLease(mine, KEY);
    expect(await readdir(folder)).toEqual([HELD]);
  });

  it('is confirmed for as long as the file is there', async () => {
    const folder = await folderWith(`${KEY}.part`);
    const { path: mine } = await acquireLease(folder, KEY);
    await silenceLeases(folder);
    await expect(confirmLease(mine)).resolves.toBe(undefined);
  });
});
