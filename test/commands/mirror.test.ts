import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatLock, parseLock } from '../../src/lock/codec.ts';
import { addModels, start, throttle } from '../support/exports.ts';
import { hfUser, inCache } from '../support/hf-user.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { isolatedStore } from '../support/isolated-store.ts';
import { withNeeds } from '../support/needs.ts';
import { silenceLeases } from '../support/silence.ts';
import { smallDisk } from '../support/small-disk.ts';

const CONTENTS = ['{}\n', '{ "sub": true }\n', '', 'weights'];
const MANIFEST = `models:
  tiny: org/tiny
  other: { repo: org/other, groups: [gpu] }
`;

const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');
const namesOf = (contents: readonly string[]) => contents.map(sha256).toSorted();

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  const tiny = await hub.createRepo({ type: 'model', id: 'org/tiny' });
  await tiny.commit({
    files: {
      'config.json': '{}\n',
      'copy.json': '{}\n',
      'sub/config.json': '{ "sub": true }\n',
      'empty.txt': '',
      'model.safetensors': lfs('weights'),
    },
  });
  const other = await hub.createRepo({ type: 'model', id: 'org/other' });
  await other.commit({ files: { 'w.bin': lfs('other') } });
  await addModels(hub);
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

/** Contents of a mirror by their names, each of which must be the SHA-256. */
async function contentsOf(folder: string): Promise<string[]> {
  const names = await readdir(path.join(folder, 'sha256'));
  for (const name of names) {
    expect(sha256(await readFile(path.join(folder, 'sha256', name)))).toBe(name);
  }
  return names.toSorted();
}

describe('mirror', () => {
  it('writes every content of the lock once under its SHA-256, and nothing twice', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const first = await user.run(['mirror', 'mirror ü']);
    expect(first.stderr).toContain('next: offer ');
    const folder = path.join(user.folder, 'mirror ü');
    expect(first.stdout).toBe(
      `added to ${folder}: 5 files (31 B) from the Hub; 6 files of 2 entries are there\n`,
    );
    expect(await readdir(folder)).toEqual(['sha256']);
    expect(await contentsOf(folder)).toEqual(namesOf([...CONTENTS, 'other']));
    hub.clearRequests();
    const inodes = async () =>
      Promise.all(
        (await contentsOf(folder)).map(
          async (name) => (await stat(`${folder}/sha256/${name}`)).ino,
        ),
      );
    const before = await inodes();
    const second = await user.run(['mirror', 'mirror ü']);
    expect(second).toMatchObject({
      status: 0,
      stdout: `in ${folder} already: 6 files of 2 entries\n`,
      stderr: '',
    });
    expect(await inodes()).toEqual(before);
    expect(hub.requests).toEqual([]);
  });

  it('takes contents of the Hugging Face cache by their digests, as hard links', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    await user.run(['export', 'tiny']);
    hub.clearRequests();
    const { json } = await user.run(['mirror', 'm', '--group', 'none', '--json']);
    expect(json().error).toMatchObject({ code: 'EHUG_GROUP_UNKNOWN' });
    const { status, stdout } = await user.run(['mirror', 'm', '--offline', '--group', 'gpu']);
    expect([status, stdout]).toEqual([1, '']);
    const alone = await hfUser(hub.endpoint, 'models: { tiny: org/tiny }', user.env);
    hub.clearRequests();
    const { stdout: text } = await alone.run(['mirror', 'm', '--offline']);
    expect(text).toContain('4 files (26 B) from the Hugging Face cache; 5 files of 1 entry');
    expect(hub.requests).toEqual([]);
    const weights = await stat(path.join(alone.folder, 'm', 'sha256', sha256('weights')));
    const blob = await stat(inCache(user, 'models--org--tiny', 'blobs', sha256('weights')));
    expect(weights.ino).toBe(blob.ino);
  });

  it('downloads what the cache has only in a damaged state, and leaves that as it is', async () => {
    const user = await hfUser(hub.endpoint, 'models: { tiny: org/tiny }');
    await user.run(['export']);
    const blob = inCache(user, 'models--org--tiny', 'blobs', sha256('weights'));
    await writeFile(blob, 'WEIGHTS');
    const { stdout, stderr } = await user.run(['mirror', 'm']);
    expect(stdout).toContain('1 file (7 B) from the Hub');
    expect(stderr).toContain(`warning: ${blob} has the digest`);
    expect(stderr).toContain('; it was not used\n');
    expect(await contentsOf(path.join(user.folder, 'm'))).toEqual(namesOf(CONTENTS));
    expect(await readFile(blob, 'utf8')).toBe('WEIGHTS');
  });

  it('takes contents of the Nix store, with no request', async () => {
    const { env } = await isolatedStore();
    const user = await hfUser(hub.endpoint, 'models: { tiny: org/tiny }', env);
    expect((await user.run(['fetch'])).status).toBe(0);
    hub.clearRequests();
    const { json } = await user.run(['mirror', 'm', '--offline', '--json']);
    const files: { source: string; sha256: string }[] = json().entries[0].files;
    expect(new Set(files.map(({ source }) => source))).toEqual(new Set(['store']));
    expect(new Set(files.map((file) => file.sha256))).toEqual(new Set(namesOf(CONTENTS)));
    expect(await contentsOf(path.join(user.folder, 'm'))).toEqual(namesOf(CONTENTS));
    expect(hub.requests).toEqual([]);
  });

  it('keeps the files of other locks, takes groups when asked, and what entries need', async () => {
    const user = await hfUser(hub.endpoint, MANIFEST);
    const kept = path.join(user.folder, 'm/sha256', sha256('of another lock'));
    await mkdir(path.dirname(kept), { recursive: true });
    await writeFile(kept, 'of another lock');
    const file = path.join(user.folder, 'hug.lock.json');
    const lock = parseLock(await readFile(file, 'utf8'), file);
    const grouped = new Map(lock.models).set('more', lock.models.get('tiny')!);
    await writeFile(
      file,
      formatLock(withNeeds({ ...lock, models: grouped }, { tiny: ['more'] }, ['more'])),
    );
    const { stdout, stderr } = await user.run(['mirror', 'm', '--group', 'gpu']);
    expect(stderr).toContain('out of date');
    expect(stdout).toContain('of 2 entries and 1 needed repository are there');
    expect(await contentsOf(path.join(user.folder, 'm'))).toEqual(
      namesOf([...CONTENTS, 'other', 'of another lock']),
    );
  });

  it('names no file of an entry that is in another group', async () => {
    const user = await hfUser(
      hub.endpoint,
      'models: { tiny: { repo: org/tiny, groups: [cpu] }, other: { repo: org/other, groups: [gpu] } }',
    );
    const { stderr } = await user.run(['mirror', 'm', '--group', 'gpu']);
    expect(stderr).toContain('left out: models.tiny (cpu)');
    expect(await contentsOf(path.join(user.folder, 'm'))).toEqual(namesOf(['other']));
  });

  it('refuses a file in place of the folder', async () => {
    const user = await hfUser(hub.endpoint, 'models: { tiny: org/tiny }');
    await writeFile(path.join(user.folder, 'm'), 'mine');
    const { status, json } = await user.run(['mirror', 'm', '--json']);
    expect([status, json().error.code]).toEqual([1, 'EHUG_FILE_SYSTEM']);
    expect(await readFile(path.join(user.folder, 'm'), 'utf8')).toBe('mine');
  });

  it('writes nothing where the disk has no room for everything', async ({ skip }) => {
    const { folder } = await smallDisk(1024 * 1024, skip);
    const user = await hfUser(hub.endpoint, 'models: { one: org/one }');
    const { status, stderr } = await user.run(['mirror', folder]);
    expect(status).toBe(1);
    expect(stderr).toContain('error EHUG_DISK_FULL: not enough disk space in');
    expect(await contentsOf(folder)).toEqual([]);
  });

  /** Ends a slow mirror by a signal when it has some contents. */
  async function stopped(signal: NodeJS.Signals) {
    throttle(hub);
    const user = await hfUser(hub.endpoint, 'models: { one: org/one }');
    const { child, ended } = start(user, ['mirror', 'm']);
    const folder = path.join(user.folder, 'm');
    const present = () => readdir(path.join(folder, 'sha256')).catch(() => []);
    while ((await present()).length < 4 && child.exitCode === null) await setTimeout(1);
    child.kill(signal);
    return { user, folder, present, end: await ended };
  }

  it('killed, leaves whole contents alone, and the next run completes them', async () => {
    const { user, folder, present } = await stopped('SIGKILL');
    const before = (await present()).filter((name) => !name.startsWith('.'));
    expect(before.length).toBeGreaterThan(0);
    for (const name of before) {
      expect(sha256(await readFile(path.join(folder, 'sha256', name)))).toBe(name);
    }
    await silenceLeases(user.home);
    await silenceLeases(folder);
    expect((await user.run(['mirror', 'm'])).status).toBe(0);
    expect(await contentsOf(folder)).toHaveLength(12);
  });

  it('by Ctrl-C leaves nothing but whole contents', async () => {
    const { folder, end } = await stopped('SIGINT');
    expect(end.status).toBe(130);
    expect((await contentsOf(folder)).length).toBeGreaterThan(0);
  });
});
