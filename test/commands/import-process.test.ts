import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { chmod, chown, mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CachedProject,
  cachedProject,
  fillCache,
  isSound,
  realiseAll,
  workFiles,
} from '../support/cached-project.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { storeObjects } from '../support/isolated-store.ts';
import { smallDisk } from '../support/small-disk.ts';
import { spawnCli, type SpawnOptions } from '../support/spawn-cli.ts';
import { tempFolder } from '../support/temp.ts';

const exec = promisify(execFile);

const MIB = 1024 * 1024;
/** Large enough that what Node reads of itself does not count. */
const LARGE = 256 * MIB;
const SHARDS = 24;

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  const large = await hub.createRepo({ type: 'model', id: 'org/large' });
  await large.commit({ files: { 'w.safetensors': lfs.generated({ size: LARGE, seed: 1 }) } });
  const sharded = await hub.createRepo({ type: 'model', id: 'org/sharded' });
  const shards = Array.from({ length: SHARDS }, (_, index) => index);
  await sharded.commit({
    files: shards.map((seed) => [`${seed}.bin`, lfs.generated({ size: 4 * MIB, seed })] as const),
  });
  const tiny = await hub.createRepo({ type: 'model', id: 'org/tiny' });
  await tiny.commit({ files: { 'config.json': '{}\n', 'model.safetensors': lfs('weights') } });
});
afterAll(() => hub.close());

const start = ({ folder, env }: CachedProject, more: Partial<SpawnOptions> = {}) =>
  spawnCli(['-C', folder, 'import', '--verbose'], {
    cwd: folder,
    ...more,
    env: { ...env, ...more.env },
  });

/** Bytes that a process read and wrote, by `/proc/PID/io`; those of ended children are in it. */
interface Traffic {
  readonly read: number;
  readonly written: number;
}

function trafficIn(text: string): Traffic {
  const of = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, 'mu').exec(text)?.[1]);
  return { read: of('rchar'), written: of('wchar') };
}

/** Runs `import` and tells what nix-hug itself read and wrote, and what the Nix tools did. */
async function trafficOf(made: CachedProject): Promise<{ own: Traffic; tools: Traffic }> {
  const folder = await tempFolder('traffic');
  const tools = path.join(folder, 'bin');
  await mkdir(tools);
  for (const tool of ['nix-store', 'nix-instantiate']) {
    const { stdout } = await exec('/bin/sh', ['-c', `command -v ${tool}`]);
    const script = `#!/bin/sh\n${stdout.trim()} "$@"\nstatus=$?\ncat /proc/$$/io > ${folder}/$$.tool\nexit $status\n`;
    await writeFile(path.join(tools, tool), script);
    await chmod(path.join(tools, tool), 0o755);
  }
  const hook = path.join(folder, 'hook.mjs');
  await writeFile(
    hook,
    `import fs from 'node:fs';
     process.on('exit', () => fs.writeFileSync('${folder}/whole', fs.readFileSync('/proc/self/io')));`,
  );
  const { ended } = start(made, {
    env: {
      PATH: `${tools}:${process.env['PATH'] ?? ''}`,
      NODE_OPTIONS: `--import=${hook}`,
    },
  });
  const { status, stderr } = await ended;
  if (status !== 0) throw new Error(stderr);
  const reports = (await readdir(folder)).filter((name) => name.endsWith('.tool'));
  const read = async (name: string) => trafficIn(await readFile(path.join(folder, name), 'utf8'));
  const whole = await read('whole');
  const byTools = (await Promise.all(reports.map(read))).reduce((sum, tool) => ({
    read: sum.read + tool.read,
    written: sum.written + tool.written,
  }));
  return {
    own: { read: whole.read - byTools.read, written: whole.written - byTools.written },
    tools: byTools,
  };
}

describe('the cost of import', () => {
  it('is one read by nix-hug, and one copy into the store', async () => {
    const made = await cachedProject(hub, 'models: { large: org/large }');
    await fillCache(made);
    const { own, tools } = await trafficOf(made);
    expect(own.read).toBeGreaterThan(LARGE);
    expect(own.read).toBeLessThan(1.1 * LARGE);
    expect(own.written).toBeLessThan(0.1 * LARGE);
    expect(tools.written).toBeGreaterThan(LARGE);
    expect(tools.written).toBeLessThan(1.1 * LARGE);
    expect((await storeObjects(made.store)).length).toBe(1);
  });

  it('is the same when the cache is on another disk', async ({ skip }) => {
    const disk = await smallDisk(LARGE + 16 * MIB, skip);
    const made = await cachedProject(hub, 'models: { large: org/large }', { cache: disk.folder });
    await fillCache(made);
    const before = await readdir(disk.folder, { recursive: true });
    const { own, tools } = await trafficOf(made);
    expect(own.read).toBeLessThan(1.1 * LARGE);
    expect(own.written).toBeLessThan(0.1 * LARGE);
    expect(tools.written).toBeLessThan(1.1 * LARGE);
    expect(await readdir(disk.folder, { recursive: true })).toEqual(before);
    expect(await workFiles(made)).toEqual([]);
  });
});

describe('a cache that is not ours', () => {
  it('may be read-only', async ({ skip }) => {
    const disk = await smallDisk(MIB, skip);
    const made = await cachedProject(hub, 'models: { tiny: org/tiny }', { cache: disk.folder });
    await fillCache(made);
    await disk.makeReadOnly();
    const { status, stderr } = await made.run(['import']);
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    expect((await realiseAll(made)).length).toBe(2);
    expect(await workFiles(made)).toEqual([]);
  });

  /** Runs `import` as another user than the one whose cache it is. */
  async function asNobody(made: CachedProject) {
    const nobody = 65_534;
    const { stdout } = await exec('find', [
      path.dirname(made.store.folder),
      made.home,
      made.folder,
    ]);
    for (const file of stdout.trim().split('\n')) {
      if (!file.startsWith(made.cache)) await chown(file, nobody, nobody);
    }
    return start(made, { uid: nobody }).ended;
  }

  it.skipIf(process.getuid?.() !== 0)('may belong to another user', async () => {
    const made = await cachedProject(hub, 'models: { tiny: org/tiny }');
    await fillCache(made);
    const { status, stderr } = await asNobody(made);
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    expect((await storeObjects(made.store)).length).toBe(2);
  });

  it.skipIf(process.getuid?.() !== 0)('names the files that this user may not read', async () => {
    const made = await cachedProject(hub, 'models: { tiny: org/tiny }');
    const files = await fillCache(made);
    const secret = files.find(({ path: name }) => name === 'config.json')?.blob ?? '';
    await chmod(secret, 0o600);
    const { status, stderr } = await asNobody(made);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_NOT_CACHED')]);
    expect(stderr).toContain(`${await realpath(secret)} cannot be read: EACCES`);
    expect((await storeObjects(made.store)).length).toBe(1);
    await chmod(made.cache, 0o700);
    const closed = await asNobody(made);
    expect([closed.status, closed.stderr]).toEqual([1, expect.stringContaining('EACCES')]);
  });
});

describe('a store without room', () => {
  it('is an error before anything is read', async ({ skip }) => {
    const { folder } = await smallDisk(64 * MIB, skip);
    const made = await cachedProject(hub, 'models: { large: org/large }', { storeFolder: folder });
    await fillCache(made);
    const { status, stderr } = await made.run(['import']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_DISK_FULL')]);
    expect(stderr).toContain('nix-collect-garbage');
    expect(await storeObjects(made.store)).toEqual([]);
  });

  it('is compared with the size of the cached files only', async ({ skip }) => {
    const { folder } = await smallDisk(64 * MIB, skip);
    const both = 'models: { large: org/large, tiny: org/tiny }';
    const made = await cachedProject(hub, both, { storeFolder: folder });
    await fillCache(made, (name) => name !== 'w.safetensors');
    const { status, stderr } = await made.run(['import']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_NOT_CACHED')]);
    expect((await storeObjects(made.store)).length).toBe(2);
  });

  it('ends import-all with the output of Nix, and the number of skipped files', async ({
    skip,
  }) => {
    const { folder } = await smallDisk(16 * MIB, skip);
    const many = await hub.createRepo({ type: 'model', id: 'org/many' });
    const files = Array.from({ length: 100 }, (_, index) => [`${index}`, lfs(`${index}`)] as const);
    await many.commit({ files });
    const made = await cachedProject(hub, 'models: { many: org/many }', { storeFolder: folder });
    await fillCache(made);
    await exec('mount', ['-o', 'remount,nr_inodes=8', folder]);
    const { status, stderr } = await made.run(['import-all', '-y']);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/error EHUG_NIX: .+ failed\n/u)]);
    expect(stderr).toContain('No space left on device');
    expect(stderr).toMatch(/not tried any more: \d+ other files/u);
  });

  // Another try where the import was quicker than the ballast.
  it(
    'that fills up on the way keeps what is whole, and the next run goes on',
    { retry: 3 },
    async ({ skip }) => {
      const { folder } = await smallDisk(160 * MIB, skip);
      const made = await cachedProject(hub, 'models: { sharded: org/sharded }', {
        storeFolder: folder,
      });
      await fillCache(made);
      const ballast = path.join(folder, 'ballast');
      const { child, ended } = start(made);
      const bytes = Buffer.alloc(160 * MIB);
      child.stderr?.once('data', () => {
        // As much as there is room for.
        expect(() => writeFileSync(ballast, bytes)).toThrow('ENOSPC');
      });
      const filled = await ended;
      expect([filled.status, filled.stderr]).toEqual([1, expect.stringContaining('EHUG_')]);
      await rm(ballast, { force: true });
      expect(await isSound(made)).toBe(true);
      const { status, stderr } = await made.run(['import']);
      expect({ status, stderr }).toMatchObject({ status: 0 });
      expect((await realiseAll(made)).length).toBe(SHARDS);
    },
  );
});

describe('import', () => {
  it('may run twice at once', async () => {
    const made = await cachedProject(hub, 'models: { sharded: org/sharded }');
    await fillCache(made);
    const both = await Promise.all([start(made).ended, start(made).ended]);
    const failed = both.filter(({ status }) => status !== 0);
    expect(failed).toEqual([]);
    expect((await realiseAll(made)).length).toBe(SHARDS);
    expect(await isSound(made)).toBe(true);
  });
});
