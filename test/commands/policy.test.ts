import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { createProject } from '../support/project.ts';

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  const create = async (id: string, files: Record<string, string | ReturnType<typeof lfs>>) => {
    const repo = await hub.createRepo({ type: 'model', id });
    await repo.commit({ files });
  };
  const auto = { auto_map: { AutoModel: 'acme/code--modeling.Model' } };
  await create('acme/safe', { 'README.md': '---\nlicense: mit\n---\n', 'm.safetensors': lfs('s') });
  await create('acme/pickle', { 'config.json': '{}', 'pytorch_model.bin': lfs('p') });
  await create('acme/code', { 'modeling.py': 'class Model: pass\n', 'config.json': '{}' });
  await create('acme/remote', {
    'config.json': JSON.stringify(auto),
    'own.py': '',
    'm.safetensors': lfs('r'),
  });
  await create('acme/lora', {
    'adapter_config.json': '{"base_model_name_or_path":"acme/pickle"}',
    'adapter_model.safetensors': lfs('l'),
  });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

const project = (manifest: string) => createProject(hub.endpoint, manifest);

describe('a policy', () => {
  it('stops lock before anything is written, with every violation and its line', async () => {
    const { run, lockText } = await project(`policy: { formats: safe, licenses: [mit] }
models:
  safe: acme/safe
  pickle: acme/pickle
  lora: acme/lora
`);
    const { status, stderr } = await run(['lock']);
    expect([status, await lockText()]).toEqual([1, undefined]);
    expect(stderr).toContain(
      [
        'error EHUG_POLICY: hug.yaml:5: models.lora breaks the rule licenses: it declares no licence',
        '  hug.yaml:4: models.pickle breaks the rule formats: "pytorch_model.bin" can run code when loaded',
        '  hug.yaml:4: models.pickle breaks the rule licenses: it declares no licence',
      ].join('\n'),
    );
    expect(stderr).toContain('hint: Nothing was locked.');
  });

  it('holds for what entries need, and names the line of the entry that needs it', async () => {
    const { run } = await project(`policy: { formats: safe }
models:
  safe: acme/safe
  lora: acme/lora
`);
    const { status, stderr } = await run(['lock']);
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining(
        'hug.yaml:4: needed.models/acme/pickle@main breaks the rule formats: "pytorch_model.bin"',
      ),
    ]);
  });

  it('exempts an entry, and what it alone needs, from the rules in its allow', async () => {
    const { run } = await project(`policy: { formats: safe }
models:
  pickle: { repo: acme/pickle, allow: [formats] }
`);
    expect((await run(['lock'])).status).toBe(0);
    expect((await run(['lock', '--check'])).status).toBe(0);
    const { run: again } = await project(
      'policy: { formats: safe }\nmodels: { lora: { repo: acme/lora, allow: [formats] } }',
    );
    expect((await again(['lock'])).status).toBe(0);
  });

  it('leaves manifest and lock as they were when add breaks it', async () => {
    const text = 'policy: { owners: [other] }\n';
    const { run, folder, lockText } = await project(text);
    const { status, stderr } = await run(['add', 'hf:acme/safe']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('it belongs to acme')]);
    expect(await readFile(path.join(folder, 'hug.yaml'), 'utf8')).toBe(text);
    expect(await lockText()).toBeUndefined();
  });

  it('that is new is found by lock --check without a network, and stops update', async () => {
    const { run, manifest, lockText } = await project('models: { pickle: acme/pickle }\n');
    await run(['lock']);
    const before = await lockText();
    hub.clearRequests();
    await manifest('policy: { formats: safe }\nmodels: { pickle: acme/pickle }\n');
    const { status, json } = await run(['lock', '--check', '--json']);
    expect([status, json(), hub.requests]).toEqual([
      3,
      {
        upToDate: false,
        reasons: [
          {
            entry: null,
            type: null,
            reason:
              'hug.yaml:2: models.pickle breaks the rule formats: "pytorch_model.bin" can run code when loaded',
          },
        ],
      },
      [],
    ]);
    expect((await run(['update'])).stderr).toContain('EHUG_POLICY');
    expect(await lockText()).toBe(before);
  });
});

describe('a pickle that arrives by update', () => {
  it('stops the update, and the lock stays as it was', async () => {
    const repo = await hub.createRepo({ type: 'model', id: 'acme/turned' });
    await repo.commit({ files: { 'config.json': '{}', 'model.safetensors': lfs('safe') } });
    const { run, lockText } = await project(
      'policy: { formats: safe }\nmodels: { turned: acme/turned }\n',
    );
    expect((await run(['lock'])).status).toBe(0);
    const before = await lockText();
    await repo.commit({
      files: { 'model.safetensors': null, 'pytorch_model.bin': lfs('a program') },
    });
    const { status, stderr } = await run(['update']);
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('models.turned breaks the rule formats: "pytorch_model.bin"'),
    ]);
    expect(await lockText()).toBe(before);
    expect((await run(['lock', '--check'])).status).toBe(0);
  });
});

describe('remoteCode: omit', () => {
  it('leaves code out of the lock, and does not follow what names code', async () => {
    const { run, lock } = await project(
      'policy: { remoteCode: omit }\nmodels: { remote: acme/remote, safe: acme/safe }\n',
    );
    expect((await run(['lock'])).status).toBe(0);
    const { models, needed } = await lock();
    expect(Object.keys(models.remote.files)).toEqual(['config.json', 'm.safetensors']);
    expect([models.remote.select, models.remote.needs, needed]).toEqual([
      { code: false },
      undefined,
      undefined,
    ]);
    expect(models.safe.select).toEqual({ code: false });
    hub.clearRequests();
    expect((await run(['lock', '--check'])).status).toBe(0);
    expect((await run(['lock'])).status).toBe(0);
    expect(hub.requests).toEqual([]);
  });

  it('leaves an entry as it is that allows code', async () => {
    const { run, lock } = await project(
      'policy: { remoteCode: omit }\nmodels: { remote: { repo: acme/remote, allow: [remoteCode] } }\n',
    );
    expect((await run(['lock'])).status).toBe(0);
    const { models, needed } = await lock();
    expect(Object.keys(models.remote.files)).toContain('own.py');
    expect(Object.keys(needed)).toEqual(['models/acme/code@main']);
    expect((await run(['lock', '--check'])).status).toBe(0);
  });

  it('takes code out of a lock that has it, and puts it back', async () => {
    const { run, manifest, lock, lockText } = await project('models: { remote: acme/remote }\n');
    await run(['lock']);
    const whole = await lockText();
    await manifest('policy: { remoteCode: omit }\nmodels: { remote: acme/remote }\n');
    expect((await run(['lock', '--check'])).status).toBe(3);
    expect((await run(['lock'])).status).toBe(0);
    expect((await lock()).needed).toBeUndefined();
    await manifest('models: { remote: acme/remote }\n');
    expect((await run(['lock'])).status).toBe(0);
    expect(await lockText()).toBe(whole);
  });

  it('refuses a repository of code alone', async () => {
    const { run } = await project(
      'policy: { remoteCode: omit }\nmodels: { code: { repo: acme/code, files: [modeling.py] } }\n',
    );
    const { status, stderr } = await run(['lock']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('without code, no file is left')]);
  });
});
