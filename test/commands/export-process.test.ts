import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { sriOfHex } from '../../src/digest.ts';
import { folderFacts } from '../support/folder-facts.ts';
import { type HfUser, hfUser, inCache } from '../support/hf-user.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { callPython, pythonClients } from '../support/python.ts';
import { silenceLeases } from '../support/silence.ts';
import { spawnCli } from '../support/spawn-cli.ts';

const MIB = 1024 * 1024;
const FILES = 12;
const KILLS = 10;
/** SHA-256 of 1 GiB of zeros. */
const ZEROS = '49bc20df15e412a64472421e13fe86ff1c5165e18b2afccf160d4dc19fe68a14';

let hub: Hub;
/** Commit of `org/one`. */
let revOne: string;

beforeAll(async () => {
  hub = await startHub();
  for (const name of ['two', 'one']) {
    const repo = await hub.createRepo({ type: 'model', id: `org/${name}` });
    revOne = await repo.commit({
      files: Array.from({ length: FILES }, (_, index) => [
        `part ${index}/${index % 2 === 0 ? 'config.json' : 'w.safetensors'}`,
        index % 2 === 0
          ? `{ "n": "${name} ${index}" }\n`
          : lfs.generated({ size: MIB / 2 + index, seed: `${name} ${index}` }),
      ]),
    });
  }
});
afterAll(() => hub.close());

const start = ({ folder, env }: HfUser, argv: readonly string[]) => {
  const spawned = spawnCli(argv, { cwd: folder, env });
  onTestFinished(() => void spawned.child.kill('SIGKILL'));
  return spawned;
};

/** Has everything take time, so that there are moments. */
function throttle(): void {
  const slow = hub.inject({
    match: () => true,
    fault: { kind: 'slow', bytesPerSecond: 4 * MIB },
    times: Infinity,
  });
  onTestFinished(() => slow.remove());
}

/** What a cache holds after an export that nothing happened to. */
async function undisturbed(argv: readonly string[], manifest: string) {
  const user = await hfUser(hub.endpoint, manifest);
  hub.clearRequests();
  expect((await user.run(argv)).status).toBe(0);
  return { facts: await folderFacts(user.cache), requests: hub.requests.length };
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('export, killed', () => {
  const seed = Number(process.env['NIX_HUG_TEST_SEED'] ?? Date.now() % 2 ** 31);
  const random = randomNumbers(seed);
  const manifest = 'models: { one: org/one }';
  /** Share of all requests that come before, and a wait in ms. */
  const moments = Array.from({ length: KILLS }, () => [random(), random() * 300] as const);

  it.skipIf(pythonClients.length === 0).each(moments)(
    `at %f and %f ms (seed ${seed}) leaves a complete snapshot or none, and the next run ends it`,
    async (share, wait) => {
      const { facts, requests } = await undisturbed(['export'], manifest);
      throttle();
      const user = await hfUser(hub.endpoint, manifest);
      hub.clearRequests();
      const { child, ended } = start(user, ['export']);
      while (hub.requests.length < share * requests && child.exitCode === null) await setTimeout(1);
      await setTimeout(wait);
      child.kill('SIGKILL');
      await ended;
      await assertWhole(user, facts);
      await silenceLeases(user.cache);
      expect((await user.run(['export'])).status).toBe(0);
      expect(await folderFacts(user.cache)).toEqual(facts);
    },
  );

  it.skipIf(pythonClients.length === 0).each(['snapshots', 'snapshots/REV', 'trees', 'refs'])(
    'as soon as %s is there leaves a complete snapshot or none, and the next run ends it',
    async (name) => {
      const { facts } = await undisturbed(['export'], manifest);
      const user = await hfUser(hub.endpoint, manifest);
      const { child, ended } = start(user, ['export']);
      const file = inCache(user, 'models--org--one', name.replace('REV', revOne));
      while (!existsSync(file) && child.exitCode === null) await setImmediate();
      child.kill('SIGKILL');
      await ended;
      await assertWhole(user, facts);
      await silenceLeases(user.cache);
      expect((await user.run(['export'])).status).toBe(0);
      expect(await folderFacts(user.cache)).toEqual(facts);
    },
  );

  /** Every client sees all of the files or none, and nothing is odd for it. */
  async function assertWhole(user: HfUser, facts: Record<string, string>): Promise<void> {
    for (const client of pythonClients) {
      const env = { HF_HUB_OFFLINE: '1', HF_HUB_CACHE: user.cache };
      const [byRef, byCommit, scan] = await callPython(
        client,
        { home: user.home, endpoint: hub.endpoint, env },
        [
          { call: 'snapshot_download', args: { repo_id: 'org/one' } },
          {
            call: 'snapshot_download',
            args: { repo_id: 'org/one', revision: revOne, local_files_only: true },
          },
          { call: 'scan_cache_dir', args: { cache_dir: user.cache } },
        ],
      );
      if (scan !== undefined && 'value' in scan) {
        expect(scan.value).toMatchObject({ warnings: [] });
      } else expect(scan).toMatchObject({ error: 'CacheNotFound' });
      for (const outcome of [byRef, byCommit]) {
        if (outcome !== undefined && 'value' in outcome) {
          const there = await folderFacts(user.cache);
          const wanted = Object.entries(facts).filter(([name]) => /snapshots|blobs/u.test(name));
          expect(there).toMatchObject(Object.fromEntries(wanted));
        } else expect(outcome).toMatchObject({ error: 'LocalEntryNotFoundError' });
      }
    }
  }

  it('by Ctrl-C leaves nothing but what can be resumed', async () => {
    throttle();
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
      file.size = 1024 * MIB;
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

describe('exports at once', () => {
  it('of one model and of different ones are all right', async () => {
    throttle();
    const manifest = 'models: { one: org/one, two: org/two }';
    const { facts } = await undisturbed(['export'], manifest);
    const user = await hfUser(hub.endpoint, manifest);
    const argvs = [['export', 'one'], ['export', 'one'], ['export', 'two'], ['export']];
    const ends = await Promise.all(argvs.map((argv) => start(user, argv).ended));
    expect(ends.map(({ status, stderr }) => (status === 0 ? 0 : stderr))).toEqual([0, 0, 0, 0]);
    expect(await folderFacts(user.cache)).toEqual(facts);
  });

  it('of different files of one commit all add to its list', async () => {
    const paths = [0, 2, 4, 6].map((index) => `part ${index}/config.json`);
    const entries = paths.map((file, index) => `n${index}: { repo: org/one, files: ["${file}"] }`);
    const user = await hfUser(hub.endpoint, `models: { ${entries.join(', ')} }`);
    const list = inCache(user, 'models--org--one', 'trees', `${revOne}.json`);
    await mkdir(path.dirname(list), { recursive: true });
    await writeFile(list, '{ "format_version": 1, "files": {} }');
    const ends = await Promise.all(
      paths.map((_, index) => start(user, ['export', `n${index}`]).ended),
    );
    expect(ends.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
    expect(Object.keys(JSON.parse(await readFile(list, 'utf8')).files)).toEqual(paths);
  });
});
