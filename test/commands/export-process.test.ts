import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sriOfHex } from '../../src/digest.ts';
import { addModels, assertWhole, start, throttle, undisturbedExport } from '../support/exports.ts';
import { folderFacts } from '../support/folder-facts.ts';
import { hfUser, inCache } from '../support/hf-user.ts';
import { type Hub, startHub } from '../support/hub/index.ts';
import { pythonClients } from '../support/python.ts';
import { silenceLeases } from '../support/silence.ts';

/** SHA-256 of 1 GiB of zeros. */
const ZEROS = '49bc20df15e412a64472421e13fe86ff1c5165e18b2afccf160d4dc19fe68a14';

let hub: Hub;
/** Commit of `org/one`. */
let revOne: string;

beforeAll(async () => {
  hub = await startHub();
  revOne = await addModels(hub);
});
afterAll(() => hub.close());

describe('export, killed', () => {
  const manifest = 'models: { one: org/one }';

  it.skipIf(pythonClients.length === 0).each(['snapshots', 'snapshots/REV', 'trees', 'refs'])(
    'as soon as %s is there leaves a complete snapshot or none, and the next run ends it',
    async (name) => {
      const { facts } = await undisturbedExport(hub, manifest);
      const user = await hfUser(hub.endpoint, manifest);
      const { child, ended } = start(user, ['export']);
      const file = inCache(user, 'models--org--one', name.replace('REV', revOne));
      while (!existsSync(file) && child.exitCode === null) await setImmediate();
      child.kill('SIGKILL');
      await ended;
      await assertWhole(hub, revOne, user, facts);
      // The lease of the killed process still looks alive.
      expect((await user.run(['export'])).status).toBe(0);
      await assertWhole(hub, revOne, user, facts);
      await silenceLeases(user.cache);
      expect((await user.run(['export'])).status).toBe(0);
      expect(await folderFacts(user.cache)).toEqual(facts);
    },
  );

  it('by Ctrl-C leaves nothing but what can be resumed', async () => {
    throttle(hub);
    const user = await hfUser(hub.endpoint, 'models: { one: org/one }');
    hub.clearRequests();
    const { child, ended } = start(user, ['export']);
    while (hub.requests.length < 8) await setTimeout(1);
    child.kill('SIGINT');
    expect((await ended).status).toBe(130);
    const repo = inCache(user, 'models--org--one');
    expect((await readdir(repo)).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(await readdir(`${repo}/snapshots`)).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')(
    'by Ctrl-C while it reads the cache ends at once',
    async () => {
      const name = 'part 1/w.safetensors';
      const only = `models: { one: { repo: org/one, files: ["${name}"] } }`;
      const user = await hfUser(hub.endpoint, only);
      const lockFile = path.join(user.folder, 'hug.lock.json');
      const lock = JSON.parse(await readFile(lockFile, 'utf8'));
      const file = lock.models.one.files[name];
      file.size = 1024 ** 3;
      file.hash = sriOfHex(ZEROS);
      await writeFile(lockFile, JSON.stringify(lock));
      const blobs = inCache(user, 'models--org--one', 'blobs');
      const blob = path.join(blobs, ZEROS);
      await mkdir(blobs, { recursive: true });
      await writeFile(blob, '');
      await truncate(blob, file.size);
      const { child, ended } = start(user, ['export']);
      const opened = async () => {
        const folder = `/proc/${child.pid}/fd`;
        const names = await readdir(folder).catch(() => []);
        return Promise.all(names.map((fd) => readlink(`${folder}/${fd}`).catch(() => '')));
      };
      while (!(await opened()).includes(blob)) await setTimeout(5);
      child.kill('SIGINT');
      expect((await ended).status).toBe(130);
    },
  );
});

describe('an export of many files', () => {
  it('writes nothing to stderr with --quiet', async () => {
    const files = Array.from({ length: 40 }, (_, index) => [
      `${index}.bin`,
      Buffer.alloc(3 * 1024 * 1024, index + 1),
    ]);
    const repo = await hub.createRepo({ type: 'model', id: 'org/many' });
    await repo.commit({ files: Object.fromEntries(files) });
    const user = await hfUser(hub.endpoint, 'models: { many: org/many }');
    const { status, stderr } = await start(user, ['--quiet', '--concurrency', '40', 'export'])
      .ended;
    expect([status, stderr]).toEqual([0, '']);
  });
});

describe('exports at once', () => {
  it('of one model and of different ones are all right', async () => {
    throttle(hub);
    const manifest = 'models: { one: org/one, two: org/two }';
    const { facts } = await undisturbedExport(hub, manifest);
    const user = await hfUser(hub.endpoint, manifest);
    const argvs = [['export', 'one'], ['export', 'one'], ['export', 'two'], ['export']];
    const ends = await Promise.all(argvs.map((argv) => start(user, argv).ended));
    expect(ends.map(({ status, stderr }) => (status === 0 ? 0 : stderr))).toEqual([0, 0, 0, 0]);
    expect(await folderFacts(user.cache)).toEqual(facts);
  });
});

describe('exports of different files of one commit', () => {
  it('add to its list, one after the other', async () => {
    const paths = [0, 2, 4, 6].map((index) => `part ${index}/config.json`);
    const entries = paths.map((file, index) => `n${index}: { repo: org/one, files: ["${file}"] }`);
    const user = await hfUser(hub.endpoint, `models: { ${entries.join(', ')} }`);
    const list = inCache(user, 'models--org--one', 'trees', `${revOne}.json`);
    await mkdir(path.dirname(list), { recursive: true });
    await writeFile(list, '{ "format_version": 1, "files": {} }');
    for (const index of paths.keys()) {
      expect((await user.run(['export', `n${index}`])).status).toBe(0);
    }
    expect(Object.keys(JSON.parse(await readFile(list, 'utf8')).files)).toEqual(paths);
  });
});
