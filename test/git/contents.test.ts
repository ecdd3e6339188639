import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cachedProject, workFiles } from '../support/cached-project.ts';
import { folderFacts } from '../support/folder-facts.ts';
import { hfUser } from '../support/hf-user.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { injectAlways } from '../support/inject.ts';
import { storeObjects } from '../support/isolated-store.ts';
import { smallDisk } from '../support/small-disk.ts';

const PLAIN = 60;
const LFS = 3;
const MANIFEST = 'models: { wide: org/wide }';
const GIT = { PATH: process.env['PATH'] ?? '' };

/** Text that does not get much smaller in a pack. */
const textOf = (index: number) => createHash('sha512').update(`${index}`).digest('hex');

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  const repo = await hub.createRepo({ type: 'model', id: 'org/wide' });
  await repo.commit({
    files: [
      ...Array.from({ length: PLAIN }, (_, index) => [`data/${index}.txt`, textOf(index)] as const),
      ...Array.from({ length: LFS }, (_, index) => [`${index}.bin`, lfs(`${index}`)] as const),
    ],
  });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

/** How many files were downloaded one by one, and how many requests git made. */
const counts = () => ({
  files: hub.requests.filter(({ url }) => url.includes('/resolve/')).length,
  git: hub.requests.filter(({ url }) => url.includes('git-upload-pack')).length,
});

describe('export by git’s pack', () => {
  it.each([
    ['entries', []],
    ['repositories', ['org/wide']],
  ])('writes the cache of single downloads for %s', async (_title, names) => {
    const [one, other] = [
      await hfUser(hub.endpoint, MANIFEST),
      await hfUser(hub.endpoint, MANIFEST),
    ];
    expect(await one.run(['export', ...names])).toMatchObject({ status: 0 });
    hub.clearRequests();
    expect(await other.run(['export', ...names], GIT)).toMatchObject({ status: 0 });
    expect(counts()).toEqual({ files: LFS, git: 2 });
    expect(await folderFacts(other.cache)).toEqual(await folderFacts(one.cache));
    expect(await readdir(path.join(other.home, 'xdg/nix-hug/git'))).toEqual([]);
  });

  it('downloads the few files that the cache misses one by one', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    await user.run(['export']);
    const before = await folderFacts(user.cache);
    const blobs = path.join(user.cache, 'models--org--wide/blobs');
    const plain = (await readdir(blobs)).filter((name) => name.length === 40);
    for (const name of plain.slice(0, 3)) await rm(path.join(blobs, name));
    hub.clearRequests();
    expect(await user.run(['export'], GIT)).toMatchObject({ status: 0 });
    expect(counts()).toEqual({ files: 3, git: 0 });
    expect(await folderFacts(user.cache)).toEqual(before);
  });

  it.each([
    ['is not served', { kind: 'status', status: 404 }],
    ['is cut', { kind: 'cut', afterBytes: 600 }],
    ['has wrong bytes', { kind: 'corrupt', at: 5_000 }],
  ] as const)('downloads all files one by one when the pack %s', async (_title, fault) => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    hub.clearRequests();
    injectAlways(hub, 'git-upload-pack', fault);
    const { status, stderr } = await user.run(['export', '--debug'], GIT);
    expect([status, counts().files]).toEqual([0, PLAIN + LFS]);
    expect(stderr).toContain('pack of model org/wide is not used, its files come one by one');
  });

  it('downloads all files one by one when the disk has no room for the pack', async (context) => {
    const { folder } = await smallDisk(256 * 1024, (note) => context.skip(note));
    const user = await hfUser(hub.endpoint, MANIFEST, { XDG_CACHE_HOME: folder });
    hub.clearRequests();
    const { status, stderr } = await user.run(['export', '--debug'], GIT);
    expect([status, counts().files]).toEqual([0, PLAIN + LFS]);
    expect(stderr).toContain('one by one: not enough disk space');
    expect(counts().git).toBe(0);
  });

  it('fails as before for a file whose digest in the lock is wrong', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const file = path.join(user.folder, 'hug.lock.json');
    const text = await readFile(file, 'utf8');
    const wrong = text.replace(/("data\/7\.txt": .*"sha256-).{10}/u, '$1AAAAAAAAAA');
    expect(wrong).not.toBe(text);
    await writeFile(file, wrong);
    const { status, stderr } = await user.run(['export'], GIT);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_INTEGRITY')]);
  });
});

describe('fetch by git’s pack', () => {
  it('adds the files of single downloads to the store', async () => {
    const one = await cachedProject(hub, MANIFEST);
    const other = await cachedProject(hub, MANIFEST);
    const result = await other.run(['fetch', '--json']);
    expect(result.status).toBe(0);
    expect(counts()).toEqual({ files: LFS, git: 2 });
    expect(await workFiles(other)).toEqual(
      expect.arrayContaining(['nix-hug', 'nix-hug/downloads', 'nix-hug/git']),
    );
    expect(await workFiles(other)).toHaveLength(3);
    const refused = injectAlways(hub, 'git-upload-pack', { kind: 'status', status: 404 });
    expect(await one.run(['fetch'])).toMatchObject({ status: 0 });
    expect(refused.hits).toBeGreaterThan(0);
    const objectsOf = async ({ store }: typeof one) =>
      (await storeObjects(store)).map((name) => name.slice(name.indexOf('-'))).toSorted();
    expect(await objectsOf(other)).toEqual(await objectsOf(one));
    expect(await objectsOf(other)).toHaveLength(PLAIN + LFS);
  });
});
