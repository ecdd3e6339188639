import { spawn } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shellWord } from '../../src/quote.ts';
import { ended } from '../support/ended.ts';
import { hfUser } from '../support/hf-user.ts';
import { type Hub, startHub } from '../support/hub/index.ts';

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  const repo = await hub.createRepo({ type: 'model', id: 'org/name' });
  await repo.commit({ files: { 'config.json': '{}' } });
});
afterAll(() => hub.close());

/** Runs a script of sh and returns what it prints. */
async function sh(script: string): Promise<string> {
  const child = spawn('/bin/sh', ['-c', script], { env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
  return (await ended(child)).stdout;
}

describe('env', () => {
  it('prints assignments that a shell reads, whatever the name of the folder', async () => {
    const user = await hfUser(
      hub.endpoint,
      'models: { a: org/name, b: { repo: org/name, groups: [g] } }',
    );
    const XDG_CACHE_HOME = path.join(user.home, 'it\'s "$HOME" `ü`');
    const { status, stdout, stderr } = await user.run(['env'], { XDG_CACHE_HOME });
    expect([status, stderr]).toEqual([0, expect.stringContaining('left out: models.b (g)')]);
    const json = (await user.run(['env', '--json'], { XDG_CACHE_HOME })).json();
    const names = ['HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'HF_HUB_OFFLINE', 'NIX_HUG_ENV'];
    expect(Object.keys(json)).toEqual(names);
    expect(path.dirname(json.HF_HUB_CACHE)).toBe(path.join(XDG_CACHE_HOME, 'nix-hug', 'views'));
    for (const name of names) {
      expect(await sh(`${stdout}\n/usr/bin/env sh -c 'printf %s "$${name}"'`)).toBe(json[name]);
    }
  });

  it('prints a view that is complete, without a request', async () => {
    const user = await hfUser(hub.endpoint, 'models: { a: org/name }');
    const { stdout } = await user.run(['env']);
    hub.clearRequests();
    expect((await user.run(['env', '--offline'])).stdout).toBe(stdout);
    expect(hub.requests).toEqual([]);
  });
});

describe('a word of a shell', () => {
  it.each(['', "'", "a'b''c", '$HOME `id` "x" \\', 'two\nlines', '-n', 'ü'])(
    'may be %j',
    async (text) => {
      expect(await sh(`printf %s ${shellWord(text)}`)).toBe(text);
    },
  );
});
