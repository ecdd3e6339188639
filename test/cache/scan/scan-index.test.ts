import { execFile } from 'node:child_process';
import {
  chmod,
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { scanCache } from '../../../src/cache/scan/scan.ts';
import { openScanIndex, type ScanIndex } from '../../../src/cache/scan/scan-index.ts';
import { keepsTimes } from '../../support/keeps-times.ts';
import { smallDisk } from '../../support/small-disk.ts';
import { tempFolder } from '../../support/temp.ts';

const exec = promisify(execFile);

const REV = 'c'.repeat(40);
const OTHER = 'd'.repeat(40);
const HOUR_MS = 3_600_000;
/** Longer than a tick of any clock that file systems of Linux take times from. */
const TICK_MS = 15;

const REPO = 'models--org--name';
const BLOB = 'a'.repeat(40);

/** A cache with one sound repository, and where its index is. */
async function cached() {
  const folder = await tempFolder('scan index ä');
  const cache = path.join(folder, 'hub');
  const put = (name: string, content: string) => write(path.join(cache, name), content);
  await put(`${REPO}/blobs/${BLOB}`, '{}');
  await link(cache, `${REPO}/snapshots/${REV}/config.json`, `../../blobs/${BLOB}`);
  await put(`${REPO}/refs/main`, REV);
  const place = { folder: path.join(folder, 'scans'), cache, version: '1.0.0' };
  const repo = { at: path.join(cache, REPO), real: path.join(cache, REPO) };
  const root = { at: cache, real: cache };
  /** In an hour, when nothing is young any more. */
  const open = (version = '1.0.0') => openScanIndex({ ...place, version }, Date.now() + HOUR_MS);
  return { cache, place, repo, put, open, recall: () => open().recall(repo, root) };
}

async function write(file: string, content: string, flag = 'w'): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content, { flag });
}

async function link(cache: string, name: string, to: string): Promise<void> {
  const file = path.join(cache, name);
  await mkdir(path.dirname(file), { recursive: true });
  await rm(file, { recursive: true, force: true });
  await symlink(to, file);
}

describe.runIf(keepsTimes)('an index of scans', () => {
  it('knows what an earlier scan read', async () => {
    const { cache, recall, open } = await cached();
    expect(recall()).toBeUndefined();
    const { repos } = await scanCache(cache, undefined, open());
    expect(recall()).toEqual(repos[0]?.revisions);
  });

  it('is not written anew when nothing is', async () => {
    const { cache, place, open } = await cached();
    await scanCache(cache, undefined, open());
    const [name = ''] = await readdir(place.folder);
    const file = path.join(place.folder, name);
    const before = await lstat(file);
    await wait(TICK_MS);
    await scanCache(cache, undefined, open());
    expect((await lstat(file)).mtimeMs).toBe(before.mtimeMs);
  });

  it('forgets what is gone', async () => {
    const { cache, place, open } = await cached();
    await scanCache(cache, undefined, open());
    await rm(path.join(cache, REPO), { recursive: true });
    await scanCache(cache, undefined, open());
    const [name = ''] = await readdir(place.folder);
    expect(await readFile(path.join(place.folder, name), 'utf8')).toMatch(
      /^1 1\.0\.0 sha256-.+\n\{\}$/u,
    );
  });

  it('keeps no repository whose folders changed a moment ago', async () => {
    const { cache, place, recall } = await cached();
    await utimes(path.join(cache, REPO, 'blobs', BLOB), 0, 0);
    await scanCache(cache, undefined, openScanIndex(place));
    expect(recall()).toBeUndefined();
  });

  it('keeps nothing where folders may have no times', async ({ skip }) => {
    const { cache, place, open } = await cached();
    const { folder } = await smallDisk(1024 * 1024, skip, 'ramfs');
    await cp(cache, folder, { recursive: true, verbatimSymlinks: true });
    const index = openScanIndex({ ...place, cache: folder }, Date.now() + HOUR_MS);
    expect(await scanCache(folder, undefined, index)).toMatchObject({ size: 2, problems: [] });
    await expect(readdir(place.folder)).rejects.toThrow('ENOENT');
    await scanCache(cache, undefined, open());
    expect(await readdir(place.folder)).toHaveLength(1);
  });

  it('keeps nothing where a folder may change below another one', async ({ skip }) => {
    const { cache, place, open } = await cached();
    const folder = await tempFolder();
    const merged = path.join(folder, 'merged');
    for (const name of ['upper', 'work', 'merged']) await mkdir(path.join(folder, name));
    const layers = `lowerdir=${cache},upperdir=${folder}/upper,workdir=${folder}/work`;
    const mounted = exec('mount', ['-t', 'overlay', '-o', layers, 'overlay', merged]);
    await mounted.catch(() => skip('only root can mount'));
    onTestFinished(async () => void (await exec('umount', [merged])));
    const index = openScanIndex({ ...place, cache: merged }, Date.now() + HOUR_MS);
    expect(await scanCache(merged, undefined, index)).toMatchObject({ size: 2, problems: [] });
    await expect(readdir(place.folder)).rejects.toThrow('ENOENT');
    await scanCache(cache, undefined, open());
    expect(await readdir(place.folder)).toHaveLength(1);
  });

  it('keeps no repository that lies on another device', async () => {
    const { cache, place, repo } = await cached();
    const { repos } = await scanCache(cache);
    const shm = { ...place, cache: '/dev/shm' };
    const index = openScanIndex(shm, Date.now() + HOUR_MS);
    index.keep(repo, repos[0]?.revisions ?? [], [repo]);
    index.save();
    await expect(readdir(place.folder)).rejects.toThrow('ENOENT');
  });

  it.each([
    ['cut off', (text: string) => text.slice(0, -9)],
    ['changed', (text: string) => text.replace('config.json', 'konfig.json')],
    ['of two writers', (text: string) => text + text],
    ['empty', () => ''],
  ])('is as good as none when it is %s', async (_, damage) => {
    const { cache, place, recall, open } = await cached();
    await scanCache(cache, undefined, open());
    const [name = ''] = await readdir(place.folder);
    const file = path.join(place.folder, name);
    await writeFile(file, damage(await readFile(file, 'utf8')));
    expect(recall()).toBeUndefined();
    await scanCache(cache, undefined, open());
    expect(recall()).toBeDefined();
  });

  it('of another version is as good as none', async () => {
    const { cache, recall, open } = await cached();
    await scanCache(cache, undefined, open('1.0.1'));
    expect(recall()).toBeUndefined();
  });

  it.skipIf(process.geteuid?.() !== 0)('is of one user', async () => {
    const { cache, recall, open } = await cached();
    await chmod(path.dirname(cache), 0o755);
    await scanCache(cache, undefined, open());
    process.seteuid?.(65_534);
    try {
      expect(recall()).toBeUndefined();
    } finally {
      process.seteuid?.(0);
    }
    expect(recall()).toBeDefined();
  });

  it('need not be writable', async () => {
    const { cache, place, recall, open } = await cached();
    await writeFile(place.folder, 'a file where the folder belongs');
    const scan = await scanCache(cache, undefined, open());
    expect(scan).toEqual(await scanCache(cache));
    expect(recall()).toBeUndefined();
  });

  it('believes the name of a blob, as long as its folder is as it was', async () => {
    const { cache, put, open } = await cached();
    const scan = () => scanCache(cache, undefined, open());
    expect(await scan()).toMatchObject({ size: 2 });
    await put(`${REPO}/blobs/${BLOB}`, 'damaged in place');
    expect(await scan()).toMatchObject({ size: 2, problems: [] });
    await wait(TICK_MS);
    await put(`${REPO}/blobs/${'b'.repeat(40)}`, '');
    expect(await scan()).toMatchObject({ size: 16, problems: [] });
  });

  it('does not keep a blob that changed a moment ago', async () => {
    const { cache, place, recall } = await cached();
    const now = Date.now() + HOUR_MS;
    await utimes(path.join(cache, REPO, 'blobs', BLOB), now / 1000, now / 1000);
    await scanCache(cache, undefined, openScanIndex(place, now));
    expect(recall()).toBeUndefined();
  });

  it('tells two names of one repository apart', async () => {
    const { cache, open } = await cached();
    await link(cache, `${REPO}--more`, REPO);
    const scan = () => scanCache(cache, undefined, open());
    const { problems } = await scan();
    expect(problems).toMatchObject([{ kind: 'unclear-id', path: `${REPO}--more` }]);
    expect((await scan()).problems).toEqual(problems);
  });

  it('reads a repository anew that a link finds elsewhere', async () => {
    const { cache, open } = await cached();
    const before = path.join(cache, 'before');
    await mkdir(before);
    await rename(path.join(cache, REPO), path.join(before, 'repo'));
    await link(cache, REPO, 'before/repo');
    const file = `${REPO}/snapshots/${REV}/config.json`;
    await link(cache, file, path.join(before, 'repo/blobs', BLOB));
    const scan = () => scanCache(cache, undefined, open());
    expect((await scan()).size).toBe(2);
    await rename(before, path.join(cache, 'after'));
    await link(cache, REPO, 'after/repo');
    const { problems } = await scan();
    expect(problems).toContainEqual({ kind: 'broken-link', path: file });
  });

  it('takes no blob for the one of that name in another repository', async () => {
    const { cache, put, open } = await cached();
    const other = 'models--org--other';
    await put(`${other}/blobs/${BLOB}`, 'longer');
    await mkdir(path.join(cache, other, 'snapshots'));
    await link(cache, `${REPO}/other`, `../${other}/snapshots`);
    await link(cache, `${REPO}/snapshots/${REV}/config.json`, `../../other/../blobs/${BLOB}`);
    const scan = () => scanCache(cache, undefined, open());
    const { repos } = await scan();
    expect(repos[0]?.revisions[0]?.files).toMatchObject([{ size: 6, etag: undefined }]);
    expect((await scan()).repos).toEqual(repos);
  });

  it('reads a repository anew in which a link leads to a snapshot', async () => {
    const { cache, open } = await cached();
    const snapshot = path.join(cache, REPO, 'snapshots', REV);
    const before = path.join(path.dirname(cache), 'before');
    await mkdir(before);
    await rename(snapshot, path.join(before, REV));
    await symlink(path.join(before, REV), snapshot);
    await link(before, `${REV}/config.json`, `../../hub/${REPO}/blobs/${BLOB}`);
    const scan = () => scanCache(cache, undefined, open());
    expect(await scan()).toMatchObject({ size: 2, problems: [] });
    const after = path.join(cache, '.locks/after');
    await mkdir(path.dirname(after));
    await rename(before, after);
    await symlink(after, before);
    expect((await scan()).problems).toMatchObject([{ kind: 'broken-link' }]);
  });

  it('sees a ref that is changed in place', async () => {
    const { cache, put, open } = await cached();
    await link(cache, `${REPO}/snapshots/${OTHER}/config.json`, `../../blobs/${BLOB}`);
    const refs = async () => {
      const { repos } = await scanCache(cache, undefined, open());
      return repos[0]?.revisions.map((revision) => revision.refs);
    };
    expect(await refs()).toEqual([['main'], []]);
    await wait(TICK_MS);
    await put(`${REPO}/refs/main`, OTHER);
    expect(await refs()).toEqual([[], ['main']]);
  });

  it.each([
    ['gone', 'broken-link', (shared: string) => rm(shared)],
    ['a folder', 'linked-folder', (shared: string) => rm(shared).then(() => mkdir(shared))],
    [
      'outside of the cache',
      'outside',
      async (shared: string) => {
        const elsewhere = path.join(await tempFolder(), 'weights');
        await rename(shared, elsewhere);
        await symlink(elsewhere, shared);
      },
    ],
  ])('sees that a blob that repositories share is %s now', async (_, kind, remove) => {
    const { cache, put, open } = await cached();
    await put('blobs/.huggingface-shared-blobs', '1\n');
    await put('blobs/ab/abc', 'weights');
    await link(cache, `${REPO}/blobs/w`, '../../blobs/ab/abc');
    await link(cache, `${REPO}/snapshots/${REV}/w.bin`, '../../blobs/w');
    const scan = () => scanCache(cache, undefined, open());
    await scan();
    expect(await scan()).toMatchObject({ size: 9, problems: [] });
    await remove(path.join(cache, 'blobs/ab/abc'));
    expect(await scan()).toMatchObject({ problems: [{ kind }] });
  });
});

/** Changes of a cache, at most of one file or folder each. */
const change = fc.record({
  repo: fc.constantFrom(REPO, 'datasets--org--data'),
  rev: fc.constantFrom(REV, OTHER),
  file: fc.constantFrom('a.json', 'b.bin', 'sub/a.json', 'sub/sub'),
  blob: fc.constantFrom(BLOB, 'b'.repeat(64), 'c'.repeat(64)),
  ref: fc.constantFrom('main', 'refs/pr/1', 'v1.0'),
  what: fc.constantFrom(
    'link' as const,
    'link' as const,
    'link' as const,
    'blob' as const,
    'blob' as const,
    'ref' as const,
    'ref' as const,
    'unlink' as const,
    'no-blob' as const,
    'replaced-blob' as const,
    'no-ref' as const,
    'file' as const,
    'folder' as const,
    'incomplete' as const,
    'no-snapshot' as const,
    'linked-snapshot' as const,
    'moved-repo' as const,
    'stray' as const,
  ),
  size: fc.integer({ min: 0, max: 9 }),
});

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

async function apply(cache: string, { repo, rev, file, blob, ref, what, size }: Change) {
  const folder = path.join(cache, repo);
  const snapshot = `${repo}/snapshots/${rev}`;
  const at = path.join(cache, snapshot, file);
  const blobAt = path.join(folder, 'blobs', blob);
  const doIt: Record<Change['what'], () => Promise<unknown>> = {
    link: () =>
      link(
        cache,
        `${snapshot}/${file}`,
        `${'../'.repeat(file.split('/').length + 1)}blobs/${blob}`,
      ),
    blob: () => write(blobAt, 'x'.repeat(size), 'wx'),
    ref: () => write(path.join(folder, 'refs', ref), size > 8 ? 'nonsense' : rev),
    unlink: () => rm(at, { recursive: true, force: true }),
    'no-blob': () => rm(blobAt, { force: true }),
    'replaced-blob': async () => {
      await write(`${blobAt}.new`, 'y'.repeat(size));
      await rename(`${blobAt}.new`, blobAt);
    },
    'no-ref': () => rm(path.join(folder, 'refs', ref), { force: true }),
    file: () => write(at, 'x'.repeat(size)),
    folder: () => mkdir(at, { recursive: true }),
    incomplete: () => write(`${blobAt}.${'0'.repeat(8)}.incomplete`, ''),
    'no-snapshot': () => rm(path.join(cache, snapshot), { recursive: true, force: true }),
    'linked-snapshot': () => link(cache, snapshot, `../../elsewhere`),
    'moved-repo': () => rename(folder, path.join(cache, `models--org--moved${size}`)),
    stray: () => write(path.join(folder, 'stray'), ''),
  };
  // Some cannot be done as things are: a file where a folder would have to be.
  await doIt[what]().catch(() => undefined);
}

describe.runIf(keepsTimes)('a scan with an index', () => {
  it('tells what a scan without one tells, whatever changed in between', async () => {
    let recalled = 0;
    const counting = (index: ScanIndex): ScanIndex => ({
      ...index,
      recall: (...repo) => {
        const revisions = index.recall(...repo);
        if (revisions !== undefined) recalled += 1;
        return revisions;
      },
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 3, maxLength: 9 }), async (changes) => {
        const { cache, open } = await cached();
        for (const one of changes) {
          await apply(cache, one);
          await wait(TICK_MS);
          const scan = await scanCache(cache, undefined, counting(open()));
          expect(scan).toEqual(await scanCache(cache));
        }
      }),
      { numRuns: 40 },
    );
    expect(recalled).toBeGreaterThan(40);
  });
});
