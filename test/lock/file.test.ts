import {
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  stat,
  symlink,
  writeFile,
  chmod,
} from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { readLockText, writeLockText } from '../../src/lock/file.ts';
import { tempFolder } from '../support/temp.ts';

async function lockIn(text?: string): Promise<string> {
  const folder = path.join(await tempFolder(), 'with space ä');
  await mkdir(folder);
  const file = path.join(folder, 'hug.lock.json');
  if (text !== undefined) await writeFile(file, text);
  return file;
}

/** Has the system refuse, until the test ends, to write folders to the disk. */
async function refuseSyncOfFolders(code: string): Promise<void> {
  const handle = await open(import.meta.filename);
  const prototype: FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  const spy = vi.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
    if ((await this.stat()).isDirectory()) throw Object.assign(new Error(code), { code });
    await this.datasync();
  });
  onTestFinished(() => spy.mockRestore());
}

describe('lock file', () => {
  it('is written and read back, and leaves nothing else', async () => {
    const file = await lockIn();
    expect(readLockText(file)).toBeUndefined();
    await writeLockText(file, undefined, 'ä\n');
    expect(readLockText(file)).toBe('ä\n');
    expect(await readdir(path.dirname(file))).toEqual(['hug.lock.json']);
  });

  it('keeps its permissions', async () => {
    const file = await lockIn('old');
    await chmod(file, 0o640);
    await writeLockText(file, 'old', 'new');
    expect((await stat(file)).mode & 0o777).toBe(0o640);
  });

  it.each(['EINVAL', 'ENOTSUP'])('is written where folders cannot be synced: %s', async (code) => {
    await refuseSyncOfFolders(code);
    const file = await lockIn('old');
    await writeLockText(file, 'old', 'new');
    expect(await readFile(file, 'utf8')).toBe('new');
  });

  it('is not said to be written when the disk fails', async () => {
    await refuseSyncOfFolders('EIO');
    await expect(writeLockText(await lockIn('old'), 'old', 'new')).rejects.toMatchObject({
      code: 'EHUG_FILE_SYSTEM',
    });
  });

  it('is written into a folder that the user may not list', async ({ skip }) => {
    if (process.geteuid?.() !== 0) {
      skip('needs root, and a process of its own, to become somebody else');
    }
    const file = await lockIn();
    await chmod(path.dirname(path.dirname(file)), 0o755);
    await chmod(path.dirname(file), 0o333);
    process.seteuid?.(65_534);
    try {
      await writeLockText(file, undefined, 'new');
    } finally {
      process.seteuid?.(0);
    }
    expect(await readFile(file, 'utf8')).toBe('new');
  });

  it('survives many writers at once whole', async () => {
    const file = await lockIn('old');
    const texts = Array.from({ length: 20 }, (_, index) => `${index}`.repeat(100_000));
    const ends = await Promise.allSettled(texts.map((text) => writeLockText(file, 'old', text)));
    const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
    for (const reason of refused) expect(reason).toMatchObject({ code: 'EHUG_LOCK_CHANGED' });
    expect(refused.length).toBeLessThan(texts.length);
    expect(texts).toContain(await readFile(file, 'utf8'));
    expect(await readdir(path.dirname(file))).toEqual(['hug.lock.json']);
  });

  it.each([undefined, 'old'])('is not written over what another process wrote: %s', async (old) => {
    const file = await lockIn('theirs');
    await expect(writeLockText(file, old, 'ours')).rejects.toMatchObject({
      code: 'EHUG_LOCK_CHANGED',
      exitStatus: 1,
    });
    expect(await readFile(file, 'utf8')).toBe('theirs');
    expect(await readdir(path.dirname(file))).toEqual(['hug.lock.json']);
    await writeLockText(file, old, 'theirs');
  });

  it('refuses to write over a symbolic link, and leaves its target alone', async () => {
    const file = await lockIn();
    const target = path.join(path.dirname(file), 'target');
    await writeFile(target, 'precious');
    await symlink(target, file);
    const refused = expect.objectContaining({ code: 'EHUG_LOCK_NOT_A_FILE', exitStatus: 1 });
    await expect(writeLockText(file, 'precious', 'new')).rejects.toEqual(refused);
    expect(await readFile(target, 'utf8')).toBe('precious');
    expect((await lstat(file)).isSymbolicLink()).toBe(true);
  });

  it('is read behind a symbolic link', async () => {
    const file = await lockIn();
    await writeFile(path.join(path.dirname(file), 'target'), 'shared');
    await symlink('target', file);
    expect(readLockText(file)).toBe('shared');
  });

  it('refuses a dangling link and a folder', async () => {
    const file = await lockIn();
    await symlink('nowhere', file);
    expect(() => readLockText(file)).toThrow('symbolic link');
    const folder = await lockIn();
    await mkdir(folder);
    expect(() => readLockText(folder)).toThrow('not a regular file');
  });

  it('says so when the folder is not there', async () => {
    const file = path.join(await tempFolder(), 'gone', 'hug.lock.json');
    await expect(writeLockText(file, undefined, 'new')).rejects.toEqual(
      expect.objectContaining({ code: 'EHUG_FILE_SYSTEM' }),
    );
  });
});
