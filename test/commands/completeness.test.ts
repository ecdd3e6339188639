import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { createProject } from '../support/project.ts';

// What a selection would leave a loader without, told by `lock`.

const INDEX = 'model.safetensors.index.json';
const [ONE, TWO] = [
  'model-00001-of-00002.safetensors',
  'model-00002-of-00002.safetensors',
] as const;

let hub: Hub;

const project = (manifest: string) => createProject(hub.endpoint, manifest);

/** How often the index was asked for. */
const downloads = () => hub.requests.filter(({ url }) => url.endsWith(INDEX)).length;

beforeAll(async () => {
  hub = await startHub();
  const sharded = await hub.createRepo({ type: 'model', id: 'org/sharded' });
  const index = JSON.stringify({ metadata: {}, weight_map: { a: ONE, b: TWO } });
  const files = { 'config.json': '{}', [INDEX]: index, [ONE]: lfs('1'), [TWO]: lfs('2') };
  await sharded.commit({ files: { ...files, 'tokenizer.json': lfs('tokens') } });
  const half = await hub.createRepo({ type: 'model', id: 'org/half' });
  await half.commit({ files: { ...files, [INDEX]: `${index}\n`, [TWO]: null } });
  const broken = await hub.createRepo({ type: 'model', id: 'org/broken' });
  await broken.commit({ files: { ...files, [INDEX]: '{' } });
  const split = await hub.createRepo({ type: 'model', id: 'org/split' });
  await split.commit({
    files: {
      'm-Q8_0-00001-of-00002.gguf': lfs('g1'),
      'm-Q8_0-00002-of-00002.gguf': lfs('g2'),
    },
  });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

describe('lock', () => {
  it.each([
    ['org/sharded', ''],
    [
      '{ repo: org/sharded, include: ["*-00001-*"] }',
      `warning: models.m: of the shards that "${INDEX}" names, the selection leaves out "${TWO}"\n` +
        'warning: models.m: the selection leaves out "tokenizer.json", which a tokenizer may need\n',
    ],
    [
      'org/half',
      `warning: models.m: "${INDEX}" names shards that the commit does not have: "${TWO}"\n`,
    ],
    ['org/broken', `warning: models.m: "${INDEX}" cannot be read as an index of shards\n`],
    [
      '{ repo: org/split, files: [m-Q8_0-00001-of-00002.gguf] }',
      'warning: models.m: of the 2 parts of "m-Q8_0", the selection leaves out "m-Q8_0-00002-of-00002.gguf"\n',
    ],
    ['org/split:Q8_0', ''],
  ])('of %s warns of what is missing, once', async (entry, warnings) => {
    const { run } = await project(`models:\n  m: ${entry}\n`);
    const { status, stderr } = await run(['lock', '--quiet']);
    expect([status, stderr]).toEqual([0, warnings]);
    expect((await run(['lock', '--quiet'])).stderr).toBe('');
  });

  it('downloads an index once, whoever has it', async () => {
    const at = await project(
      'models:\n  a: org/sharded\n  b: { repo: org/sharded, exclude: ["x"] }\n',
    );
    await at.run(['lock']);
    expect(downloads()).toBe(1);
  });

  it('downloads it again when only its digest is known', async () => {
    const at = await project('models:\n  a: org/sharded\n');
    await at.run(['lock']);
    hub.clearRequests();
    await at.manifest('models:\n  a: { repo: org/sharded, include: ["*-00002-*"] }\n');
    const { stderr } = await at.run(['lock']);
    expect(stderr).toContain(`the selection leaves out "${ONE}"`);
    expect(downloads()).toBe(1);
    hub.clearRequests();
    await at.run(['lock']);
    await at.run(['lock', '--check']);
    expect(hub.requests).toEqual([]);
  });

  it('does not download it when no shard is taken', async () => {
    const at = await project('models:\n  a: org/sharded\n');
    await at.run(['lock']);
    hub.clearRequests();
    await at.manifest('models:\n  a: { repo: org/sharded, exclude: ["*.safetensors"] }\n');
    const { stderr } = await at.run(['lock']);
    expect(stderr).not.toContain('names');
    expect(downloads()).toBe(0);
  });
});
