import { lstat, mkdir, readdir, readFile, stat, symlink, writeFile, chmod } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLockText, writeLockText } from '../../src/lock/file.ts';
import { tempFolder } from '../support/temp.ts';

async function lockIn(text?: string): Promise<string> {
  const folder = path.join(await tempFolder(), 'with space ä');
  await mkdir(folder);
  const file = path.join(folder, 'hug.lock.json');
  if (text !== undefined) await writeFile(file, text);
  return file;
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

  it('refuses a symbolic link, for reading and writing, and leaves its target alone', async () => {
    const file = await lockIn();
    const target = path.join(path.dirname(file), 'target');
    await writeFile(target, 'precious');
    await symlink(target, file);
    const refused = expect.objectContaining({ code: 'EHUG_LOCK_NOT_A_FILE', exitStatus: 1 });
    expect(() => readLockText(file)).toThrow(refused);
    await expect(writeLockText(file, undefined, 'new')).rejects.toEqual(refused);
    expect(await readFile(target, 'utf8')).toBe('precious');
    expect((await lstat(file)).isSymbolicLink()).toBe(true);
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
