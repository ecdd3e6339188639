import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cachedProject, fillCache } from '../support/cached-project.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  const repo = await hub.createRepo({ type: 'model', id: 'org/tiny' });
  await repo.commit({ files: { 'config.json': '{}', 'w.bin': lfs('weights') } });
});
afterAll(() => hub.close());

/** A locked project whose cache is full and whose manifest is gone. */
async function withoutManifest() {
  const made = await cachedProject(hub, 'models: { tiny: org/tiny }');
  await fillCache(made);
  await rm(path.join(made.folder, 'hug.yaml'));
  return made;
}

describe('a lock without a manifest', () => {
  it.each(['fetch', 'import', 'export', 'ls', 'verify'])('is enough for %s', async (command) => {
    const { run } = await withoutManifest();
    const all = await run([command, '--json']);
    expect([all.status, all.json().entries.length]).toEqual([0, 1]);
    expect(all.stderr).not.toContain('warning');
    expect((await run([command, 'tiny'])).status).toBe(0);
  });

  it('is found from a folder below it', async () => {
    const { folder, run } = await withoutManifest();
    const below = path.join(folder, 'a', 'b');
    await mkdir(below, { recursive: true });
    expect((await run(['-C', below, 'ls', '--json'])).json().entries).toHaveLength(1);
  });

  it('is the one of the manifest that --manifest names, and no other', async () => {
    const { run } = await withoutManifest();
    expect((await run(['--manifest', 'hug.yaml', 'ls'])).status).toBe(0);
    const { status, json } = await run(['--manifest', 'dev.yaml', 'ls', '--json']);
    expect([status, json().error.code]).toEqual([2, 'EHUG_MANIFEST_MISSING']);
  });

  it('may name an endpoint that only Nix takes for an address', async () => {
    const { run, lockText, writeLock } = await withoutManifest();
    const text = (await lockText()) ?? '';
    await writeLock(text.replace('"models"', '"endpoint": "https://1.2.3.999", "models"'));
    const nowhere = { HF_ENDPOINT: '', HF_HUB_CACHE: '/nonexistent' };
    const { status, json } = await run(['fetch', '--json'], nowhere);
    expect([status, json().error.code]).toEqual([2, 'EHUG_LOCK_INVALID']);
    expect((await run(['ls'], nowhere)).status).toBe(0);
  });

  it.each(['lock', 'update', 'outdated'])('is not enough for %s', async (command) => {
    const { run, lockText } = await withoutManifest();
    const before = await lockText();
    const { json } = await run([command, '--json']);
    expect(json().error.code).toBe('EHUG_MANIFEST_MISSING');
    expect(await lockText()).toBe(before);
  });
});
