import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { createProject } from '../support/project.ts';
import { tempFolder } from '../support/temp.ts';

let hub: Hub;
let made = 0;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

/** A repository of two commits on `main`. */
async function moved(name: string, files: Record<string, string>) {
  made += 1;
  const id = `Org/${name}-${made}`;
  const repo = await hub.createRepo({ type: 'model', id });
  const first = await repo.commit({ files: { ...files, 'w.safetensors': lfs('weights') } });
  const second = await repo.commit({ files: { 'new.txt': 'new' } });
  return { id, first, second };
}

const project = (manifest = '') => createProject(hub.endpoint, manifest);

/** A cache with a snapshot of each repository, as the official client names its folders. */
async function cacheOf(snapshots: readonly { id: string; ref: string; rev: string }[]) {
  const cache = await tempFolder('cache ä');
  for (const { id, ref, rev } of snapshots) {
    const folder = path.join(cache, `models--${id.replace('/', '--')}`);
    await mkdir(path.join(folder, 'snapshots', rev), { recursive: true });
    await mkdir(path.join(folder, 'refs'), { recursive: true });
    await writeFile(path.join(folder, 'snapshots', rev, 'config.json'), '{}');
    await writeFile(path.join(folder, 'refs', ref), rev);
  }
  return { env: { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cache } };
}

describe('add --at', () => {
  it('follows the branch, and begins at the commit', async () => {
    const { id, first, second } = await moved('a', { 'config.json': '{}' });
    const { run, lock } = await project();
    expect((await run(['add', id, '--model', '--name', 'a', '--at', first])).status).toBe(0);
    expect((await lock()).models.a).toMatchObject({ ref: 'main', rev: first });
    expect((await run(['lock', '--check'])).status).toBe(0);
    await run(['update']);
    expect((await lock()).models.a.rev).toBe(second);
  });

  it('moves an entry that is there, and only that one', async () => {
    const one = await moved('one', { 'config.json': '{}' });
    const two = await moved('two', { 'config.json': '{}' });
    const { run, lock } = await project(`models:\n  one: ${one.id}\n  two: ${two.id}\n`);
    await run(['lock']);
    expect((await run(['add', `hf:${one.id}`, '--at', one.first])).status).toBe(0);
    const { models } = await lock();
    expect([models.one.rev, models.two.rev]).toEqual([one.first, two.second]);
  });

  it.each([
    ['main', 'is not a commit'],
    ['A'.repeat(40), 'is not a commit'],
  ])('refuses %s', async (commit, why) => {
    const { run } = await project();
    const { status, stderr } = await run(['add', 'hf:org/a', '--at', commit]);
    expect([status, stderr]).toEqual([2, expect.stringContaining(why)]);
  });

  it('refuses several repositories, --cached and --version beside it', async () => {
    const { run } = await project();
    for (const more of [['hf:org/b'], ['--cached'], ['--version', '^1']]) {
      const { status, stderr } = await run(['add', 'hf:org/a', '--at', 'a'.repeat(40), ...more]);
      expect([status, stderr]).toEqual([2, expect.stringContaining('--at names the commit')]);
    }
  });

  it('of a commit that the repository does not have leaves everything as it was', async () => {
    const { id } = await moved('a', { 'config.json': '{}' });
    const { run, lockText } = await project();
    const { status, stderr } = await run(['add', `hf:${id}`, '--at', 'b'.repeat(40)]);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_REVISION_NOT_FOUND')]);
    expect(await lockText()).toBeUndefined();
  });
});

describe('add --cached', () => {
  it('begins at the cached commit, whatever the spelling of the id, and so does what it needs', async () => {
    const base = await moved('base', { 'config.json': '{}' });
    const lora = await moved('lora', {
      'adapter_config.json': JSON.stringify({ base_model_name_or_path: base.id }),
    });
    const world = await cacheOf([
      { id: lora.id.toLowerCase(), ref: 'main', rev: lora.first },
      { id: base.id, ref: 'main', rev: base.first },
    ]);
    const { run, lock } = await project();
    const { status, stderr } = await run(
      ['add', `hf:${lora.id}`, '--name', 'lora', '--cached'],
      world,
    );
    expect(status, stderr).toBe(0);
    const { models, needed } = await lock();
    expect([models.lora.rev, needed[`models/${base.id}@main`].rev]).toEqual([
      lora.first,
      base.first,
    ]);
  });

  it('refuses what the cache does not have, and writes nothing', async () => {
    const { id } = await moved('a', { 'config.json': '{}' });
    const world = await cacheOf([]);
    const { run, lockText } = await project();
    const { status, stderr } = await run(['add', `hf:${id}`, '--cached'], world);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_NOT_CACHED')]);
    expect(stderr).toContain(`the Hugging Face cache has no ${id} at main`);
    expect(await lockText()).toBeUndefined();
  });
});
