import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { folderFacts } from '../support/folder-facts.ts';
import { type HfUser, hfUser, inCache } from '../support/hf-user.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { isolatedStore } from '../support/isolated-store.ts';
import { describeNix } from '../support/nix.ts';
import { makePipe } from '../support/pipe.ts';
import { smallDisk } from '../support/small-disk.ts';
import { spawnCli } from '../support/spawn-cli.ts';
import { tempFolder } from '../support/temp.ts';

const MIB = 1024 * 1024;
const FOLDER = 'models--org--tiny';
const MANIFEST = 'models: { tiny: org/tiny }';
const LARGE = 'models: { large: org/large }';
/** A user who owns nothing. */
const NOBODY = 65_534;

let hub: Hub;
let rev: string;
/** What a cache holds after an export where nothing is wrong. */
let sound: Record<string, string>;

beforeAll(async () => {
  hub = await startHub();
  const tiny = await hub.createRepo({ type: 'model', id: 'org/tiny' });
  rev = await tiny.commit({
    files: { 'config.json': '{}\n', 'sub/a.txt': 'a', 'sub/model.safetensors': lfs('weights') },
  });
  const large = await hub.createRepo({ type: 'model', id: 'org/large' });
  await large.commit({
    files: {
      'a.bin': lfs.generated({ size: 3 * MIB, seed: 'a' }),
      'b.bin': lfs.generated({ size: 3 * MIB, seed: 'b' }),
    },
  });
});
afterAll(() => hub.close());

/** Makes what `sound` is compared with. */
async function expectSound(user: HfUser): Promise<void> {
  if (sound === undefined) {
    const other = await hfUser(hub.endpoint, MANIFEST);
    expect((await other.run(['export'])).status).toBe(0);
    sound = await folderFacts(other.cache);
  }
  expect(await folderFacts(user.cache)).toEqual(sound);
}

async function exportOf(user: HfUser, env: Readonly<Record<string, string>> = {}) {
  const { status, stderr, json } = await user.run(['export', '--json'], env);
  return { status, stderr, error: status === 0 ? undefined : json().error };
}

const weights = (user: HfUser): string => {
  const name = Object.keys(sound).find((file) => /blobs\/[0-9a-f]{64}$/u.test(file));
  return inCache(user, name ?? '');
};

describe('a pipe', () => {
  it.each(['refs/main', 'trees/REV.json'])(
    'in place of %s is refused by its name',
    async (name) => {
      const user = await hfUser(hub.endpoint, MANIFEST);
      const file = inCache(user, FOLDER, name.replace('REV', rev));
      await mkdir(path.dirname(file), { recursive: true });
      await makePipe(file);
      const { status, error } = await exportOf(user);
      expect([status, error]).toMatchObject([1, { code: 'EHUG_FILE_SYSTEM' }]);
      expect(error.message).toBe(`${file} is a pipe, a socket or a device`);
      expect((await readdir(inCache(user, FOLDER))).join(' ')).not.toContain('.nix-hug');
    },
  );

  it('in place of a blob and a link is replaced', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    await exportOf(user);
    await expectSound(user);
    const link = inCache(user, FOLDER, 'snapshots', rev, 'config.json');
    for (const file of [weights(user), link]) {
      await rm(file);
      await makePipe(file);
    }
    expect((await exportOf(user)).status).toBe(0);
    await expectSound(user);
  });
});

describe.skipIf(process.platform !== 'linux')('a folder that cannot be made', () => {
  it.each(['HF_HUB_CACHE', 'XDG_CACHE_HOME'])('is an error at once: %s', async (variable) => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const { status, error } = await exportOf(user, { [variable]: '/proc/nope/more' });
    expect([status, error]).toMatchObject([1, { code: 'EHUG_FILE_SYSTEM' }]);
    expect(error.message).toContain("ENOENT: no such file or directory, mkdir '/proc/nope'");
  });
});

/** A group that this process may give its files to, beside its own. */
const otherGroup =
  process.getuid?.() === 0
    ? NOBODY
    : process.getgroups?.().find((group) => group !== process.getgid?.());

describe.skipIf(otherGroup === undefined)('a cache of a team', () => {
  it('gets files, links and folders of its group only, downloaded ones too', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    await mkdir(user.cache, { recursive: true });
    await chown(user.cache, -1, otherGroup ?? -1);
    await chmod(user.cache, 0o2770);
    expect((await exportOf(user)).status).toBe(0);
    const names = await readdir(user.cache, { recursive: true });
    const groups = names.map(async (name) => [name, (await lstat(inCache(user, name))).gid]);
    expect(await Promise.all(groups)).toEqual(names.map((name) => [name, otherGroup]));
  });
});

describe('a damaged blob', () => {
  it('is replaced, with a warning', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    await exportOf(user);
    await expectSound(user);
    await writeFile(weights(user), 'Weights');
    const { status, stderr } = await exportOf(user);
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining(`${weights(user)} has the digest`),
    ]);
    expect(stderr).toContain('; it was replaced');
    await expectSound(user);
  });

  it('stays as it is when no source has the content', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    await exportOf(user);
    await expectSound(user);
    await writeFile(weights(user), 'short');
    const before = await folderFacts(user.cache);
    const { error, stderr } = await exportOf(user, { HF_HUB_OFFLINE: '1' });
    expect(error.code).toBe('EHUG_OFFLINE');
    expect(stderr).toContain('has 5 bytes, expected 7; it was left as it is');
    expect(await folderFacts(user.cache)).toEqual(before);
  });

  it('is not written when a Hub alters files', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const injection = hub.inject({
      match: ({ origin }) => origin === 'cdn',
      fault: { kind: 'corrupt' },
      times: Infinity,
    });
    onTestFinished(() => injection.remove());
    expect((await exportOf(user)).error.code).toBe('EHUG_INTEGRITY');
    expect(await readdir(inCache(user, FOLDER, 'snapshots'))).toEqual([]);
    expect(await readdir(inCache(user, FOLDER, 'blobs'))).toHaveLength(2);
    injection.remove();
    expect((await exportOf(user)).status).toBe(0);
    await expectSound(user);
  });
});

describe('an entry that cannot be downloaded', () => {
  it('does not prevent the others from being written', async () => {
    const user = await hfUser(hub.endpoint, `models: { tiny: org/tiny, large: org/large }`);
    const injection = hub.inject({
      match: ({ url }) => url.startsWith('/org/large/resolve/'),
      fault: { kind: 'status', status: 404 },
      times: Infinity,
    });
    onTestFinished(() => injection.remove());
    const { error } = await exportOf(user);
    expect(error.message).toMatch(/^models\.large: /u);
    expect(await readFile(inCache(user, FOLDER, 'refs', 'main'), 'utf8')).toBe(rev);
    expect(await readdir(inCache(user, 'models--org--large', 'snapshots'))).toEqual([]);
  });

  it('does not prevent another entry from a shared file', async () => {
    const copy = await hub.createRepo({ type: 'model', id: 'org/copy' });
    await copy.commit({ files: { 'config.json': '{}\n', 'own.txt': 'its own' } });
    const user = await hfUser(hub.endpoint, 'models: { copy: org/copy, tiny: org/tiny }');
    const injection = hub.inject({
      match: ({ url }) => url.startsWith('/org/copy/resolve/'),
      fault: { kind: 'status', status: 403 },
      times: Infinity,
    });
    onTestFinished(() => injection.remove());
    const { error } = await exportOf(user);
    expect(error.message).toMatch(/^models\.copy: /u);
    expect(await readFile(inCache(user, FOLDER, 'refs', 'main'), 'utf8')).toBe(rev);
  });
});

describe('a plain file without a lock', () => {
  it('is compared with its git blob id', async () => {
    const user = await hfUser(hub.endpoint);
    const injection = hub.inject({ match: 'resolve-cache', fault: { kind: 'corrupt' }, times: 99 });
    onTestFinished(() => injection.remove());
    const { status, json } = await user.run(['export', 'org/tiny', '--json']);
    expect([status, json().error.code]).toEqual([1, 'EHUG_INTEGRITY']);
    expect(await readdir(inCache(user, FOLDER, 'snapshots'))).toEqual([]);
    injection.remove();
    expect((await user.run(['export', 'org/tiny'])).status).toBe(0);
    await expectSound(user);
  });
});

describe('the lock', () => {
  it('cannot write a content under the blob name of another', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const file = path.join(user.folder, 'hug.lock.json');
    const lock = JSON.parse(await readFile(file, 'utf8'));
    lock.models.tiny.files['config.json'].oid = '0'.repeat(40);
    await writeFile(file, JSON.stringify(lock));
    const { error } = await exportOf(user);
    expect(error).toMatchObject({ code: 'EHUG_INTEGRITY' });
    expect(await readdir(inCache(user, FOLDER, 'blobs'))).not.toContain('0'.repeat(40));
  });
});

describe('a cache that cannot be written', () => {
  it('because it is read-only, is an error before anything is downloaded', async ({ skip }) => {
    const disk = await smallDisk(4 * MIB, skip);
    const user = await hfUser(hub.endpoint, MANIFEST, { HF_HUB_CACHE: `${disk.folder}/hub` });
    await mkdir(`${disk.folder}/hub/${FOLDER}/blobs`, { recursive: true });
    await disk.makeReadOnly();
    hub.clearRequests();
    expect((await exportOf(user)).error).toMatchObject({
      code: 'EHUG_FILE_SYSTEM',
      message: expect.stringContaining('read-only file system'),
      hint: expect.stringContaining('HF_HUB_CACHE'),
    });
    expect(hub.requests).toEqual([]);
  });

  it('because Nix built it, is not changed even by root', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const snapshot = inCache(user, FOLDER, 'snapshots', rev);
    await mkdir(snapshot, { recursive: true });
    const folders = [user.cache, inCache(user, FOLDER), inCache(user, FOLDER, 'snapshots')];
    for (const folder of folders) await chmod(folder, 0o555);
    onTestFinished(async () => {
      for (const folder of folders) await chmod(folder, 0o755);
    });
    const before = await folderFacts(user.cache);
    hub.clearRequests();
    expect((await exportOf(user)).error).toMatchObject({
      code: 'EHUG_FILE_SYSTEM',
      message: `${user.cache} is read-only`,
      hint: expect.stringContaining('HF_HUB_CACHE'),
    });
    expect(await folderFacts(user.cache)).toEqual(before);
    expect(hub.requests).toEqual([]);
  });

  it('is no error when nothing has to be written', async ({ skip }) => {
    const disk = await smallDisk(4 * MIB, skip);
    const user = await hfUser(hub.endpoint, MANIFEST, { HF_HUB_CACHE: `${disk.folder}/hub` });
    await exportOf(user);
    await disk.makeReadOnly();
    expect((await exportOf(user)).status).toBe(0);
  });

  it.skipIf(process.getuid?.() !== 0)('because it belongs to another user', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    for (const folder of [user.home, user.folder]) {
      await chown(folder, NOBODY, NOBODY);
      await chmod(folder, 0o755);
    }
    await mkdir(inCache(user, FOLDER), { recursive: true });
    const world = { cwd: user.folder, env: { ...user.env, HOME: user.home }, uid: NOBODY };
    const { status, stdout } = await spawnCli(['export', '--json'], world).ended;
    expect([status, JSON.parse(stdout).error]).toMatchObject([
      1,
      { code: 'EHUG_FILE_SYSTEM', message: expect.stringContaining(user.cache) },
    ]);
    expect(await folderFacts(user.cache)).toEqual({ [FOLDER]: 'd 755' });
  });
});

describe('a cache that several users may write', () => {
  it.skipIf(process.getuid?.() !== 0)('may have temporary files of a killed export', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const left = path.join(inCache(user, FOLDER), '.nix-hug.part');
    await mkdir(path.join(left, 'something'), { recursive: true });
    for (const folder of [user.home, user.folder, inCache(user, FOLDER), user.cache]) {
      await chmod(folder, 0o777);
    }
    await chmod(path.dirname(user.cache), 0o777);
    await chmod(inCache(user, FOLDER), 0o1777);
    const world = { cwd: user.folder, env: { ...user.env, HOME: user.home }, uid: NOBODY };
    expect(await spawnCli(['export'], world).ended).toMatchObject({ status: 0 });
    expect(
      (await readdir(inCache(user, FOLDER))).filter((name) => name.startsWith('.nix')),
    ).toEqual(['.nix-hug.part']);
  });
});

describe('a small disk', () => {
  it('without enough space is an error before anything is downloaded', async ({ skip }) => {
    const disk = await smallDisk(4 * MIB, skip);
    const user = await hfUser(hub.endpoint, LARGE, { HF_HUB_CACHE: `${disk.folder}/hub` });
    hub.clearRequests();
    const { error } = await exportOf(user);
    expect(error).toMatchObject({
      code: 'EHUG_DISK_FULL',
      message: expect.stringContaining('6 MiB needed'),
    });
    expect(hub.requests).toEqual([]);
  });

  it('that fills up meanwhile gets no incomplete file', async ({ skip }) => {
    const disk = await smallDisk(8 * MIB, skip);
    const user = await hfUser(hub.endpoint, LARGE, { HF_HUB_CACHE: `${disk.folder}/hub` });
    const slow = hub.inject({
      match: ({ origin }) => origin === 'cdn',
      fault: { kind: 'slow', bytesPerSecond: 4 * MIB },
      times: Infinity,
    });
    onTestFinished(() => slow.remove());
    hub.clearRequests();
    const run = exportOf(user);
    while (!hub.requests.some(({ origin }) => origin === 'cdn')) await setTimeout(5);
    await writeFile(`${disk.folder}/other`, Buffer.alloc(4 * MIB));
    const { error } = await run;
    expect(error).toMatchObject({
      code: 'EHUG_DISK_FULL',
      message: expect.stringContaining('full'),
    });
    const repo = path.join(disk.folder, 'hub', 'models--org--large');
    expect((await readdir(repo)).toSorted()).toEqual(['blobs', 'snapshots']);
    expect((await readdir(`${repo}/blobs`)).length).toBeLessThan(2);
    expect(await readdir(`${repo}/snapshots`)).toEqual([]);
    await rm(`${disk.folder}/other`);
    expect((await exportOf(user)).status).toBe(0);
  });

  it('of its own gets the same files', async ({ skip }) => {
    const disk = await smallDisk(8 * MIB, skip);
    const user = await hfUser(hub.endpoint, MANIFEST, { HF_HUB_CACHE: `${disk.folder}/hub` });
    expect((await exportOf(user)).status).toBe(0);
    await expectSound(user);
  });
});

describeNix('a small disk beside a store', () => {
  it('gets the same files', async (context) => {
    const disk = await smallDisk(8 * MIB, context.skip);
    const store = await isolatedStore();
    const env = { ...store.env, HF_HUB_CACHE: `${disk.folder}/hub` };
    const user = await hfUser(hub.endpoint, MANIFEST, env);
    await user.run(['fetch']);
    expect((await exportOf(user, { HF_HUB_OFFLINE: '1' })).status).toBe(0);
    await expectSound(user);
  });
});

describe('a cache with links', () => {
  it.each([
    ['a repository', FOLDER],
    ['blobs', `${FOLDER}/blobs`],
    ['snapshots', `${FOLDER}/snapshots`],
    ['refs', `${FOLDER}/refs`],
    ['trees', `${FOLDER}/trees`],
    ['locks', '.locks'],
    ['a folder of a snapshot', `${FOLDER}/snapshots/REV/sub`],
    ['a snapshot', `${FOLDER}/snapshots/REV`],
  ])('that lead elsewhere in place of %s is refused', async (_, name) => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const elsewhere = await tempFolder('elsewhere');
    const link = inCache(user, name.replace('REV', rev));
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(elsewhere, link);
    const { error } = await exportOf(user);
    expect(error).toMatchObject({
      code: 'EHUG_UNSAFE_PATH',
      message: expect.stringContaining(`${link} is not a folder of the cache`),
    });
    expect(await readdir(elsewhere)).toEqual([]);
  });

  it('to files elsewhere gets its own blobs', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const elsewhere = path.join(await tempFolder('elsewhere'), 'model.safetensors');
    await writeFile(elsewhere, 'weights');
    const link = inCache(user, FOLDER, 'snapshots', rev, 'sub', 'model.safetensors');
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(elsewhere, link);
    expect((await exportOf(user)).status).toBe(0);
    await expectSound(user);
    expect((await stat(elsewhere)).nlink).toBe(1);
  });

  it('may have a repository elsewhere in the cache', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    await mkdir(inCache(user, 'moved'), { recursive: true });
    await symlink('moved', inCache(user, FOLDER));
    expect((await exportOf(user)).status).toBe(0);
    expect((await readdir(inCache(user, 'moved'))).toSorted()).toEqual([
      '.no_exist',
      'blobs',
      'refs',
      'snapshots',
      'trees',
    ]);
  });
});
