import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type FileContent, type Hub, lfs, startHub } from '../support/hub/index.ts';
import { createProject } from '../support/project.ts';

let hub: Hub;
let made = 0;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

const card = (license: string) => `---\nlicense: ${license}\n---\n# Model\n`;

const FILES = { 'config.json': '{}\n', 'a.gguf': lfs('weights') };

async function repository(files: Record<string, FileContent>) {
  made += 1;
  const id = `org/card-${made}`;
  const repo = await hub.createRepo({ type: 'model', id });
  await repo.commit({ files: { ...FILES, ...files } });
  return { repo, id };
}

async function locked(manifest: string) {
  const project = await createProject(hub.endpoint, manifest);
  const { status, stderr } = await project.run(['lock']);
  const lock = async () => JSON.parse((await project.lockText()) ?? '').models;
  return { ...project, status, stderr, lock };
}

/** Requested files, with the number of requests for each. */
function downloads(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { url } of hub.requests) {
    const [, file] = /\/resolve\/[0-9a-f]{40}\/(.*)$/u.exec(url) ?? [];
    if (file !== undefined) counts[file] = (counts[file] ?? 0) + 1;
  }
  return counts;
}

describe('the licence', () => {
  it('is that of README.md at the commit, and costs no request where the file is locked', async () => {
    const { repo, id } = await repository({ 'README.md': card('apache-2.0') });
    const { run, lock } = await locked(`models: { a: ${id} }`);
    expect((await lock()).a.license).toEqual(['apache-2.0']);
    expect(downloads()).toEqual({ 'README.md': 1, 'config.json': 1 });
    await repo.commit({ files: { 'README.md': card('other\nlicense_name: Own') } });
    expect((await run(['lock'])).status).toBe(0);
    expect((await lock()).a.license).toEqual(['apache-2.0']);
    await run(['update']);
    expect((await lock()).a).toMatchObject({ license: ['other'], licenseName: 'Own' });
    await repo.commit({ files: { 'README.md': '# None\n' } });
    await run(['update']);
    expect((await lock()).a).not.toHaveProperty('license');
    expect((await lock()).a).not.toHaveProperty('licenseName');
  });

  it('costs no download when the README is as before', async () => {
    const { repo, id } = await repository({ 'README.md': card('mit') });
    const { run, lock } = await locked(`models: { a: ${id} }`);
    const rev = await repo.commit({ files: { 'config.json': '{"x":1}\n' } });
    hub.clearRequests();
    await run(['update']);
    expect((await lock()).a).toMatchObject({ rev, license: ['mit'] });
    expect(downloads()).toEqual({ 'config.json': 1 });
  });

  it('costs one request where the selection drops the README, shared by all entries', async () => {
    const { id } = await repository({ 'README.md': card('mit') });
    const entry = `{ repo: ${id}, files: [config.json] }`;
    const { lock } = await locked(`models: { a: ${entry}, b: ${entry} }`);
    expect((await lock()).a.license).toEqual(['mit']);
    expect((await lock()).b).toEqual((await lock()).a);
    expect(Object.keys((await lock()).a.files)).toEqual(['config.json']);
    expect(downloads()).toEqual({ 'README.md': 1, 'config.json': 1 });
  });

  it('is read from a README in LFS', async () => {
    const text = card('mit');
    const { id } = await repository({ 'README.md': lfs(text) });
    const { lock } = await locked(`models: { a: ${id} }`);
    const hash = `sha256-${createHash('sha256').update(text).digest('base64')}`;
    expect((await lock()).a).toMatchObject({
      license: ['mit'],
      files: { 'README.md': { hash, lfs: true } },
    });
  });

  it('is absent where no README is', async () => {
    const { id } = await repository({ 'docs/README.md': card('mit'), 'readme.md': card('mit') });
    const { lock } = await locked(`models: { a: ${id} }`);
    expect((await lock()).a).not.toHaveProperty('license');
  });
});

describe('a warning, and no licence,', () => {
  it('for front matter that is not valid YAML', async () => {
    const { id } = await repository({ 'README.md': '---\nlicense: *\u001b[2J\n---\n' });
    const { status, stderr, lock } = await locked(`models: { a: ${id} }`);
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining('warning: models.a: the front matter of README.md is not valid YAML'),
    ]);
    expect(stderr).not.toContain('\u001b');
    expect((await lock()).a).not.toHaveProperty('license');
  });

  it('for a README that is too large to read', async () => {
    const { id } = await repository({ 'README.md': card('mit') + 'x'.repeat(4 * 1024 * 1024) });
    const { status, stderr, lock } = await locked(`models: { a: ${id} }`);
    expect([status, stderr]).toEqual([0, expect.stringContaining('more than 4194304 bytes')]);
    expect((await lock()).a).not.toHaveProperty('license');
  });

  it('for a dropped README that a mirror does not serve', async () => {
    const { id } = await repository({ 'README.md': card('mit') });
    const fault = { kind: 'status' as const, status: 404 };
    const injection = hub.inject({ match: '/README.md', fault, times: Infinity });
    onTestFinished(() => injection.remove());
    const { status, stderr } = await locked(`models: { a: { repo: ${id}, files: [a.gguf] } }`);
    expect([status, stderr]).toEqual([0, expect.stringContaining('README.md was not read')]);
  });
});

it('a README with other bytes than the tree says stops lock, dropped or not', async () => {
  for (const content of [card('mit'), lfs(card('mit'))]) {
    const { id } = await repository({ 'README.md': content });
    const injection = hub.inject({
      match: /README\.md|cdn|sha256/u,
      fault: { kind: 'corrupt' },
      times: Infinity,
    });
    const { status, stderr, lockText } = await locked(
      `models: { a: { repo: ${id}, files: [config.json] } }`,
    );
    injection.remove();
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_INTEGRITY')]);
    expect(await lockText()).toBeUndefined();
  }
});
