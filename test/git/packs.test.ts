import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { chmod, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createPacks, packLimit } from '../../src/git/packs.ts';
import {
  type FileContent,
  type Hub,
  lfs,
  type Repository,
  startHub,
} from '../support/hub/index.ts';
import { inject, injectAlways } from '../support/inject.ts';
import { createProject } from '../support/project.ts';
import { spawnCli } from '../support/spawn-cli.ts';
import { stall } from '../support/stall.ts';
import { tempFolder } from '../support/temp.ts';

const TOKEN = 'test-token-of-the-owner';
const PLAIN = 40;
const MANIFEST = 'models: { wide: org/wide }';

let hub: Hub;
let wide: Repository;
let rev: string;

/** Files of a commit, each with a content of its own. */
const plainFiles = (count: number, salt = ''): [string, FileContent][] =>
  Array.from({ length: count }, (_, index) => [`data/${index}.json`, `{ "${salt}": ${index} }\n`]);

beforeAll(async () => {
  hub = await startHub();
  hub.addToken(TOKEN);
  wide = await hub.createRepo({ type: 'model', id: 'org/wide' });
  rev = await wide.commit({ files: [...plainFiles(PLAIN), ['model.bin', lfs('weights')]] });
  const gated = await hub.createRepo({ type: 'model', id: 'org/gated', gated: 'manual' });
  await gated.commit({ files: plainFiles(PLAIN, 'gated') });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

/** How many files were downloaded one by one, and how many requests git made. */
const counts = () => ({
  files: hub.requests.filter(({ url }) => url.includes('/resolve/')).length,
  git: hub.requests.filter(({ url }) => url.includes('git-upload-pack')).length,
});

/** A project with folders of its own, and its lock with git and without. */
async function project(manifest = MANIFEST) {
  const made = await createProject(hub.endpoint, manifest);
  const home = await tempFolder('home');
  const work = path.join(home, '.cache', 'nix-hug', 'git');
  const env = { PATH: process.env['PATH'] ?? '', HOME: home };
  const lock = async (
    more: Readonly<Record<string, string>> = {},
    argv: readonly string[] = [],
  ) => {
    const { status, stderr } = await made.run(['lock', '--debug', ...argv], {
      home,
      env: { ...env, ...more },
    });
    return { status, stderr, text: await made.lockText() };
  };
  return { ...made, home, work, env, lock };
}

/** The lock that single downloads give. */
async function lockOneByOne(manifest = MANIFEST) {
  const { lock } = await project(manifest);
  const { text } = await lock({ PATH: '' });
  hub.clearRequests();
  return text;
}

/** Repositories of ten files, and the manifest that names them. */
async function manyRepositories(prefix: string, count = 24) {
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  for (const name of names) {
    const repo = await hub.createRepo({ type: 'model', id: `org/${name}` });
    await repo.commit({ files: plainFiles(10, name) });
  }
  const entries = names.map((name) => `${name}: org/${name}`);
  return { manifest: `models: { ${entries.join(', ')} }`, count };
}

/** A program `git` that is a shell script; `$GIT` is the real one. */
async function fakeGit(script: string): Promise<string> {
  const folder = await tempFolder('bin');
  const { PATH = '' } = process.env;
  const file = path.join(folder, 'git');
  const real = 'GIT=$(PATH="$OTHERS" command -v git); export PATH="$OTHERS"';
  await writeFile(file, `#!/bin/sh\nOTHERS='${PATH}'\n${real}\n${script}\n`);
  await chmod(file, 0o755);
  return folder;
}

describe('the decision', () => {
  const files = (count: number, size: number) =>
    Array.from({ length: count }, (_, index) => ({ oid: `${index}`, size }));

  it('takes a pack for many files, and not for a few', () => {
    expect(packLimit(files(100, 10))).toBeGreaterThan(1_000);
    expect(packLimit(files(3, 10))).toBeUndefined();
  });

  it('takes no pack with much that is not wanted', () => {
    const wanted = files(10, 10);
    expect(packLimit(wanted, [...wanted, ...files(1, 100_000)])).toBeDefined();
    expect(packLimit(wanted, [...wanted, ...files(1, 10_000_000)])).toBeUndefined();
    const weights = { oid: 'w', size: 10_000_000, lfs: { sha256: 'x' } };
    expect(packLimit(wanted, [...wanted, weights])).toBeDefined();
    const shards = Array.from({ length: 10_000 }, () => weights);
    expect(packLimit(wanted, [...wanted, ...shards])).toBeUndefined();
  });

  it('takes no pack of a size that a cut makes dear, and none with masked digests', () => {
    expect(packLimit(files(1_000, 10_000_000))).toBeUndefined();
    expect(packLimit(files(100_000, 200), files(100_000, 200))).toBeLessThan(2e8);
    expect(packLimit(files(100_000, 200))).toBeLessThan(2e9);
    const wanted = files(10, 10);
    const masked = { oid: 'w', size: 1, lfs: 'masked' } as const;
    expect(packLimit(wanted, [...wanted, masked])).toBeUndefined();
  });
});

describe('lock by git’s pack', () => {
  it('takes as many requests for any number of files, and writes the same lock', async () => {
    const expected = await lockOneByOne();
    const { lock, work } = await project();
    const { status, text, stderr } = await lock();
    expect([status, text]).toEqual([0, expected]);
    expect(counts()).toEqual({ files: 0, git: 2 });
    expect(hub.requests).toHaveLength(4);
    expect(stderr).toContain('pack of model org/wide: 42 objects');
    expect(await readdir(work)).toEqual([]);
  });

  it('takes at most 8 requests for 2,500 plain files, as add and update do', async () => {
    const repo = await hub.createRepo({ type: 'dataset', id: 'org/huge' });
    await repo.commit({ files: plainFiles(2_500) });
    const { run, home, env } = await project('datasets: {}');
    expect(await run(['add', 'datasets/org/huge'], { home, env })).toMatchObject({ status: 0 });
    expect(hub.requests.length).toBeLessThanOrEqual(8);
    await repo.commit({ files: plainFiles(2_500, 'new') });
    hub.clearRequests();
    expect(await run(['update'], { home, env })).toMatchObject({ status: 0 });
    expect(hub.requests.length).toBeLessThanOrEqual(8);
    expect(counts()).toEqual({ files: 0, git: 2 });
  });

  it('takes the packs of several repositories at once', async () => {
    const { manifest, count } = await manyRepositories('several');
    const expected = await lockOneByOne(manifest);
    const { lock, work } = await project(manifest);
    expect(await lock()).toMatchObject({ status: 0, text: expected });
    expect(counts()).toEqual({ files: 0, git: 2 * count });
    expect(await readdir(work)).toEqual([]);
  });

  it('downloads a few changed files of a large commit one by one', async () => {
    const repo = await hub.createRepo({ type: 'model', id: 'org/moving' });
    await repo.commit({ files: plainFiles(PLAIN) });
    const { lock, run, home, env } = await project('models: { moving: org/moving }');
    await lock();
    hub.clearRequests();
    await repo.commit({ files: { 'data/0.json': '{}' } });
    await run(['update'], { home, env });
    expect(counts()).toEqual({ files: 1, git: 0 });
  });

  it('sends the token as the password of git, and never as an argument or to others', async () => {
    const seen = path.join(await tempFolder(), 'seen');
    const script = `{ tr '\\0' '\\n' < /proc/$$/cmdline; echo ENV; env; } >> '${seen}'\nexec "$GIT" "$@"`;
    const PATH = await fakeGit(script);
    const { lock } = await project('models: { gated: org/gated }');
    const { status, stderr } = await lock({
      PATH,
      HF_TOKEN: TOKEN,
      GIT_DIR: '/nonexistent',
      GIT_CONFIG_GLOBAL: '/nonexistent/config',
      GIT_TRACE_CURL: '1',
      AWS_SECRET: 'secret of another',
    });
    expect([status, counts()]).toEqual([0, { files: 0, git: 2 }]);
    const basic = Buffer.from(`hf_user:${TOKEN}`).toString('base64');
    const authorizations = hub.requests.map(({ authorization }) => authorization);
    expect(authorizations).toContain(`Basic ${basic}`);
    const text = await readFile(seen, 'utf8');
    const args = text.replace(/^ENV$[^]*?(?=^\/bin\/sh$|(?![^]))/gmu, '');
    expect(args).toContain('cat-file');
    expect(args).not.toMatch(/token|Basic/u);
    expect(text).not.toMatch(/HF_TOKEN|AWS_SECRET|GIT_TRACE|GIT_DIR=|nonexistent/u);
    expect(stderr).not.toContain(TOKEN);
    expect(stderr).not.toContain(basic);
  });

  it('reads no configuration of the user, and runs no hook or helper', async () => {
    const made = await project('models: { gated: org/gated }');
    const marker = path.join(made.home, 'ran');
    await writeFile(
      path.join(made.home, '.gitconfig'),
      `[url "file:///nonexistent/"]\n\tinsteadOf = ${hub.endpoint}\n[credential]\n\thelper = "!touch ${marker};"\n`,
    );
    await writeFile(path.join(made.home, '.netrc'), 'machine 127.0.0.1 login u password wrong\n');
    const { status } = await made.lock({ HF_TOKEN: TOKEN });
    expect([status, counts()]).toEqual([0, { files: 0, git: 2 }]);
    expect(await readdir(made.home)).not.toContain('ran');
  });

  it('follows no redirect to another server', async () => {
    let asked = 0;
    const other = createServer((_request, response) => {
      asked += 1;
      response.end();
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    injectAlways(hub, 'git-upload-pack', {
      kind: 'redirect',
      location: `http://127.0.0.1:${port}/org/gated/info/refs`,
    });
    const { lock } = await project('models: { gated: org/gated }');
    expect(await lock({ HF_TOKEN: TOKEN })).toMatchObject({ status: 0 });
    expect([asked, counts().files]).toEqual([0, PLAIN]);
  });

  it('takes the ref when the Hub refuses the commit', async () => {
    const expected = await lockOneByOne();
    inject(hub, { match: '/git-upload-pack', fault: { kind: 'status', status: 500 } });
    const { lock } = await project();
    expect(await lock()).toMatchObject({ status: 0, text: expected });
    expect(counts().files).toBe(0);
  });

  it('tells git the proxy and the certificates', async () => {
    const seen = path.join(await tempFolder(), 'seen');
    const PATH = await fakeGit(`env >> '${seen}'; exit 1`);
    const made = await project();
    const text = ['-----BEGIN CERTIFICATE-----', 'MIIB', '-----END CERTIFICATE-----'].join('\n');
    const pem = path.join(made.home, 'own.pem');
    await writeFile(pem, text);
    const read = async (endpoint: string, no: string) => {
      await writeFile(seen, '');
      const proxy = { http: '', https: 'http://proxy.invalid:1', no };
      const env = { PATH, SSL_CERT_FILE: pem };
      const packs = createPacks({ endpoint, proxy, env, folder: made.work, debug: () => {} });
      const commit = { type: 'model', id: 'org/x', rev, ref: rev } as const;
      const wanted = Array.from({ length: 50 }, () => ({ oid: rev, size: 1 }));
      await packs.read(commit, wanted, undefined, () => {});
      await packs.close();
      return readFile(seen, 'utf8');
    };
    const through = await read('https://hub.invalid', 'other.invalid');
    expect(through).toMatch(/^https_proxy=http:\/\/proxy\.invalid:1$/mu);
    expect(through).toMatch(/^GIT_ALLOW_PROTOCOL=https$/mu);
    expect(through).toMatch(/^GIT_SSL_CAINFO=.*certificates\.pem$/mu);
    expect(await read('https://hub.invalid', '*.invalid')).not.toContain('proxy.invalid');
  });
});

describe('a pack that cannot be used', () => {
  /** Whether the lock is that of single downloads, and why, as `--debug` says. */
  async function expectOneByOne(reason: RegExp, env: Readonly<Record<string, string>> = {}) {
    const expected = await lockOneByOne();
    const { lock, work } = await project();
    const { status, text, stderr } = await lock(env);
    expect([status, text]).toEqual([0, expected]);
    expect(stderr).toMatch(reason);
    expect(counts().files).toBe(PLAIN);
    expect(await readdir(work).catch(() => [])).toEqual([]);
  }
  const BECAUSE = 'pack of model org/wide is not used, its files come one by one: ';

  it('has no git', () => expectOneByOne(/one by one: git .*not found/u, { PATH: '/nonexistent' }));

  it('has a git that fails', async () => {
    const PATH = await fakeGit('echo "fatal: no luck" >&2; exit 1');
    await expectOneByOne(new RegExp(`${BECAUSE}git fatal: no luck`, 'u'), { PATH });
  });

  it('has a git that prints something else', async () => {
    const PATH = await fakeGit('echo junk');
    await expectOneByOne(new RegExp(`${BECAUSE}the pack has no object ${rev}`, 'u'), { PATH });
  });

  it('has a git that ends too early', async () => {
    const PATH = await fakeGit('exit 0');
    await expectOneByOne(new RegExp(`${BECAUSE}git ended too early`, 'u'), { PATH });
  });

  it('has another content than its name says', async () => {
    const script = `case " $* " in *cat-file*) "$GIT" "$@" | sed 's/{ "": 7 }/{ "": 9 }/' ;; *) exec "$GIT" "$@" ;; esac`;
    const PATH = await fakeGit(script);
    const expected = await lockOneByOne();
    const { lock } = await project();
    const { text, stderr } = await lock({ PATH });
    expect(text).toBe(expected);
    expect(stderr).toContain(`${BECAUSE}the pack has 10 bytes with the blob id`);
  });

  it.each([
    ['is not served', { kind: 'status', status: 404 }, /not found/u],
    ['is refused', { kind: 'status', status: 403 }, /403/u],
    ['needs another password', { kind: 'status', status: 401 }, /could not read Username/u],
    ['is a login page', { kind: 'html' }, /one by one: git/u],
    ['is cut', { kind: 'cut', afterBytes: 600 }, /one by one: git/u],
    ['is reset', { kind: 'reset', afterBytes: 600 }, /one by one: git/u],
    ['has wrong bytes', { kind: 'corrupt', at: 2_000 }, /one by one: git/u],
    ['drips', { kind: 'slow', bytesPerSecond: 100 }, /one by one: git/u],
    ['stalls', { kind: 'stall', afterBytes: 600 }, /one by one: git/u],
  ] as const)('%s', async (_title, fault, reason) => {
    injectAlways(hub, 'git-upload-pack', fault);
    await expectOneByOne(reason, { HF_HUB_DOWNLOAD_TIMEOUT: '0.5' });
  });

  it('has an object that git refuses', async () => {
    const repo = await hub.createRepo({ type: 'model', id: 'org/sly' });
    const modules = '[submodule "x"]\n\tpath = x\n\turl = -u./payload\n';
    await repo.commit({ files: [...plainFiles(PLAIN), ['.gitmodules', modules]] });
    const manifest = 'models: { sly: org/sly }';
    const expected = await lockOneByOne(manifest);
    const { lock } = await project(manifest);
    const { text, stderr } = await lock();
    expect([text, counts().files]).toEqual([expected, PLAIN + 1]);
    expect(stderr).toContain('gitmodulesUrl');
  });

  it('belongs to another commit', async () => {
    const repo = await hub.createRepo({ type: 'model', id: 'org/moved' });
    const old = await repo.commit({ files: plainFiles(PLAIN) });
    await repo.commit({ files: plainFiles(PLAIN, 'new') });
    const manifest = 'models: { moved: org/moved }';
    const older = { id: 'org/moved', sha: old };
    injectAlways(hub, '/revision/main', { kind: 'json', body: older });
    const expected = await lockOneByOne(manifest);
    inject(hub, { match: '/git-upload-pack', fault: { kind: 'status', status: 500 } });
    const { lock } = await project(manifest);
    const { text, stderr } = await lock();
    expect(text).toBe(expected);
    expect(stderr).toContain(`the pack has no object ${old}`);
  });

  it('is larger than the tree says', async () => {
    const repo = await hub.createRepo({ type: 'model', id: 'org/large' });
    const large = randomBytes(8 * 1024 * 1024);
    await repo.commit({ files: [...plainFiles(PLAIN), ['hidden.txt', large]] });
    injectAlways(hub, '/tree/', {
      kind: 'json',
      body: (entries: { path: string }[]) => entries.filter((entry) => entry.path !== 'hidden.txt'),
    });
    const { lock, work } = await project('models: { large: org/large }');
    const { status, stderr } = await lock();
    expect([status, counts().files]).toEqual([0, PLAIN]);
    expect(stderr).toContain('pack of model org/large is not used');
    expect(await readdir(work)).toEqual([]);
  });

  it('expands to much more than it has', async () => {
    const repo = await hub.createRepo({ type: 'model', id: 'org/bomb' });
    const zeros = Buffer.alloc(128 * 1024 * 1024);
    await repo.commit({ files: [...plainFiles(PLAIN), ['zeros.txt', zeros]] });
    injectAlways(hub, '/tree/', {
      kind: 'json',
      body: (entries: { path: string; size: number }[]) =>
        entries.map((entry) => (entry.path === 'zeros.txt' ? { ...entry, size: 1 } : entry)),
    });
    const { lock } = await project('models: { bomb: org/bomb }');
    const { status, stderr } = await lock();
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_INTEGRITY')]);
    expect(stderr).toContain('the pack has 134217728 bytes for the object');
  });

  it('disagrees with the tree about an LFS file', async () => {
    injectAlways(hub, '/tree/', {
      kind: 'json',
      body: (entries: { lfs?: { oid: string } }[]) =>
        entries.map((entry) =>
          entry.lfs === undefined
            ? entry
            : { ...entry, lfs: { ...entry.lfs, oid: 'a'.repeat(64) } },
        ),
    });
    await expectOneByOne(/the pointer [0-9a-f]{40} does not have the digest a{64}/u);
  });

  it.each([5, 50])(
    'disagrees with the tree about a size, and the error is that of before',
    async (size) => {
      injectAlways(hub, '/tree/', {
        kind: 'json',
        body: (entries: { path: string; size: number }[]) =>
          entries.map((entry) => (entry.path === 'data/7.json' ? { ...entry, size } : entry)),
      });
      const { lock } = await project();
      const { status, stderr } = await lock();
      expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_INTEGRITY')]);
    },
  );

  it('is not asked for again and again when git does not work', async () => {
    const { manifest, count } = await manyRepositories('some', 30);
    injectAlways(hub, 'git-upload-pack', { kind: 'status', status: 404 });
    const { lock } = await project(manifest);
    expect(await lock()).toMatchObject({ status: 0 });
    expect(counts().files).toBe(10 * count);
    expect(counts().git).toBeLessThan(2 * count - 10);
  });
});

describe('a lock that is interrupted', () => {
  /** Whether processes run that have the folder in their arguments. */
  async function gitRuns(folder: string): Promise<boolean> {
    for (const pid of await readdir('/proc')) {
      const file = `/proc/${pid}/cmdline`;
      const line = /^\d+$/u.test(pid) ? await readFile(file, 'utf8').catch(() => '') : '';
      if (line.includes(folder)) return true;
    }
    return false;
  }

  async function interrupted(signal: NodeJS.Signals, timeout: string) {
    const stalled = stall(hub, '/git-upload-pack');
    const made = await project();
    const env = { HF_ENDPOINT: hub.endpoint, HOME: made.home, XDG_CACHE_HOME: '' };
    const { child, ended } = spawnCli(['lock'], {
      cwd: made.folder,
      env: { ...env, HF_HUB_DOWNLOAD_TIMEOUT: timeout },
    });
    await stalled();
    expect(await gitRuns(made.work)).toBe(true);
    child.kill(signal);
    return { ...made, env, end: await ended };
  }

  it.each(['SIGINT', 'SIGTERM'] as const)('leaves nothing behind after %s', async (signal) => {
    const { end, work, lockText } = await interrupted(signal, '600');
    expect([end.status, end.stderr]).toEqual([130, expect.stringContaining('EHUG_INTERRUPTED')]);
    expect(await gitRuns(work)).toBe(false);
    expect([await readdir(work), await lockText()]).toEqual([[], undefined]);
  });

  it('ends git soon after SIGKILL, and the next run removes what is left', async () => {
    const { end, work, folder, env, lockText } = await interrupted('SIGKILL', '2');
    expect(end.status).toBe(null);
    for (let tries = 0; await gitRuns(work); tries += 1) {
      expect(tries).toBeLessThan(600);
      await sleep(100);
    }
    for (const name of await readdir(work)) await utimes(path.join(work, name), 0, 0);
    const again = await spawnCli(['lock'], { cwd: folder, env }).ended;
    expect([again.status, await readdir(work)]).toEqual([0, []]);
    expect(await lockText()).toBe(await lockOneByOne());
  });

  it('does no harm to another one', async () => {
    const one = await project();
    const other = await createProject(hub.endpoint, MANIFEST);
    const world = { home: one.home, env: one.env };
    const runs = await Promise.all([one.run(['lock'], world), other.run(['lock'], world)]);
    expect(runs.map(({ status }) => status)).toEqual([0, 0]);
    expect(await one.lockText()).toBe(await other.lockText());
    expect(await readdir(one.work)).toEqual([]);
  });
});

describe('locks with and without packs', () => {
  const segment = fc.oneof(
    fc.stringMatching(/^[a-z0-9._ -]{1,8}$/u),
    fc.constantFrom('größe', '数据', '-rf', 'a"b', 'x%20y', '.gitignore', '.mailmap', 'CON'),
  );
  const name = fc
    .array(segment, { minLength: 1, maxLength: 3 })
    .map((segments) => segments.join('/'))
    .filter((text) => text.split('/').every((each) => !/^(?:\.{1,2}|\.git)$/iu.test(each)));
  const content = fc.oneof(
    fc.constant(''),
    fc.string({ maxLength: 40 }),
    fc.constant('line\r\nline\r\n$Id$\n'),
    fc.uint8Array({ maxLength: 60 }),
    fc.constant('version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 1\n'),
  );
  const mode = fc.constantFrom(undefined, '100755', '120000', '160000');

  it('are the same, whatever the repository', async () => {
    let index = 0;
    let packed = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(name, content, mode, fc.boolean()), {
          selector: ([path_]) => path_.toLowerCase().split('/')[0],
          maxLength: 30,
        }),
        async (entries) => {
          const id = `org/generated-${(index += 1)}`;
          const repo = await hub.createRepo({ type: 'model', id });
          const attributes = '* text eol=crlf ident\n*.b filter=lfs working-tree-encoding=UTF-16\n';
          const files = entries.map(([at, bytes, mode_, isLfs]) => {
            if (mode_ === '160000') return [at, rev, mode_] as const;
            if (mode_ !== undefined) return [at, bytes.length > 0 ? bytes : 'x', mode_] as const;
            return [at, isLfs ? lfs(`${at}${String(bytes)}`) : bytes] as const;
          });
          const all = [...plainFiles(8, id), ...files, ['.gitattributes', attributes] as const];
          await repo.commit({ files: all });
          const manifest = `models: { x: ${id} }`;
          const expected = await lockOneByOne(manifest);
          const { lock } = await project(manifest);
          const { status, text, stderr } = await lock();
          expect([status, text]).toEqual([0, expected]);
          if (/: \d+ objects \d+ ms/u.test(stderr)) packed += 1;
        },
      ),
      { numRuns: 25 },
    );
    expect(packed).toBeGreaterThan(12);
  });
});
