import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type FileContent,
  type Hub,
  lfs,
  type Repository,
  startHub,
} from '../support/hub/index.ts';
import { lockedProject } from '../support/project.ts';

let hub: Hub;
let made = 0;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

const README = (license: string, text: string) => `---\nlicense: ${license}\n---\n${text}\n`;

const FILES = {
  'README.md': README('mit', 'one'),
  'config.json': '{}\n',
  'model.safetensors': lfs('weights'),
};

async function repository(
  files: Readonly<Record<string, FileContent>> = FILES,
): Promise<{ repo: Repository; id: string; first: string }> {
  made += 1;
  const id = `org/repo-${made}`;
  const repo = await hub.createRepo({ type: 'model', id });
  return { repo, id, first: await repo.commit({ files }) };
}

async function locked(manifest: string) {
  const project = await lockedProject(hub, manifest);
  return { ...project, revs: async () => revsIn((await project.lockText()) ?? '') };
}

/** The commit of each entry and of what they need. */
function revsIn(text: string): Record<string, string> {
  const { models, needed = {} } = JSON.parse(text);
  return Object.fromEntries(
    Object.entries<{ rev: string }>({ ...models, ...needed }).map(([name, { rev }]) => [name, rev]),
  );
}

const short = (rev: string) => rev.slice(0, 12);

describe('update --significant', () => {
  it('moves nothing after a commit of the README, and says so', async () => {
    const { repo, id, first } = await repository();
    const { run, lockText } = await locked(`
models:
  all: ${id}
  some: { repo: ${id}, files: [config.json] }
`);
    const before = await lockText();
    const second = await repo.commit({ files: { 'README.md': README('mit', 'two') } });
    const dry = await run(['update', '--significant', '--json', '--dry-run']);
    expect(dry.json()).toMatchObject({
      changed: false,
      entries: [],
      kept: [
        {
          name: 'all',
          type: 'model',
          locked: { ref: 'main', rev: first },
          newest: { ref: 'main', rev: second },
          files: ['README.md'],
        },
        { name: 'some', files: [] },
      ],
    });
    const { status, stdout } = await run(['update', '--significant']);
    expect(stdout.split('\n')).toEqual([
      'hug.lock.json is up to date, 2 entries',
      `- \`models.all\` stays at \`main\` (${short(first)}): only docs changed (\`README.md\`)`,
      `- \`models.some\` stays at \`main\` (${short(first)}): no selected file changed`,
      '',
    ]);
    expect(status).toBe(0);
    expect(await lockText()).toBe(before);
    expect((await run(['lock', '--check'])).status).toBe(0);
    expect((await run(['outdated', '--exit-code'])).status).toBe(3);
  });

  it('moves after a commit of the tokenizer, with the README', async () => {
    const { repo, id } = await repository();
    const { run, revs } = await locked(`models: { a: ${id} }`);
    const second = await repo.commit({
      files: { 'README.md': README('mit', 'two'), 'tokenizer.json': '{}\n' },
    });
    const { entries, kept } = (await run(['update', '--significant', '--json'])).json();
    expect(entries).toMatchObject([{ name: 'a', classes: ['tokenizer', 'docs'] }]);
    expect(kept).toEqual([]);
    expect(await revs()).toEqual({ a: second });
  });

  it.each([
    ['all files', ''],
    ['one file', ', files: [config.json]'],
  ])('moves after a change of the licence, with %s of the repository', async (_title, more) => {
    const { repo, id } = await repository();
    const { run, revs } = await locked(`models: { a: { repo: ${id}${more} } }`);
    const second = await repo.commit({ files: { 'README.md': README('llama3', 'one') } });
    await run(['update', '--significant']);
    expect(await revs()).toEqual({ a: second });
  });

  it('moves entries of one ref together', async () => {
    const { repo, id } = await repository();
    const { run, revs } = await locked(`
models:
  config: { repo: ${id}, files: [config.json] }
  weights: { repo: ${id}, include: ["*.safetensors"] }
`);
    const second = await repo.commit({ files: { 'model.safetensors': lfs('better') } });
    await run(['update', '--significant', 'config']);
    expect(await revs()).toEqual({ config: second, weights: second });
  });

  it.each([true, false])(
    'moves away from a commit that its branch has lost, and the Hub too: %s',
    async (isPruned) => {
      const { repo, id, first } = await repository();
      const { run, revs } = await locked(`models: { a: ${id} }`);
      const second = await repo.commit({
        parent: null,
        files: { ...FILES, 'README.md': README('mit', 'two') },
      });
      if (isPruned) await repo.prune();
      const { stderr } = await run(['update', '--significant']);
      expect(stderr).toMatch(new RegExp(`warning: models\\.a: .*${first}`, 'u'));
      expect(await revs()).toEqual({ a: second });
    },
  );

  it('keeps a tag of a version range of which only docs are newer', async () => {
    const { repo, id, first } = await repository();
    await repo.tag('v1.0.0', first);
    const { run, revs } = await locked(`models: { a: { repo: ${id}, version: ^1 } }`);
    const second = await repo.commit({ files: { 'README.md': README('mit', 'two') } });
    await repo.tag('v1.1.0', second);
    const { kept } = (await run(['update', '--significant', '--json'])).json();
    expect(kept).toMatchObject([{ newest: { ref: 'v1.1.0', rev: second } }]);
    expect(await revs()).toEqual({ a: first });
    expect((await run(['lock', '--check'])).status).toBe(0);
  });

  it('keeps what entries need likewise', async () => {
    const base = await repository();
    const adapter = await repository({
      ...FILES,
      'adapter_config.json': `{"base_model_name_or_path":"${base.id}"}`,
    });
    const { run, revs, lockText } = await locked(`models: { a: ${adapter.id} }`);
    const key = `models/${base.id}@main`;
    expect(await revs()).toEqual({ a: adapter.first, [key]: base.first });
    const before = await lockText();
    await base.repo.commit({ files: { 'README.md': README('mit', 'two') } });
    const { stdout } = await run(['update', '--significant']);
    expect(stdout).toContain(`- \`needed.${key}\` stays at \`main\` (${short(base.first)}): `);
    expect(await lockText()).toBe(before);
    await base.repo.commit({
      parent: null,
      files: { ...FILES, 'README.md': README('mit', 'three') },
    });
    await base.repo.prune();
    expect((await run(['update', '--significant', '--json', '--dry-run'])).json().kept).toEqual([]);
    const third = await base.repo.commit({ files: { 'config.json': '{"x":1}\n' } });
    expect((await run(['update', '--significant', '--json'])).json().kept).toEqual([]);
    expect(await revs()).toEqual({ a: adapter.first, [key]: third });
  });
});
