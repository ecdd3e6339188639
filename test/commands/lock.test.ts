import { mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';
import { conflictedByGit } from '../support/git-conflict.ts';
import { injectAlways } from '../support/inject.ts';
import { createProject } from '../support/project.ts';
import { runCli } from '../support/run-cli.ts';

const TOKEN = 'test-token-of-the-owner';

const MANIFEST = `
models:
  tiny: org/tiny
  picky:
    repo: org/tiny
    include: ["*.safetensors"]
    exclude: ["onnx/"]
datasets:
  rows: org/rows
`;

let hub: Hub;
let tiny: Repository;
let sha: string;

const project = (manifest = MANIFEST) => createProject(hub.endpoint, manifest);

beforeAll(async () => {
  hub = await startHub();
  hub.addToken(TOKEN);
  tiny = await hub.createRepo({ type: 'model', id: 'org/tiny', aliases: ['tiny'] });
  sha = await tiny.commit({
    files: {
      '.gitattributes': '*.safetensors filter=lfs\n',
      'config.json': '{}\n',
      'empty.txt': '',
      'model.safetensors': lfs('weights'),
      'onnx/model.onnx': lfs('graph'),
      'onnx/model.safetensors': lfs('more weights'),
    },
  });
  const rows = await hub.createRepo({ type: 'dataset', id: 'org/rows' });
  await rows.commit({ files: { 'README.md': '# rows\n', 'data/train.parquet': lfs('rows') } });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

describe('lock', () => {
  it('writes every documented field of a lock', async () => {
    const { run, lockText } = await project();
    const { status, stdout } = await run(['lock']);
    expect(stdout).toContain('hug.lock.json written, 3 entries added (3 in all)');
    expect(status).toBe(0);
    const lock = JSON.parse((await lockText()) ?? '');
    expect(Object.keys(lock)).toEqual(['lockfileVersion', 'models', 'datasets']);
    expect(lock.models.tiny).toEqual({
      repo: 'org/tiny',
      repoId: tiny.internalId,
      ref: 'main',
      rev: sha,
      files: {
        '.gitattributes': expect.objectContaining({ storeName: '_gitattributes' }),
        'config.json': {
          size: 3,
          hash: 'sha256-yj0WO6sFU4GCciYUBWjzvvfqrBh869doeOC2Pp5EI1Y=',
          oid: '0967ef424bce6791893e9a57bb952f80fd536e93',
        },
        'empty.txt': {
          size: 0,
          hash: 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
          oid: 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391',
        },
        'model.safetensors': expect.objectContaining({ size: 7, lfs: true }),
        'onnx/model.onnx': expect.objectContaining({ lfs: true }),
        'onnx/model.safetensors': expect.objectContaining({ lfs: true }),
      },
    });
    expect(lock.models.picky.select).toEqual({ include: ['*.safetensors'], exclude: ['onnx/'] });
    expect(Object.keys(lock.models.picky.files)).toEqual([
      '.gitattributes',
      'config.json',
      'empty.txt',
      'model.safetensors',
    ]);
    expect(Object.keys(lock.datasets.rows.files)).toEqual(['README.md', 'data/train.parquet']);
  });

  it('downloads each plain content once, and no weights', async () => {
    const { run } = await project();
    await run(['lock']);
    const resolved = hub.requests.filter(({ url }) => url.includes('/resolve/'));
    expect(resolved.map(({ url }) => path.posix.basename(url)).toSorted()).toEqual([
      '.gitattributes',
      'README.md',
      'config.json',
      'empty.txt',
    ]);
    expect(hub.requests.filter(({ origin }) => origin === 'cdn')).toEqual([]);
  });

  it('writes the same bytes in another folder, and for any order of responses', async () => {
    const [here, there] = [await project(), await project()];
    await here.run(['lock']);
    hub.options.treeOrder = 'shuffled';
    hub.options.extraTreeField = { popularity: 7 };
    await there.run(['lock']);
    hub.options.treeOrder = 'hub';
    hub.options.extraTreeField = {};
    expect(await there.lockText()).toBe(await here.lockText());
  });

  it('writes nothing and sends no request when the lock is current', async () => {
    const { run, lockIdentity } = await project();
    await run(['lock']);
    const before = await lockIdentity();
    hub.clearRequests();
    const { status, stdout, json } = await run(['lock', '--json']);
    expect([status, json()]).toEqual([0, { changed: false, entries: [] }]);
    expect(stdout).not.toContain('written');
    expect(hub.requests).toEqual([]);
    expect(await lockIdentity()).toEqual(before);
  });

  it('resolves only a changed entry, and keeps the commit of the others', async () => {
    const { run, manifest, lockText } = await project();
    await run(['lock']);
    const before = JSON.parse((await lockText()) ?? '');
    const rows = await hub.createRepo({ type: 'dataset', id: 'org/other' });
    await rows.commit({ files: { 'x.txt': 'x' } });
    await tiny.commit({ branch: 'dev', files: { 'new.txt': 'new' } });
    await manifest(MANIFEST.replace('org/rows', 'org/other'));
    hub.clearRequests();
    const { json } = await run(['lock', '--json']);
    expect(json().entries).toEqual([
      expect.objectContaining({
        name: 'rows',
        type: 'dataset',
        added: ['x.txt'],
        downloadBytes: 1,
      }),
    ]);
    expect(hub.requests.every(({ url }) => url.includes('org/other'))).toBe(true);
    expect(JSON.parse((await lockText()) ?? '').models).toEqual(before.models);
  });

  it('warns of entries with one branch at two commits', async () => {
    const moving = await hub.createRepo({ type: 'model', id: 'org/moving' });
    await moving.commit({ files: { 'config.json': '{"v":0}' } });
    const { run, manifest } = await project('models: { a: org/moving }');
    expect((await run(['lock'])).stderr).not.toContain('warning');
    await moving.commit({ files: { 'new.json': '1' } });
    await manifest('models: { a: org/moving, b: { repo: org/moving, files: [new.json] } }');
    const { status, stderr } = await run(['lock']);
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining(
        'warning: models.a and models.b have main of org/moving at different commits',
      ),
    ]);
    expect((await run(['lock', '--offline'])).stderr).toContain('different commits');
  });

  it('removes an entry that the manifest no longer has, without a request', async () => {
    const { run, manifest, lockText } = await project();
    await run(['lock']);
    await manifest('models: { tiny: org/tiny }');
    hub.clearRequests();
    const { stdout } = await run(['lock']);
    expect(stdout).toContain('- `models.picky` removed');
    expect(hub.requests).toEqual([]);
    expect(JSON.parse((await lockText()) ?? '').datasets).toEqual({});
  });

  it('shows the plan of a dry run, and writes nothing', async () => {
    const { run, lockText } = await project();
    const { stdout, status } = await run(['lock', '--dry-run']);
    expect(stdout).toContain('would change');
    expect(stdout).toContain(
      `- \`models.tiny\` added: \`org/tiny\` at \`main\` (${sha.slice(0, 12)}), 6 files`,
    );
    expect([status, await lockText()]).toEqual([0, undefined]);
  });

  it('downloads no unchanged file when its entry changes', async () => {
    const { run, manifest } = await project('models: { tiny: org/tiny }');
    await run(['lock']);
    await manifest('models: { tiny: { repo: org/tiny, include: ["*.onnx"] } }');
    hub.clearRequests();
    await run(['lock']);
    expect(hub.requests.filter(({ url }) => url.includes('/resolve'))).toEqual([]);
  });

  it('locks canonical ids, tags, pull requests, slashes, commits and ranges', async () => {
    const shas: string[] = [];
    for (const tag of ['1.0.0', 'v1.2.0', '1.3.0', 'v2.0.0', 'nightly']) {
      shas.push(await tiny.commit({ branch: 'releases', files: { VERSION: tag } }));
      await tiny.tag(tag, shas.at(-1) ?? '', { annotated: tag.startsWith('v') });
    }
    await tiny.pullRequest(1, shas[0] ?? '');
    await tiny.branch('feat/x', shas[1] ?? '');
    const { run, lockText } = await project(`
models:
  canonical: tiny
  cased: Org/Tiny
  tag: { repo: org/tiny, ref: v1.2.0 }
  pull: { repo: org/tiny, ref: refs/pr/1 }
  slash: { repo: org/tiny, ref: feat/x }
  commit: { repo: org/tiny, ref: ${sha} }
  range: { repo: org/tiny, version: ^1.2 }
  plain: { repo: hf:org/tiny, version: 1.0.x }
`);
    expect((await run(['lock'])).stderr).not.toContain('error');
    const { models } = JSON.parse((await lockText()) ?? '');
    const brief = Object.fromEntries(
      Object.entries<any>(models).map(([name, { requested, version, ref, rev }]) => [
        name,
        [requested, version, ref, [sha, ...shas].indexOf(rev)],
      ]),
    );
    expect(brief).toEqual({
      canonical: ['tiny', undefined, 'main', 0],
      cased: ['Org/Tiny', undefined, 'main', 0],
      tag: [undefined, undefined, 'v1.2.0', 2],
      pull: [undefined, undefined, 'refs/pr/1', 1],
      slash: [undefined, undefined, 'feat/x', 2],
      commit: [undefined, undefined, sha, 0],
      range: [undefined, '^1.2', '1.3.0', 3],
      plain: [undefined, '1.0.x', '1.0.0', 1],
    });
  });

  it('locks all files of a repository of 2,500 files', async () => {
    const many = await hub.createRepo({ type: 'model', id: 'org/many' });
    await many.commit({
      files: Array.from({ length: 2_500 }, (_, index) => [
        `shards/${index % 50}/${index}.bin`,
        lfs(`shard ${index}`),
      ]),
    });
    const { run, lockText } = await project('models: { many: org/many }');
    await run(['lock']);
    const { files } = JSON.parse((await lockText()) ?? '').models.many;
    expect(Object.keys(files).length).toBe(2_500);
  });

  it('warns about a glob that matches nothing', async () => {
    const { run } = await project(
      'models: { a: { repo: org/tiny, include: ["*.gguf", "*.onnx"] } }',
    );
    const { stderr, status } = await run(['lock']);
    expect(stderr).toContain('warning: models.a: include "*.gguf" matches no LFS file');
    expect(stderr).not.toContain('*.onnx');
    expect(status).toBe(0);
  });

  it('uses the endpoint of the manifest, unless HF_ENDPOINT is set', async () => {
    const wrong = 'http://127.0.0.1:9';
    const { run, lockText } = await project(`endpoint: ${wrong}/\n${MANIFEST}`);
    expect((await run(['lock'])).status).toBe(0);
    expect(JSON.parse((await lockText()) ?? '').endpoint).toBe(wrong);
    const { run: other } = await project(`endpoint: ${hub.endpoint}\n${MANIFEST}`);
    expect((await other(['lock'], { env: { HF_ENDPOINT: undefined } })).status).toBe(0);
  });

  it('refuses an HF_ENDPOINT with a password without showing it', async () => {
    const { run } = await project();
    const env = { HF_ENDPOINT: 'http://user:s3cret-word@127.0.0.1:9' };
    const { status, stdout, stderr } = await run(['lock'], { env });
    expect([status, stderr]).toEqual([2, expect.stringContaining('HF_ENDPOINT must not hold')]);
    expect(stdout + stderr).not.toContain('s3cret');
  });

  it('finds the manifest from a subfolder, and by --manifest', async () => {
    const { folder, run } = await project();
    const below = path.join(folder, 'a', 'b');
    await mkdir(below, { recursive: true });
    expect((await run(['lock'], { cwd: below })).stdout).toContain('../../hug.lock.json written');
    await rename(path.join(folder, 'hug.yaml'), path.join(folder, 'models.yaml'));
    await rename(path.join(folder, 'hug.lock.json'), path.join(folder, 'models.lock.json'));
    expect((await run(['--manifest', 'models.yaml', 'lock', '--check'])).status).toBe(0);
    expect((await run(['lock', '--check', '-C', folder, '--manifest', 'models.yaml'])).status).toBe(
      0,
    );
    const { status, stderr } = await run(['lock']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('EHUG_MANIFEST_MISSING')]);
  });
});

describe('lock --check', () => {
  it('exits 0 for a current lock, offline', async () => {
    const { run } = await project();
    await run(['lock']);
    hub.clearRequests();
    const { status, json } = await run(['lock', '--check', '--json', '--offline']);
    expect([status, json()]).toEqual([0, { upToDate: true, reasons: [] }]);
    expect(hub.requests).toEqual([]);
  });

  it.each([
    ['tiny: org/tiny', 'tiny: org/other', 'models.tiny: repo changed'],
    ['tiny: org/tiny', 'tiny: { repo: org/tiny, ref: dev }', 'models.tiny: ref changed'],
    ['tiny: org/tiny', 'tiny: { repo: org/tiny, version: "1" }', 'models.tiny: version changed'],
    [
      'tiny: org/tiny',
      'tiny: { repo: org/tiny, files: [config.json] }',
      'models.tiny: files changed',
    ],
    ['["*.safetensors"]', '["*.bin"]', 'models.picky: include changed'],
    ['["onnx/"]', '["x/"]', 'models.picky: exclude changed'],
    ['rows: org/rows', 'lines: org/rows', 'datasets.lines: is not locked'],
    ['rows: org/rows', 'lines: org/rows', 'datasets.rows: is not in the manifest any more'],
    ['models:', 'endpoint: https://hub.example\nmodels:', 'endpoint changed'],
  ])('%s to %s: %s', async (from, to, reason) => {
    const { run, manifest, lockText } = await project();
    await run(['lock']);
    const before = await lockText();
    await manifest(MANIFEST.replace(from, to));
    hub.clearRequests();
    const { status, stdout } = await run(['lock', '--check']);
    expect([status, stdout]).toEqual([3, expect.stringContaining(reason)]);
    expect(stdout).toContain('run nix-hug lock');
    expect(hub.requests).toEqual([]);
    expect(await lockText()).toBe(before);
  });

  it('reports a missing lock and one that is not canonical; lock rewrites both', async () => {
    const { run, lockText, writeLock } = await project();
    const missing = await run(['lock', '--check', '--json']);
    expect([missing.status, missing.json().reasons]).toEqual([
      3,
      [{ entry: null, type: null, reason: 'there is no lock' }],
    ]);
    await run(['lock']);
    const canonical = await lockText();
    await writeLock(JSON.stringify(JSON.parse(canonical ?? '')));
    const loose = await run(['lock', '--check']);
    expect([loose.status, loose.stdout]).toEqual([
      3,
      expect.stringContaining('not in canonical form'),
    ]);
    hub.clearRequests();
    await run(['lock']);
    expect(await lockText()).toBe(canonical);
    expect(hub.requests).toEqual([]);
  });
});

describe('a lock that an editor saved otherwise', () => {
  it.each([
    ['a byte order mark', (text: string) => `\uFEFF${text}`],
    ['CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
    ['both', (text: string) => `\uFEFF${text.replaceAll('\n', '\r\n')}`],
  ])('with %s is not canonical; lock writes it again without a request', async (_, edited) => {
    const { run, lockText, writeLock } = await project();
    await run(['lock']);
    const canonical = (await lockText()) ?? '';
    await writeLock(edited(canonical));
    hub.clearRequests();
    const check = await run(['lock', '--check']);
    expect(check.status).toBe(3);
    expect(check.stdout).toContain('not in canonical form');
    expect(check.stdout + check.stderr).not.toContain('delete');
    expect((await run(['ls'])).status).toBe(0);
    expect((await run(['lock'])).status).toBe(0);
    expect(hub.requests).toEqual([]);
    expect(await lockText()).toBe(canonical);
    expect((await run(['lock', '--check'])).status).toBe(0);
  });

  it('with invalid UTF-8 is refused', async () => {
    const { run, lockText, folder } = await project();
    await run(['lock']);
    const text = ((await lockText()) ?? '').replace('config.json', 'conf\u00ffg.json');
    await writeFile(path.join(folder, 'hug.lock.json'), text, 'latin1');
    const { status, stderr } = await run(['lock', '--check']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('is not UTF-8 text')]);
  });
});

it('escapes formatting characters of a ref in what lock and outdated print', async () => {
  const ref = 'v\u202e1';
  await tiny.tag(ref, sha);
  const { run, manifest } = await project(`models: { tiny: { repo: org/tiny, ref: "${ref}" } }\n`);
  for (const command of ['lock', 'ls', 'outdated']) {
    const { status, stdout } = await run([command]);
    expect([status, stdout.includes('\u202e')]).toEqual([0, false]);
    if (command !== 'outdated') expect(stdout).toContain(String.raw`v\u202e1`);
  }
  await manifest('models: { tiny: org/tiny }\n');
  const { status, stdout } = await run(['lock', '--check']);
  expect([status, stdout.includes('\u202e')]).toEqual([3, false]);
});

describe('two manifests in one folder', () => {
  it('have a lock each', async () => {
    const { run, lockText, folder } = await project();
    await run(['lock']);
    const first = await lockText();
    await writeFile(path.join(folder, 'dev.yaml'), 'datasets: { rows: org/rows }\n');
    await writeFile(path.join(folder, 'v1.2.yml'), 'models: { tiny: org/tiny }\n');
    const dev = await run(['lock', '--manifest', 'dev.yaml']);
    expect(dev.stdout).toContain('dev.lock.json written, 1 entry added (1 in all)');
    expect((await run(['lock', '--manifest', 'v1.2.yml'])).status).toBe(0);
    expect((await readdir(folder)).filter((name) => name.endsWith('.lock.json'))).toEqual([
      'dev.lock.json',
      'hug.lock.json',
      'v1.2.lock.json',
    ]);
    expect(await lockText()).toBe(first);
    expect((await run(['lock', '--check'])).status).toBe(0);
    expect((await run(['ls', '--manifest', 'dev.yaml'])).stdout).toContain('datasets.rows');
  });
});

describe('an error leaves the previous lock as it is', () => {
  /** A locked project whose next `lock` has something to do. */
  async function stale() {
    const made = await project('models: { tiny: org/tiny }');
    await made.run(['lock']);
    await made.manifest(MANIFEST);
    const before = { text: await made.lockText(), identity: await made.lockIdentity() };
    return {
      ...made,
      fails: async (status: number, ...words: string[]) => {
        const run = await made.run(['lock']);
        for (const word of words) expect(run.stderr).toContain(word);
        expect(run.status).toBe(status);
        expect({ text: await made.lockText(), identity: await made.lockIdentity() }).toEqual(
          before,
        );
        expect(await readdir(made.folder)).toEqual(['hug.lock.json', 'hug.yaml']);
      },
    };
  }

  it('a gated tree whose digests are masked', async () => {
    const id = 'org/gated';
    const gated = await hub.createRepo({ type: 'model', id, gated: 'manual' });
    await gated.commit({ files: { 'README.md': 'x', 'w.bin': lfs('w') } });
    const { manifest, fails } = await stale();
    await manifest(`models: { gated: ${id} }`);
    await fails(
      1,
      'error EHUG_GATED: models.gated: model org/gated is gated',
      `${hub.endpoint}/${id}`,
    );
    const { run, folder, manifest: rewrite, lockText } = await project();
    await rewrite(`models: { gated: ${id} }`);
    await writeFile(path.join(folder, 'token'), TOKEN);
    const { stderr: refused } = await run(['lock']);
    expect(refused.split('\n').length).toBe(3);
    const env = { HF_TOKEN_PATH: 'token' };
    const { status, stdout, stderr } = await run(['-C', folder, 'lock', '--debug'], {
      cwd: '/',
      env,
    });
    expect(status).toBe(0);
    expect(`${stdout}${stderr}${await lockText()}`).not.toContain(TOKEN);
  });

  it('a small file whose bytes do not match its blob id', async () => {
    const { fails } = await stale();
    injectAlways(hub, '/api/resolve-cache/', { kind: 'corrupt' });
    await fails(1, 'EHUG_INTEGRITY', 'README.md', 'git blob id');
  });

  it('a tree page that repeats', async () => {
    const { fails } = await stale();
    injectAlways(hub, '/tree/', { kind: 'paging', next: 'same' });
    await fails(1, 'EHUG_PROTOCOL', 'repeats');
  });

  it('a path with ..', async () => {
    const { fails } = await stale();
    const entry = { type: 'file', path: '../../etc/passwd', oid: '0'.repeat(40), size: 1 };
    injectAlways(hub, '/tree/', { kind: 'json', body: [entry] });
    await fails(1, 'EHUG_UNSAFE_PATH', '".."', '../../etc/passwd');
  });

  it('a 429 with a wait that is too long', async () => {
    const { fails } = await stale();
    injectAlways(hub, '/api/', {
      kind: 'status',
      status: 429,
      headers: { 'retry-after': '100000' },
    });
    await fails(1, 'EHUG_RATE_LIMIT');
  });

  it('a connection that is cut again and again', async () => {
    const { fails } = await stale();
    injectAlways(hub, '/tree/', { kind: 'cut', afterBytes: 5 });
    await fails(1, 'EHUG_NETWORK', hub.endpoint);
  });

  it('a manifest with five mistakes', async () => {
    const { manifest, fails } = await stale();
    await manifest(`models:
  1bad: org/tiny
  a: { repo: org/tiny, includes: ["*"] }
  b: { repo: org/tiny, ref: 1234567 }
  c: { repo: datasets/org/rows }
  d: { repo: org/tiny, include: ["!*.bin"] }
`);
    await fails(
      2,
      'EHUG_MANIFEST_INVALID',
      'hug.yaml:2:3',
      'hug.yaml:3:24',
      'did you mean "include"',
      'hug.yaml:4:29',
      'quote it',
      'hug.yaml:5:14',
      'hug.yaml:6:34',
      'exclude',
    );
  });

  it('an empty selection, a missing file, a range without a tag', async () => {
    const { manifest, fails } = await stale();
    await manifest('models: { a: { repo: org/tiny, files: [nope.bin] } }');
    await fails(1, 'EHUG_SELECTION', 'nope.bin');
    await manifest('datasets: { a: { repo: org/rows, version: ^9 } }');
    await fails(1, 'EHUG_VERSION', '^9');
  });

  it('several entries that fail are all reported', async () => {
    const { manifest, fails } = await stale();
    await manifest('models: { a: org/no, b: org/tiny, c: { repo: org/tiny, ref: nope } }');
    await fails(
      1,
      'EHUG_REPO_NOT_FOUND: models.a',
      '  models.c: model org/tiny has no revision "nope"',
    );
  });

  it('no network', async () => {
    const { run, lockText } = await stale();
    const before = await lockText();
    hub.clearRequests();
    for (const world of [{ env: { HF_HUB_OFFLINE: '1' } }, {}]) {
      const { status, stderr } = await run(['lock', ...(world.env ? [] : ['--offline'])], world);
      expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_OFFLINE')]);
      expect(stderr).toContain('models.picky, datasets.rows');
    }
    expect(hub.requests).toEqual([]);
    expect(await lockText()).toBe(before);
  });
});

describe('invalid locks', () => {
  it('of a newer format are refused', async () => {
    const { run, writeLock, lockText } = await project();
    await writeLock('{ "lockfileVersion": 3 }\n');
    for (const argv of [['lock'], ['lock', '--check']]) {
      const { status, stderr } = await run(argv);
      expect([status, stderr]).toEqual([2, expect.stringContaining('EHUG_LOCK_NEWER')]);
      expect(stderr).toContain('Upgrade nix-hug');
    }
    expect(await lockText()).toBe('{ "lockfileVersion": 3 }\n');
  });

  it('with conflict markers are repaired when both sides parse', async () => {
    const { run, manifest, lockText, writeLock } = await project('models: { tiny: org/tiny }');
    await run(['lock']);
    const ours = (await lockText()) ?? '';
    await manifest('datasets: { rows: org/rows }');
    await run(['lock']);
    const theirs = (await lockText()) ?? '';
    await manifest('models: { tiny: org/tiny }\ndatasets: { rows: org/rows }');
    await writeLock(`<<<<<<< HEAD\n${ours}=======\n${theirs}>>>>>>> other\n`);
    const check = await run(['lock', '--check']);
    expect([check.status, check.stdout]).toEqual([3, expect.stringContaining('conflict markers')]);
    hub.clearRequests();
    const { status } = await run(['lock']);
    expect(status).toBe(0);
    expect(hub.requests).toEqual([]);
    expect((await run(['lock', '--check'])).status).toBe(0);
    expect(Object.keys(JSON.parse((await lockText()) ?? '').models)).toEqual(['tiny']);
  });

  it.each(['lock', 'update'])(
    'with conflict markers never mix the files of two commits: %s',
    async (command) => {
      const id = `org/mixed-${command}`;
      const repo = await hub.createRepo({ type: 'model', id });
      const files = Array.from({ length: 12 }, (_, index) => `file-${String(index + 10)}.bin`);
      const commit = (changed: Record<string, string>) =>
        repo.commit({
          files: Object.fromEntries(files.map((file) => [file, lfs(changed[file] ?? file)])),
        });
      const manifest = `models: { mixed: ${id} }`;
      const lockAt = async (changed: Record<string, string>) => {
        await commit(changed);
        const { run, lockText } = await project(manifest);
        await run(['lock']);
        return (await lockText()) ?? '';
      };
      const base = await lockAt({});
      const ours = await lockAt({ 'file-13.bin': 'B' });
      const theirs = await lockAt({ 'file-13.bin': 'B', 'file-19.bin': 'C' });
      const { run, lockText, writeLock } = await project(manifest);
      const text = await conflictedByGit('merge', [base, ours, theirs]);
      expect(text).not.toBe(ours);
      await writeLock(text);
      const offline = await run([command, '--offline']);
      expect([offline.status, offline.stderr]).toEqual([
        1,
        expect.stringContaining('EHUG_OFFLINE'),
      ]);
      expect(await lockText()).toBe(text);
      expect((await run([command])).status).toBe(0);
      expect(await lockText()).toBe(command === 'lock' ? ours : theirs);
    },
  );

  it('with conflict markers are an error when a side does not parse', async () => {
    const { run, writeLock, lockText } = await project();
    const broken = '<<<<<<< HEAD\n{}\n=======\n{\n>>>>>>> other\n';
    await writeLock(broken);
    const { status, stderr } = await run(['lock']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('EHUG_LOCK_CONFLICT')]);
    expect(await lockText()).toBe(broken);
  });

  it('that do not match the schema are refused', async () => {
    const { run, writeLock } = await project();
    await writeLock('{');
    expect((await run(['lock'])).status).toBe(2);
  });

  it('that are symbolic links are read, but neither they nor their targets are written', async () => {
    const { run, folder, manifest } = await project();
    await run(['lock']);
    const target = path.join(folder, 'precious');
    await rename(path.join(folder, 'hug.lock.json'), target);
    const before = await readFile(target, 'utf8');
    await symlink('precious', path.join(folder, 'hug.lock.json'));
    for (const argv of [['lock', '--check'], ['lock'], ['ls']]) {
      expect((await run(argv)).status, argv.join(' ')).toBe(0);
    }
    await manifest('');
    const { status, stderr } = await run(['lock']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_LOCK_NOT_A_FILE')]);
    expect(await readFile(target, 'utf8')).toBe(before);
  });
});

describe('a Hub that the manifest does not name', () => {
  const warned = async (manifest: string, env: Record<string, string>, ...argv: string[]) => {
    const { folder } = await createProject(hub.endpoint, manifest);
    const { status, stderr } = await runCli(['lock', ...argv], { cwd: folder, env });
    expect(status).toBe(0);
    return stderr;
  };
  const TINY = 'models: { tiny: org/tiny }\n';
  const HF_ENDPOINT = () => ({ HF_ENDPOINT: hub.endpoint });

  it('is a warning, since nix build will ask another', async () => {
    expect(await warned(TINY, HF_ENDPOINT())).toContain(
      `warning: locked from ${hub.endpoint} (HF_ENDPOINT), but nix build will ask https://huggingface.co; set "endpoint" in the manifest to change that\n`,
    );
    const other = `endpoint: https://hub.example\n${TINY}`;
    expect(await warned(other, HF_ENDPOINT())).toContain('nix build will ask https://hub.example;');
  });

  it('is none where the manifest names it, or nothing is locked', async () => {
    const named = `endpoint: ${hub.endpoint}\n${TINY}`;
    expect(await warned(named, HF_ENDPOINT())).not.toContain('warning');
    expect(await warned(named, {})).not.toContain('warning');
    expect(await warned('models:\n', HF_ENDPOINT())).not.toContain('warning');
  });
});

describe('several entries that fail', () => {
  it('have a hint each', async () => {
    const { run } = await project(`
models:
  a: { repo: org/tiny, ref: none }
  b: { repo: org/tiny, files: [none.bin] }
  c: org/none
`);
    const { status, stderr } = await run(['lock']);
    expect(status).toBe(1);
    const lines = stderr.split('\n').filter((line) => /hint|models\.[abc]: [^\d]/u.test(line));
    expect(lines.map((line) => line.replace(/(?:error \S+ )?(models\.[abc]): .*/u, '$1'))).toEqual([
      'models.a',
      '  models.b',
      expect.stringMatching(/^ {4}hint: ./u),
      '  models.c',
      expect.stringMatching(/^ {4}hint: ./u),
      expect.stringMatching(/^hint: ./u),
    ]);
  });
});

describe('output', () => {
  it('is one JSON document on stdout with --json, for errors too', async () => {
    const { run, manifest } = await project();
    const done = await run(['lock', '--json', '--debug']);
    expect(done.json()).toEqual({
      changed: true,
      entries: [
        expect.objectContaining({ name: 'picky', type: 'model', from: null }),
        expect.objectContaining({
          name: 'tiny',
          to: { ref: 'main', rev: sha },
          removed: [],
          modified: [],
        }),
        expect.objectContaining({ name: 'rows', type: 'dataset' }),
      ],
    });
    expect(done.stderr).toContain(`GET /api/models/org/tiny/revision/main 200`);
    await manifest('nonsense: 1');
    const failed = await run(['lock', '--json']);
    expect(failed.json().error).toEqual(
      expect.objectContaining({ code: 'EHUG_MANIFEST_INVALID', message: expect.any(String) }),
    );
    expect(failed.json().error).toHaveProperty('hint');
  });

  it('has no colours and no live display on a pipe, and with --quiet the result alone', async () => {
    const { run } = await project();
    const { stdout, stderr } = await run(['lock']);
    expect(stdout + stderr).not.toContain('\u001b');
    expect(stderr.split('\n').toSorted()).toEqual([
      '',
      'datasets.rows: 2 of 2 files',
      'models.picky: 4 of 4 files',
      'models.tiny: 6 of 6 files',
      expect.stringMatching(/^next: nix-hug fetch .* nix-hug export /u),
    ]);
    const { run: quiet } = await project();
    const silent = await quiet(['lock', '--quiet']);
    expect([silent.status, silent.stdout, silent.stderr]).toEqual([0, stdout, '']);
  });

  it('escapes control characters of the Hub', async () => {
    injectAlways(hub, '/revision/', { kind: 'status', status: 400, body: 'a\u001b]0;pwn\u0007b' });
    const { run } = await project();
    const { stderr } = await run(['lock']);
    expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/u);
    expect(stderr).toContain('pwn');
  });

  it('never shows the token, even when the Hub sends it back', async () => {
    injectAlways(hub, '/revision/', { kind: 'status', status: 400, body: `bad token ${TOKEN}` });
    const { run } = await project();
    const { stdout, stderr, status } = await run(['lock', '--debug'], { env: { HF_TOKEN: TOKEN } });
    expect(status).toBe(1);
    expect(stderr).toContain('bad token ***');
    expect(stdout + stderr).not.toContain(TOKEN);
  });

  it('reports an interrupt', async () => {
    const controller = new AbortController();
    hub.options.latencyMs = 200;
    onTestFinished(() => void (hub.options.latencyMs = 0));
    const { run, lockText } = await project();
    setTimeout(() => controller.abort(), 50);
    const { status, stderr } = await run(['lock'], { signal: controller.signal });
    expect([status, stderr]).toEqual([130, expect.stringContaining('EHUG_INTERRUPTED')]);
    expect(await lockText()).toBeUndefined();
  });
});

describe('usage', () => {
  it.each([
    [['frobnicate'], 'unknown command'],
    [['help', 'frobnicate'], "unknown command 'frobnicate'"],
    [['lock', '--chekc'], 'hint: Did you mean --check?\n'],
    [['lock', '--concurrency', '0'], 'concurrency'],
    [['lock', 'extra'], 'too many arguments'],
  ])('%o', async (argv, message) => {
    const { run } = await project();
    const { status, stderr } = await run(argv);
    expect([status, stderr]).toEqual([2, expect.stringContaining('EHUG_USAGE')]);
    expect(stderr).toContain(message);
    const json = await run([...argv, '--json']);
    expect(json.json().error.code).toBe('EHUG_USAGE');
  });

  it('shows its help when no command is given', async () => {
    const { run } = await project();
    const { status, stdout, stderr } = await run([]);
    expect([status, stdout, stderr]).toEqual([2, '', expect.stringContaining('Usage: nix-hug')]);
    expect((await run(['--json'])).json().error.code).toBe('EHUG_USAGE');
  });

  it('prints help and version', async () => {
    const { run } = await project();
    const help = await run(['--help']);
    expect([help.status, help.stdout]).toEqual([0, expect.stringContaining('lock')]);
    const version = await run(['--version']);
    expect([version.status, version.stdout]).toEqual([
      0,
      expect.stringMatching(/^\d+\.\d+\.\d+\n$/u),
    ]);
  });
});
