import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FileContent, type Hub, lfs, startHub } from '../support/hub/index.ts';
import { createProject, lockedProject } from '../support/project.ts';

let hub: Hub;
let made = 0;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

/** A repository with a new id of this beginning. */
async function repository(name: string, files: Readonly<Record<string, FileContent>>) {
  made += 1;
  const id = `acme/${name}-${made}`;
  const repo = await hub.createRepo({ type: 'model', id });
  return { id, repo, rev: await repo.commit({ files }) };
}

const WEIGHTS = { 'config.json': '{}', 'model.safetensors': lfs('weights') };

const base = () => repository('base', WEIGHTS);

const adapterOf = (id: string, more: object = {}) => ({
  'adapter_config.json': JSON.stringify({ base_model_name_or_path: id, ...more }),
  'adapter_model.safetensors': lfs('adapter'),
});

const adapter = (id: string, more?: object) => repository('lora', adapterOf(id, more));

/** Remote code of another repository. */
const codeOf = (id: string, more: object = {}) => ({
  'config.json': JSON.stringify({ auto_map: { AutoModel: `${id}--modeling.Model` }, ...more }),
  'model.safetensors': lfs('weights'),
});

const project = (manifest: string) => createProject(hub.endpoint, manifest);

const locked = (manifest: string) => lockedProject(hub, manifest);

const key = (id: string, ref = 'main') => `models/${id}@${ref}`;

describe('lock', () => {
  it('locks the base model of an adapter, with weights in safetensors of several formats', async () => {
    const { id: baseId, rev } = await repository('base', {
      ...WEIGHTS,
      'pytorch_model.bin': lfs('other format'),
    });
    const { id } = await adapter(baseId);
    const { run, lock } = await project(`models: { lora: ${id} }`);
    const { status, stdout } = await run(['lock']);
    expect(status).toBe(0);
    expect(stdout).toContain('1 entry added (1 in all); needed by them: 1 added\n');
    expect(stdout).toContain(`- \`needed.${key(baseId)}\` added: \`${baseId}\` at \`main\``);
    const { models, needed } = await lock();
    expect(models.lora.needs).toEqual([{ repo: baseId, ref: 'main', by: 'adapter_config.json' }]);
    expect(needed).toMatchObject({
      [key(baseId)]: { repo: baseId, ref: 'main', rev, select: { format: 'safetensors' } },
    });
    expect(Object.keys(needed[key(baseId)].files)).toEqual(['config.json', 'model.safetensors']);
  });

  it('sends no request when the lock has what its entries need', async () => {
    const { id: baseId } = await base();
    const { id } = await adapter(baseId);
    const { run, lockText } = await locked(`models: { lora: ${id} }`);
    const before = await lockText();
    expect((await run(['lock', '--check'])).status).toBe(0);
    expect((await run(['lock'])).status).toBe(0);
    expect([hub.requests, await lockText()]).toEqual([[], before]);
  });

  it('gives the same bytes with the entries locked one after the other', async () => {
    const { id: baseId } = await base();
    const { id: one } = await adapter(baseId);
    const { id: two } = await adapter(baseId);
    const together = await locked(`models: { one: ${one}, two: ${two} }`);
    const apart = await locked(`models: { one: ${one} }`);
    await apart.run(['add', `hf:${two}`, '--name', 'two']);
    expect(await apart.lockText()).toBe(await together.lockText());
  });

  it('follows what is needed in turn, and ends in a cycle', async () => {
    const first = await repository('cycle', { 'README.md': 'a' });
    const second = await repository('cycle', codeOf(first.id));
    await first.repo.commit({ files: codeOf(second.id) });
    const { id } = await adapter(second.id);
    const { lock, run } = await locked(`models: { lora: ${id} }`);
    const { needed } = await lock();
    expect(Object.keys(needed)).toEqual([key(first.id), key(second.id)].toSorted());
    expect((await run(['lock', '--check'])).status).toBe(0);
  });

  it('takes plain files alone for code, one folder for a component, and unites both', async () => {
    const { id: code } = await repository('code', {
      'modeling.py': 'class Model: pass\n',
      'weights.bin': lfs('w'),
      'unet/config.json': '{}',
      'unet/model.safetensors': lfs('unet'),
      'vae/model.safetensors': lfs('vae'),
    });
    const component = (subfolder: string) => [
      'diffusers',
      'UNet',
      { pretrained_model_name_or_path: code, subfolder },
    ];
    const { id: model } = await repository('model', codeOf(code));
    const { id: pipeline } = await repository('pipeline', {
      'modular_model_index.json': JSON.stringify({ unet: component('unet') }),
    });
    const at = await locked(`models: { model: ${model} }`);
    const filesOf = async () => Object.keys((await at.lock()).needed[key(code)].files);
    expect((await at.lock()).needed[key(code)].select).toEqual({ exclude: ['*'] });
    expect(await filesOf()).toEqual(['modeling.py', 'unet/config.json']);
    await at.run(['add', `hf:${pipeline}`]);
    expect((await at.lock()).needed[key(code)].select).toEqual({ include: ['unet/'] });
    expect(await filesOf()).toContain('unet/model.safetensors');
    expect(await filesOf()).not.toContain('vae/model.safetensors');
    const { id: lora } = await adapter(code);
    await at.run(['add', `hf:${lora}`]);
    expect((await at.lock()).needed[key(code)].select).toEqual({ format: 'safetensors' });
    expect((await at.run(['lock', '--check'])).status).toBe(0);
  });

  it('locks the revision that a file names and main', async () => {
    const { id: baseId, repo, rev: main } = await base();
    const dev = await repo.commit({ branch: 'dev', files: { 'dev.txt': 'dev' } });
    const { id } = await adapter(baseId, { revision: 'dev' });
    const { lock } = await locked(`models: { lora: ${id} }`);
    const { needed } = await lock();
    expect(needed).toMatchObject({
      [key(baseId, 'dev')]: { ref: 'dev', rev: dev },
      [key(baseId)]: { ref: 'main', rev: main },
    });
  });

  it('leaves what the manifest declares to the manifest', async () => {
    const { id: baseId } = await base();
    const { id } = await adapter(baseId);
    const { lock } = await locked(
      `models: { lora: ${id}, mine: { repo: ${baseId}, files: [config.json] } }`,
    );
    const { needed, models } = await lock();
    expect([needed, Object.keys(models.mine.files)]).toEqual([undefined, ['config.json']]);
  });

  it('drops what is needed when the manifest declares it, at the same commit', async () => {
    const { id: baseId, repo, rev } = await base();
    const { id } = await adapter(baseId);
    const { run, lock } = await locked(`models: { lora: ${id} }`);
    await repo.commit({ files: { 'new.txt': 'new' } });
    expect((await run(['add', `hf:${baseId}`, '--name', 'base'])).status).toBe(0);
    const { models, needed } = await lock();
    expect([models.base.rev, needed]).toEqual([rev, undefined]);
  });

  it('warns of a repository that the manifest has at another ref only', async () => {
    const { id: baseId, repo } = await base();
    await repo.commit({ branch: 'dev', files: { 'dev.txt': 'dev' } });
    const { id } = await adapter(baseId);
    const { run, lock } = await project(
      `models: { lora: ${id}, b: { repo: ${baseId}, ref: dev } }`,
    );
    const { stderr } = await run(['lock']);
    expect(stderr).toContain(
      `warning: models.lora needs ${baseId} at main (adapter_config.json), and models.b has it at dev: both are locked`,
    );
    expect(stderr).toContain('"dependencies: ignore" on models.lora');
    expect(Object.keys((await lock()).needed)).toEqual([key(baseId)]);
    expect((await run(['lock'])).stderr).not.toContain('warning');
  });

  it('takes the commit of an entry that has the repository under another id', async () => {
    const { repo, id: old, rev } = await base();
    hub.renameRepo(repo, `${old}-renamed`);
    const { id } = await adapter(old);
    const { run, lock } = await locked(`models: { mine: ${old}-renamed }`);
    await repo.commit({ files: { 'new.txt': 'new' } });
    await run(['add', `hf:${id}`, '--name', 'lora']);
    const { models, needed } = await lock();
    expect(models.mine.rev).toBe(rev);
    expect(needed[key(old)]).toMatchObject({ repo: `${old}-renamed`, requested: old, rev });
  });

  it.each([
    ['missing', 'acme/nowhere', 'does not exist, or is private'],
    ['private', 'acme/private-base', 'does not exist, or is private'],
    ['gated', 'acme/gated-base', 'is gated'],
  ])(
    'refuses an adapter whose base is %s, with the file that names it',
    async (_what, baseId, why) => {
      if (baseId !== 'acme/nowhere') {
        const kind =
          baseId === 'acme/gated-base' ? { gated: 'manual' as const } : { private: true };
        const repo = await hub.createRepo({ type: 'model', id: baseId, ...kind });
        await repo.commit({ files: WEIGHTS });
      }
      const { id } = await adapter(baseId);
      const { run, lockText } = await project(`models: { lora: ${id} }`);
      const { status, stderr } = await run(['lock']);
      expect([status, await lockText()]).toEqual([1, undefined]);
      expect(stderr).toContain('error EHUG_DEPENDENCY: needed.models/');
      expect(stderr).toContain(why);
      expect(stderr).toContain(
        'models.lora needs it (base_model_name_or_path in adapter_config.json)',
      );
      expect(stderr).toMatch(
        /[^.]\. To lock it without, set "dependencies: ignore" on models\.lora/u,
      );
    },
  );

  it('names the way to what cannot be locked', async () => {
    const { id: middle } = await repository('middle', codeOf('acme/nowhere'));
    const { id } = await adapter(middle);
    const { run } = await project(`models: { lora: ${id} }`);
    expect((await run(['lock'])).stderr).toContain(
      `models.lora → ${middle} (adapter_config.json) → acme/nowhere (config.json)`,
    );
  });

  it('refuses more than 64 repositories before it asks for them', async () => {
    const adapters = Object.fromEntries(
      Array.from({ length: 65 }, (_, index) => [`a${index}`, `acme/x${index}`]),
    );
    const { id } = await repository('xlora', {
      'adapter_config.json': JSON.stringify({ adapters }),
    });
    const { run } = await project(`models: { x: ${id} }`);
    const { status, stderr } = await run(['lock']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('more than 64 repositories')]);
    expect(hub.requests.filter(({ url }) => url.includes('/x6'))).toEqual([]);
  });

  it('refuses a chain of more than 8 steps', async () => {
    let { id } = await base();
    for (let step = 0; step < 9; step += 1) ({ id } = await repository('chain', codeOf(id)));
    const { run } = await project(`models: { a: ${id} }`);
    const { status, stderr } = await run(['lock']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('more than 8 steps')]);
  });

  it('without a network stops where the lock lacks what is needed, and leaves it', async () => {
    const { id: baseId } = await base();
    const { id } = await adapter(baseId);
    const at = await locked(`models: { lora: ${id}, mine: ${baseId} }`);
    const before = await at.lockText();
    await at.manifest(`models: { lora: ${id} }`);
    const { status, stderr } = await at.run(['lock', '--offline']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_OFFLINE')]);
    expect(await at.lockText()).toBe(before);
    expect((await at.run(['lock', '--check', '--json'])).json().reasons).toMatchObject([
      { entry: 'mine' },
      {
        entry: 'lora',
        reason: `needs ${baseId} at main, which is not locked (adapter_config.json)`,
      },
    ]);
    // The file is read again, since the lock does not say what the loader takes.
    expect((await at.run(['lock'])).status).toBe(0);
    expect(Object.keys((await at.lock()).needed)).toEqual([key(baseId)]);
  });

  it('asks once for each base of many adapters', async () => {
    const bases = [await base(), await base()];
    const adapters = await Promise.all(
      Array.from({ length: 10 }, (_, index) => adapter(bases[index % 2]?.id ?? '')),
    );
    hub.clearRequests();
    await locked(`models: { ${adapters.map(({ id }, index) => `a${index}: ${id}`).join(', ')} }`);
    const again = await project(
      `models: { ${adapters.map(({ id }, index) => `a${index}: ${id}`).join(', ')} }`,
    );
    await again.run(['lock']);
    for (const { id } of bases) {
      const asked = hub.requests.filter(
        ({ url }) => url.includes(`${id}/`) || url.includes(`${id}?`),
      );
      expect(asked.filter(({ url }) => url.includes('/revision/'))).toHaveLength(1);
      expect(asked.filter(({ url }) => url.includes('/tree/'))).toHaveLength(1);
    }
  });

  it('reads a file that names others once, with or without a digest of it in the lock', async () => {
    const { id, repo } = await repository('plain', WEIGHTS);
    const at = await locked(`models: { a: ${id} }`);
    await repo.commit({ files: { 'new.txt': 'new' } });
    expect((await at.run(['update'])).status).toBe(0);
    expect(
      hub.requests
        .filter(({ url }) => url.includes('/resolve/'))
        .map(({ url }) => url.split('/').at(-1)),
    ).toEqual(['new.txt']);
  });
});

describe('dependencies in the manifest', () => {
  it('warn names what is not locked, with the command that adds it', async () => {
    const { id: baseId } = await base();
    const { id } = await adapter(baseId, { revision: 'dev' });
    const { run, lock } = await project(`models: { lora: { repo: ${id}, dependencies: warn } }`);
    const { status, stderr } = await run(['lock']);
    expect(status).toBe(0);
    expect(stderr).toContain(
      `warning: models.lora: adapter_config.json names ${baseId} at main, which is not locked; add it with: nix-hug add ${baseId}\n`,
    );
    expect(stderr).toContain(`nix-hug add ${baseId} --ref dev\n`);
    const { models, needed } = await lock();
    expect([models.lora.needs.length, needed]).toEqual([2, undefined]);
    expect((await run(['lock', '--check'])).status).toBe(0);
  });

  it('ignore records what files name, and locks it once it is to be locked', async () => {
    const { id: baseId } = await base();
    const { id } = await adapter(baseId);
    const at = await project(`dependencies: ignore\nmodels: { lora: ${id} }`);
    const { status, stderr } = await at.run(['lock']);
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    const { rev, needs } = (await at.lock()).models.lora;
    expect(needs).toHaveLength(1);
    await at.manifest(
      `dependencies: ignore\nmodels: { lora: { repo: ${id}, dependencies: lock } }`,
    );
    expect((await at.run(['lock', '--check'])).status).toBe(3);
    expect((await at.run(['lock'])).status).toBe(0);
    const { models, needed } = await at.lock();
    expect([models.lora.rev, Object.keys(needed)]).toEqual([rev, [key(baseId)]]);
    await at.manifest(`dependencies: ignore\nmodels: { lora: ${id} }`);
    hub.clearRequests();
    expect((await at.run(['lock'])).status).toBe(0);
    expect([(await at.lock()).needed, hub.requests]).toEqual([undefined, []]);
  });
});

describe('update', () => {
  it('moves what is needed, and a named entry moves what it alone needs', async () => {
    const shared = await base();
    const own = await base();
    const { id: one } = await repository('x', {
      'adapter_config.json': JSON.stringify({ adapters: { a: shared.id, b: own.id } }),
    });
    const { id: two } = await adapter(shared.id);
    const { run, lock } = await locked(`models: { one: ${one}, two: ${two} }`);
    const newShared = await shared.repo.commit({ files: { 'new.txt': '1' } });
    const newOwn = await own.repo.commit({ files: { 'new.txt': '2' } });
    expect((await run(['update', 'one'])).stdout).toContain(`needed.${key(own.id)}`);
    expect((await lock()).needed).toMatchObject({
      [key(shared.id)]: { rev: shared.rev },
      [key(own.id)]: { rev: newOwn },
    });
    await run(['update']);
    expect((await lock()).needed[key(shared.id)].rev).toBe(newShared);
    expect((await run(['update'])).stdout).toContain('is up to date');
  });

  it('follows an adapter to another base, and drops the old one', async () => {
    const old = await base();
    const next = await base();
    const { id, repo } = await adapter(old.id);
    const { run, lock } = await locked(`models: { lora: ${id} }`);
    await repo.commit({ files: adapterOf(next.id) });
    const { stdout } = await run(['update']);
    expect(stdout).toContain(`- \`needed.${key(old.id)}\` removed`);
    expect(Object.keys((await lock()).needed)).toEqual([key(next.id)]);
  });

  it('refuses another repository under the id of a base, until it is accepted', async () => {
    const { id: baseId, repo: old } = await base();
    const { id } = await adapter(baseId);
    const { run, lock } = await locked(`models: { lora: ${id} }`);
    await hub.deleteRepo(old);
    const repo = await hub.createRepo({ type: 'model', id: baseId });
    const rev = await repo.commit({ files: WEIGHTS });
    const { status, stderr } = await run(['update']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_REPO_REPLACED')]);
    expect(stderr).toContain('nix-hug update models.lora --accept-repository');
    expect((await run(['update', 'models.lora', '--accept-repository'])).status).toBe(0);
    expect((await lock()).needed[key(baseId)].rev).toBe(rev);
  });
});

describe('remove', () => {
  it('drops what no entry needs any more', async () => {
    const shared = await base();
    const own = await base();
    const { id: one } = await repository('x', {
      'adapter_config.json': JSON.stringify({ adapters: { a: shared.id, b: own.id } }),
    });
    const { id: two } = await adapter(shared.id);
    const { run, lock } = await locked(`models:\n  one: ${one}\n  two: ${two}\n`);
    expect((await run(['remove', 'one'])).stdout).toContain(
      `- \`needed.${key(own.id)}\` removed: no entry needs it any more`,
    );
    expect(Object.keys((await lock()).needed)).toEqual([key(shared.id)]);
    expect((await run(['lock', '--check'])).status).toBe(0);
    expect(hub.requests).toEqual([]);
  });

  it('of what others need says that lock locks it again', async () => {
    const { id: baseId } = await base();
    const { id } = await adapter(baseId);
    const { run } = await locked(`models:\n  lora: ${id}\n  mine: ${baseId}\n`);
    const { stderr } = await run(['remove', 'mine']);
    expect(stderr).toContain(`warning: models.lora needs ${baseId}@main (adapter_config.json)`);
    expect(stderr).toContain('next: nix-hug lock');
    expect((await run(['lock', '--check'])).status).toBe(3);
    expect((await run(['lock'])).status).toBe(0);
    expect((await run(['lock', '--check'])).status).toBe(0);
  });
});

describe('a lock of version 1', () => {
  it('gets what its entries need when it is upgraded', async () => {
    const { id: baseId } = await base();
    const { id } = await adapter(baseId);
    const at = await locked(`models: { lora: ${id} }`);
    const now = await at.lockText();
    const { models } = await at.lock();
    const { repoId: _id, needs: _needs, ...entry } = models.lora;
    const old = JSON.stringify({ lockfileVersion: 1, models: { lora: entry }, datasets: {} });
    await at.writeLock(old);
    expect((await at.run(['lock'])).status).toBe(0);
    expect(await at.lockText()).toBe(now);
  });
});
