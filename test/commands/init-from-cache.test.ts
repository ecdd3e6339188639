import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cachedProject, importedLock } from '../support/cached-project.ts';
import { fill } from '../support/cache-layout.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { callPython, describeClients } from '../support/python.ts';

let hub: Hub;
const revs: Record<string, string> = {};

beforeAll(async () => {
  hub = await startHub();
  const base = await hub.createRepo({ type: 'model', id: 'Org/Base' });
  const files = { 'config.json': '{}', 'model.safetensors': lfs('base') };
  revs['base'] = await base.commit({ files });
  const lora = await hub.createRepo({ type: 'model', id: 'org/lora' });
  const config = JSON.stringify({ base_model_name_or_path: 'Org/Base' });
  revs['lora'] = await lora.commit({
    files: { 'adapter_config.json': config, 'adapter_model.safetensors': lfs('lora') },
  });
  const quants = await hub.createRepo({ type: 'model', id: 'org/quants' });
  revs['quants'] = await quants.commit({
    files: { 'README.md': 'q', 'm-Q4_K_M.gguf': lfs('q4'), 'm-Q8_0.gguf': lfs('q8') },
  });
  const rows = await hub.createRepo({ type: 'dataset', id: 'org/rows' });
  revs['rows'] = await rows.commit({ branch: 'main', files: { 'größe.csv': 'a,b\n' } });
  const old = await hub.createRepo({ type: 'model', id: 'org/old' });
  revs['old'] = await old.commit({ files: { 'config.json': '{"old":1}' } });
  await old.commit({ files: { 'config.json': '{"new":1}' } });
  revs['dev'] = await rows.commit({ branch: 'dev', files: { 'x.csv': 'x\n' } });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

/** A folder without a project, with a cache and a store of its own. */
async function empty() {
  const made = await cachedProject(hub, '');
  await rm(path.join(made.folder, 'hug.yaml'));
  await rm(path.join(made.folder, 'hug.lock.json'));
  return made;
}

const at = (id: string) => `models--${id.replace('/', '--')}`;

describeClients((client) => {
  it('has filled a cache that becomes a project, and import needs no download', async () => {
    const made = await empty();
    const settings = { home: `${made.home}/hf`, endpoint: hub.endpoint };
    const outcomes = await callPython(client, settings, [
      { call: 'snapshot_download', args: { repo_id: 'org/lora' } },
      { call: 'snapshot_download', args: { repo_id: 'Org/Base' } },
      { call: 'hf_hub_download', args: { repo_id: 'org/quants', filename: 'm-Q8_0.gguf' } },
      { call: 'hf_hub_download', args: { repo_id: 'org/quants', filename: 'README.md' } },
      { call: 'snapshot_download', args: { repo_id: 'org/rows', repo_type: 'dataset' } },
      {
        call: 'snapshot_download',
        args: { repo_id: 'org/rows', repo_type: 'dataset', revision: 'dev' },
      },
      { call: 'snapshot_download', args: { repo_id: 'org/old', revision: revs['old'] } },
    ]);
    expect(outcomes.filter((outcome) => 'error' in outcome)).toEqual([]);
    hub.clearRequests();
    const { status, stderr, json } = await made.run(['init', '--from-cache', '--json']);
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    expect(json()).toMatchObject({
      written: ['hug.yaml', 'hug.lock.json'],
      added: [
        { name: 'rows', type: 'dataset', ref: 'main', rev: revs['rows'] },
        { name: 'rows-dev', type: 'dataset', ref: 'dev', rev: revs['dev'] },
        { name: 'base', repo: 'Org/Base', rev: revs['base'] },
        { name: 'lora', repo: 'org/lora', rev: revs['lora'] },
        { repo: 'org/old', ref: revs['old'], rev: revs['old'] },
        { name: 'quants', repo: 'org/quants', rev: revs['quants'] },
      ],
      skipped: [],
    });
    const lock = await made.lock();
    expect(lock.models.get('quants')?.select).toEqual({ quant: 'Q8_0' });
    expect((await made.run(['lock', '--check'])).status).toBe(0);
    expect(hub.requests.filter(({ url }) => /safetensors|gguf/u.test(url))).toEqual([]);
    hub.clearRequests();
    const imported = await made.run(['import']);
    expect([imported.status, hub.requests]).toEqual([0, []]);

    // Nix builds the cache from what was imported, and the client loads from it without a Hub.
    const cache = await made.store.nix(
      'nix-build',
      '--no-out-link',
      '-E',
      `${importedLock(made)}.cache`,
    );
    const offline = { HF_HUB_CACHE: cache.trim(), HF_HUB_OFFLINE: '1' };
    const loads = [
      { call: 'snapshot_download', args: { repo_id: 'org/lora' } },
      { call: 'hf_hub_download', args: { repo_id: 'Org/Base', filename: 'model.safetensors' } },
      { call: 'hf_hub_download', args: { repo_id: 'org/quants', filename: 'm-Q8_0.gguf' } },
      {
        call: 'snapshot_download',
        args: { repo_id: 'org/rows', repo_type: 'dataset', revision: 'dev' },
      },
      {
        call: 'hf_hub_download',
        args: { repo_id: 'org/old', filename: 'config.json', revision: revs['old'] },
      },
    ] as const;
    const loaded = await callPython(client, { ...settings, env: offline }, loads);
    expect(loaded.filter((outcome) => 'error' in outcome)).toEqual([]);
    expect(hub.requests).toEqual([]);
  });
});

describe('init --from-cache', () => {
  it('begins at the cached commit when the branch has moved, also of what entries need', async () => {
    const repo = await hub.createRepo({ type: 'model', id: 'org/moving' });
    const first = await repo.commit({ files: { 'config.json': '{}' } });
    await repo.commit({ files: { 'new.txt': 'new' } });
    const lora = await hub.createRepo({ type: 'model', id: 'org/moving-lora' });
    const config = JSON.stringify({ base_model_name_or_path: 'org/moving' });
    const rev = await lora.commit({ files: { 'adapter_config.json': config } });
    const made = await empty();
    await fill(made.cache, {
      [`${at('org/moving-lora')}/refs/main`]: rev,
      [`${at('org/moving-lora')}/snapshots/${rev}/adapter_config.json`]: config,
    });
    const first2 = await made.run(['init', '--from-cache']);
    expect(first2.status).toBe(0);
    expect(first2.stderr).toContain(
      'warning: needed.models/org/moving@main: 2 of 2 files are not in the cache',
    );
    await fill(made.cache, {
      [`${at('org/moving')}/refs/main`]: first,
      [`${at('org/moving')}/snapshots/${first}/config.json`]: '{}',
    });
    const { stdout } = await made.run(['init', '--from-cache']);
    expect(stdout).toContain(
      '- left out: model `org/moving-lora` at `main`, models.moving-lora is there',
    );
    expect((await made.lock()).models.get('moving')).toMatchObject({ rev: first });
  });

  it('leaves out what the Hub no longer gives, and what has no file of its commit', async () => {
    const gone = 'd'.repeat(40);
    const made = await empty();
    await fill(made.cache, {
      [`${at('org/gone')}/refs/main`]: gone,
      [`${at('org/gone')}/snapshots/${gone}/config.json`]: '{}',
      [`${at('Org/Base')}/refs/main`]: revs['base'] ?? '',
      [`${at('Org/Base')}/snapshots/${revs['base']}/other.json`]: '{}',
    });
    const { status, json } = await made.run(['init', '--from-cache', '--json']);
    expect(status).toBe(0);
    expect(json()).toMatchObject({
      added: [],
      skipped: [
        { repo: 'Org/Base', reason: 'no file of this commit is in the cache' },
        { repo: 'org/gone', reason: expect.stringContaining('does not exist, or is private') },
      ],
      written: ['hug.yaml'],
    });
  });

  it('keeps the manifest that is there, and adds to it', async () => {
    const made = await cachedProject(hub, '# mine\nmodels:\n  base: org/lora # why\n');
    await fill(made.cache, {
      [`${at('Org/Base')}/refs/main`]: revs['base'] ?? '',
      [`${at('Org/Base')}/snapshots/${revs['base']}/config.json`]: '{}',
    });
    expect((await made.run(['init', '--from-cache', '--flake'])).status).toBe(0);
    const names = [...(await made.lock()).models.keys()];
    expect(names).toEqual(['base', 'base-main']);
    expect((await made.lock()).models.get('base-main')?.select).toEqual({ files: ['config.json'] });
  });

  it('without a network names the reason, and writes nothing', async () => {
    const made = await empty();
    await fill(made.cache, {
      [`${at('Org/Base')}/snapshots/${revs['base']}/config.json`]: '{}',
    });
    const { status, stderr } = await made.run(['init', '--from-cache', '--offline']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_OFFLINE')]);
    expect(await made.lockText()).toBeUndefined();
  });
});
