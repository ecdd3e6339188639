import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, readlink, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { acquireLease, release, removeAll } from '../../src/download/claim.ts';
import { placeOfIds } from '../support/place-of-ids.ts';
import { tempFolder } from '../support/temp.ts';

const KEY = 'f00d-12';
const UUID = '11111111-2222-3333-4444-555555555555';

/** The id of a process that has ended. */
async function endedProcess(): Promise<number> {
  const child = spawn('true');
  await once(child, 'exit');
  return child.pid ?? 0;
}

const LONG_AGO = new Date(Date.now() - 3_700_000);

/** A folder with one file of this name, where `@here` stands for the place of this process. */
async function folderWith(name: string): Promise<string> {
  const folder = await tempFolder();
  await writeFile(path.join(folder, name.replace('@here', `@${await placeOfIds()}`)), 'old');
  return folder;
}

describe('a partial file', () => {
  it('is new where nobody left one', async () => {
    const folder = path.join(await tempFolder(), 'made', 'when missing');
    const first = await acquireLease(folder, KEY);
    const second = await acquireLease(folder, KEY);
    expect([first.exists, second.exists]).toEqual([false, false]);
    expect(first.path).not.toBe(second.path);
  });

  it('goes to one claimant only', async () => {
    const folder = await folderWith(`${KEY}.free`);
    const claims = await Promise.all(Array.from({ length: 8 }, () => acquireLease(folder, KEY)));
    const [taken, ...others] = claims.filter(({ exists }) => exists);
    expect(others).toEqual([]);
    expect(await readFile(taken?.path ?? '', 'utf8')).toBe('old');
  });

  it('is free again once it is released', async () => {
    const folder = await folderWith(`${KEY}.free`);
    await release((await acquireLease(folder, KEY)).path, KEY);
    expect(await readdir(folder)).toEqual([`${KEY}.free`]);
  });

  it('is inherited from a process that has ended', async () => {
    const folder = await folderWith(`${KEY}.${await endedProcess()}.${UUID}@here`);
    expect((await acquireLease(folder, KEY)).exists).toBe(true);
  });

  it.each([
    ['of a running process', `${KEY}.${process.ppid}.${UUID}@here`],
    ['of another content', `${KEY}3.free`],
    ['of another machine', `${KEY}.1.${UUID}@elsewhere`],
    ['of another form', `${KEY}.1.txt`],
  ])('%s is left alone', async (_what, name) => {
    const folder = await folderWith(name);
    const before = await readdir(folder);
    const { path: mine, exists } = await acquireLease(folder, KEY);
    expect(exists).toBe(false);
    await removeAll(mine, KEY);
    expect(await readdir(folder)).toEqual(before);
  });

  it('of an earlier process with the id of this one is inherited', async () => {
    const folder = await folderWith(`${KEY}.${process.pid}.${UUID}@here`);
    expect((await acquireLease(folder, KEY)).exists).toBe(true);
  });

  it.runIf(process.platform === 'linux')('of another pid namespace is left alone', async () => {
    const own = /\d+/u.exec(await readlink('/proc/self/ns/pid'))?.[0] ?? '';
    const there = (await placeOfIds()).replace(own, '1');
    for (const pid of [process.pid, await endedProcess()]) {
      const folder = await folderWith(`${KEY}.${pid}.${UUID}@${there}`);
      expect((await acquireLease(folder, KEY)).exists).toBe(false);
    }
  });

  it.each([
    ['of another machine', `${KEY}.1.${UUID}@elsewhere`],
    ['of a running process', `${KEY}.${process.ppid}.${UUID}@here`],
  ])('%s is inherited after an hour of silence, and then is not silent', async (_what, name) => {
    const folder = await folderWith(name);
    for (const left of await readdir(folder)) {
      await utimes(path.join(folder, left), LONG_AGO, LONG_AGO);
    }
    const { path: mine, exists } = await acquireLease(folder, KEY);
    expect(exists).toBe(true);
    expect((await stat(mine)).mtime.getTime()).toBeGreaterThan(Date.now() - 60_000);
  });

  it('of this process is its own, however silent, until it is given up', async () => {
    const folder = await folderWith(`${KEY}.free`);
    const { path: mine } = await acquireLease(folder, KEY);
    await utimes(mine, LONG_AGO, LONG_AGO);
    expect((await acquireLease(folder, KEY)).exists).toBe(false);
    await release(mine, KEY);
    expect((await acquireLease(folder, KEY)).exists).toBe(true);
  });

  it('shows every ten minutes that its owner is alive', async () => {
    vi.resetModules();
    vi.useFakeTimers({ toFake: ['setInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const fresh = await import('../../src/download/claim.ts');
    const folder = await folderWith(`${KEY}.free`);
    const { path: mine } = await fresh.acquireLease(folder, KEY);
    await utimes(mine, LONG_AGO, LONG_AGO);
    vi.advanceTimersByTime(600_000);
    await vi.waitFor(async () => expect((await stat(mine)).mtime).not.toEqual(LONG_AGO));
  });
});
