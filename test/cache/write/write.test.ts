import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRepoWriter } from '../../../src/cache/write/write.ts';
import { silenceLeases } from '../../support/silence.ts';
import { tempFolder } from '../../support/temp.ts';

const MIB = 1024 * 1024;
const REV = 'c'.repeat(40);
const OTHER_REV = 'd'.repeat(40);
const CONTENT = 'weights';

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');

const nameOf = (content: string | Buffer) => ({ kind: 'sha256', hex: sha256(content) }) as const;

const BLOB = { name: nameOf(CONTENT), size: CONTENT.length };
const fileAt = (at: string) => {
  return { path: at, size: BLOB.size, digest: BLOB.name, oid: '', isLfs: true };
};
const FILES = [fileAt('a/b/w.bin'), fileAt('w.bin')];
const SNAPSHOT = { rev: REV, files: FILES, listed: [], isWhole: true };

const ignore = () => undefined;

/** A cache, what writes a repository into it, and a file that has the content. */
async function writing(signal = new AbortController().signal) {
  const cache = path.join(await tempFolder(), 'hub');
  const source = path.join(await tempFolder(), 'source');
  await writeFile(source, CONTENT);
  const writer = createRepoWriter(cache, 'model', 'org/name', signal);
  const again = () => createRepoWriter(cache, 'model', 'org/name', signal);
  return { cache, repo: path.join(cache, 'models--org--name'), source, writer, again };
}

describe('a repository in the cache', () => {
  it('gets blobs, links and a ref, and no temporary files', async () => {
    const { cache, repo, source, writer } = await writing();
    expect(await writer.holds(BLOB)).toBe(false);
    await writer.putBlob(BLOB, { path: source, isLinkable: false }, ignore);
    expect(await writer.holds(BLOB)).toBe(true);
    expect(await writer.holds({ ...BLOB, size: 1 })).toBe(false);
    const folder = await writer.putSnapshot(SNAPSHOT, ignore);
    expect(folder).toBe(path.join(repo, 'snapshots', REV));
    expect(await readFile(path.join(folder, 'a/b/w.bin'), 'utf8')).toBe(CONTENT);
    expect(await writer.putRef('refs/pr/1', REV, false)).toBe(undefined);
    expect(await readFile(path.join(repo, 'refs/refs/pr/1'), 'utf8')).toBe(REV);
    await writer.close();
    expect((await readdir(repo)).toSorted()).toEqual([
      '.no_exist',
      'blobs',
      'refs',
      'snapshots',
      'trees',
    ]);
    expect((await readdir(cache)).toSorted()).toEqual([
      '.locks',
      'CACHEDIR.TAG',
      path.basename(repo),
    ]);
  });

  it('has no incomplete snapshot while it is made', async () => {
    const { repo, writer } = await writing();
    const blocked = { ...SNAPSHOT, files: [...FILES, fileAt('w.bin')] };
    await expect(writer.putSnapshot(blocked, ignore)).rejects.toThrow('EEXIST');
    await writer.close();
    expect(await readdir(path.join(repo, 'snapshots'))).toEqual([]);
    expect(await readdir(repo)).not.toContain('trees');
  });

  it('gets links in place of files, and reports those with another content', async () => {
    const { repo, source, writer } = await writing();
    await writer.putBlob(BLOB, { path: source, isLinkable: false }, ignore);
    const folder = path.join(repo, 'snapshots', REV);
    await mkdir(path.join(folder, 'a/b'), { recursive: true });
    await writeFile(path.join(folder, 'a/b/w.bin'), CONTENT);
    await writeFile(path.join(folder, 'w.bin'), 'edited');
    const damage: unknown[] = [];
    await writer.putSnapshot(SNAPSHOT, (one) => damage.push(one));
    expect(damage).toEqual([
      { file: path.join(folder, 'w.bin'), reason: 'has 6 bytes, expected 7' },
    ]);
    for (const { path: file } of FILES) {
      expect(await readlink(path.join(folder, file))).toContain(`blobs/${BLOB.name.hex}`);
    }
  });

  it('loses the temporary files of a killed process, also when nothing is written', async () => {
    const { repo, writer } = await writing();
    const left = '.nix-hug.11111111-2222-3333-4444-555555555555.part';
    await mkdir(path.join(repo, left, 'rev'), { recursive: true });
    await silenceLeases(repo);
    const other = '.nix-hug.22222222-2222-3333-4444-555555555555.part';
    await mkdir(path.join(repo, other));
    await writer.close();
    expect((await readdir(repo)).toSorted()).toEqual([other, 'snapshots']);
  });

  it('takes the same snapshot from several writers at once', async () => {
    const { repo, writer, again } = await writing();
    const writers = [writer, again(), again(), again()];
    await Promise.all(writers.map((each) => each.putSnapshot(SNAPSHOT, ignore)));
    await Promise.all(writers.map((each) => each.close()));
    const folder = path.join(repo, 'snapshots', REV);
    expect(await readlink(path.join(folder, 'a/b/w.bin'))).toBe(
      `../../../../blobs/${BLOB.name.hex}`,
    );
    expect((await readdir(repo)).toSorted()).toEqual(['.no_exist', 'blobs', 'snapshots', 'trees']);
  });

  it('has no folder replaced by a file list', async () => {
    const { repo, writer } = await writing();
    const folder = path.join(repo, 'trees', `${REV}.json`, 'kept');
    await mkdir(folder, { recursive: true });
    await expect(writer.putSnapshot(SNAPSHOT, ignore)).rejects.toMatchObject({
      code: 'EHUG_FILE_SYSTEM',
    });
    await writer.close();
    expect(await readdir(folder)).toEqual([]);
  });

  it('replaces a link in place of a blob, and does not write through it', async () => {
    const { repo, source, writer } = await writing();
    const elsewhere = path.join(await tempFolder(), 'elsewhere');
    await writeFile(elsewhere, 'other');
    await mkdir(path.join(repo, 'blobs'), { recursive: true });
    await symlink(elsewhere, path.join(repo, 'blobs', BLOB.name.hex));
    await writer.putBlob(BLOB, { path: source, isLinkable: false }, ignore);
    await writer.close();
    expect(await readFile(elsewhere, 'utf8')).toBe('other');
    expect(await readFile(path.join(repo, 'blobs', BLOB.name.hex), 'utf8')).toBe(CONTENT);
  });

  it('keeps a blob that is a link to the source, as in a shared blob store', async () => {
    const { cache, repo, writer } = await writing();
    const shared = path.join(cache, 'blobs', 'ab', 'abcd');
    await mkdir(path.dirname(shared), { recursive: true });
    await writeFile(shared, CONTENT);
    await mkdir(path.join(repo, 'blobs'), { recursive: true });
    const link = path.join(repo, 'blobs', BLOB.name.hex);
    await symlink('../../blobs/ab/abcd', link);
    await writer.putBlob(BLOB, { path: shared, isLinkable: true }, ignore);
    expect(await readlink(link)).toBe('../../blobs/ab/abcd');
  });

  it('refuses another content, and leaves no file of it', async () => {
    const { repo, source, writer } = await writing();
    await writeFile(source, 'Weights');
    await expect(
      writer.putBlob(BLOB, { path: source, isLinkable: false }, ignore),
    ).rejects.toMatchObject({ code: 'EHUG_INTEGRITY' });
    expect(await readdir(path.join(repo, 'blobs'))).toEqual([]);
  });

  it('ends a copy when the user interrupts', async () => {
    const controller = new AbortController();
    const { repo, source, writer } = await writing(controller.signal);
    const large = Buffer.alloc(32 * MIB, 1);
    await writeFile(source, large);
    const blob = { name: nameOf(large), size: large.length };
    const seen: number[] = [];
    const copying = writer.putBlob(blob, { path: source, isLinkable: false }, (bytes) => {
      seen.push(bytes);
      controller.abort();
    });
    await expect(copying).rejects.toThrow('aborted');
    expect(seen.at(-1)).toBeLessThan(large.length);
    await writer.close();
    expect(await readdir(path.join(repo, 'blobs'))).toEqual([]);
  });

  it.each([
    ['another commit that is there', OTHER_REV, false, OTHER_REV],
    ['another commit that is there, which is older', OTHER_REV, true, undefined],
    ['a commit that is not there', 'e'.repeat(40), false, undefined],
    ['no commit', `${OTHER_REV}\n`, false, undefined],
    ['the same commit', REV, false, undefined],
  ])('has a ref that names %s', async (_, before, mayMove, kept) => {
    const { repo, writer } = await writing();
    await writer.putSnapshot({ ...SNAPSHOT, rev: OTHER_REV }, ignore);
    await writer.putSnapshot(SNAPSHOT, ignore);
    await mkdir(path.join(repo, 'refs'));
    await writeFile(path.join(repo, 'refs/main'), before);
    expect(await writer.putRef('main', REV, mayMove)).toBe(kept);
    expect(await readFile(path.join(repo, 'refs/main'), 'utf8')).toBe(kept ?? REV);
  });
});
