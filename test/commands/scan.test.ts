import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lfs, startHub } from '../support/hub/index.ts';
import { describeNix, LIBRARY, type Nix, nixString, PKGS } from '../support/nix.ts';
import { createProject } from '../support/project.ts';
import { callPython, pythonClients } from '../support/python.ts';
import { runCli } from '../support/run-cli.ts';
import { spawnCli } from '../support/spawn-cli.ts';
import { tempFolder } from '../support/temp.ts';

const REV = 'c'.repeat(40);
const NO_NIX = { PATH: '/nonexistent' };

const scan = (cache: string, env: Readonly<Record<string, string>>, ...options: string[]) =>
  runCli(['scan', ...options], { cwd: '/', env: { ...env, HF_HUB_CACHE: cache } });

async function put(file: string, content: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
}

/** `[repo, first digits of the commit, whether it is in the store]` of each revision. */
async function stored(cache: string, env: Readonly<Record<string, string>>): Promise<unknown[]> {
  const { status, stderr, json } = await scan(cache, env, '--json');
  expect([status, stderr]).toEqual([0, '']);
  return json().revisions.map(({ repo, rev, inStore }: any) => [repo, rev.slice(0, 4), inStore]);
}

describe('scan', () => {
  it('reports that there is no cache', async () => {
    const cache = `${await tempFolder()}/\u001bx`;
    const { status, stdout } = await scan(cache, NO_NIX);
    const shown = cache.replace('\u001b', '\\u001b');
    expect([status, stdout]).toEqual([0, `there is no Hugging Face cache at ${shown}\n`]);
    expect((await scan(cache, NO_NIX, '--json')).json()).toEqual({
      cache,
      found: false,
      size: 0,
      revisions: [],
      problems: [],
    });
  });

  it.runIf(process.platform === 'linux')(
    'prints the latest date for a file that is later',
    async () => {
      // A file system of its own for it: not all have such times.
      const cache = await mkdtemp('/dev/shm/nix-hug-');
      onTestFinished(() => rm(cache, { recursive: true }));
      const file = path.join(cache, 'models--org--name/snapshots', REV, 'config.json');
      await put(file, '{}');
      await promisify(execFile)('touch', ['-d', '@9000000000000000', file]);
      const { status, json } = await scan(cache, NO_NIX, '--json');
      expect(status).toBe(0);
      expect(json().revisions[0].modified).toBe('+275760-09-13T00:00:00.000Z');
    },
  );

  it('fails when the cache is not a folder', async () => {
    const { status, stderr } = await scan('/dev/null', NO_NIX);
    expect(status).toBe(1);
    expect(stderr).toContain('error EHUG_FILE_SYSTEM: the cache /dev/null cannot be read: ENOTDIR');
  });

  it('lists the cache without Nix', async () => {
    const cache = await tempFolder('hub');
    const repo = path.join(cache, 'models--org--na me');
    await put(path.join(repo, 'snapshots', REV, 'config.json'), '{}');
    await put(path.join(repo, 'snapshots', REV, 'a/b.bin'), 'x'.repeat(1998));
    await put(path.join(repo, 'refs/main'), REV);
    await put(path.join(repo, 'refs/refs/pr/1'), REV);
    await put(path.join(cache, 'datasets--squad/snapshots', REV, 'x'), '');
    const { status, stdout, stderr } = await scan(cache, NO_NIX);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      'squad      dataset  cccccccccccc   0 B   1 file  -',
      'org/na me  model    cccccccccccc  2 kB  2 files  -  main, refs/pr/1',
      `2 revisions of 2 repositories, 2 kB in ${cache}`,
      '',
      '1 problem:',
      '  folders whose names are not those of repositories; scan reads "--" in a name as "/"',
      '    models--org--na me: org/na me',
      '',
    ]);
    expect((await scan(cache, NO_NIX, '--json')).json()).toEqual({
      cache,
      found: true,
      size: 2000,
      revisions: [
        expect.objectContaining({ repo: 'squad', type: 'dataset', size: 0, files: 1, refs: [] }),
        {
          repo: 'org/na me',
          type: 'model',
          rev: REV,
          size: 2000,
          files: 2,
          inStore: null,
          refs: ['main', 'refs/pr/1'],
          modified: expect.stringMatching(/^20\d\d-.+Z$/u),
          folder: `${repo}/snapshots/${REV}`,
        },
      ],
      problems: [{ kind: 'unclear-id', path: 'models--org--na me', detail: 'org/na me' }],
    });
  });

  it('lists problems by kind, a few of each, without control characters', async () => {
    const cache = await tempFolder('hub');
    const snapshot = path.join(cache, 'models--org--name/snapshots', REV);
    await mkdir(snapshot, { recursive: true });
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g\u202e']) {
      await symlink('../../blobs/none', path.join(snapshot, name));
    }
    await put(path.join(cache, 'models--org--name/refs/main'), 'd'.repeat(40));
    await put(path.join(cache, 'models--\u009b31m/snapshots/x\u0007/y'), '');
    const { status, stdout } = await scan(cache, NO_NIX);
    expect(status).toBe(0);
    const at = `models--org--name/snapshots/${REV}`;
    expect(stdout.split('\n')).toEqual([
      'org/name   model  cccccccccccc  0 B  0 files  -',
      '\\u009b31m  model  x\\u0007       0 B   1 file  -',
      `2 revisions of 2 repositories, 0 B in ${cache}`,
      '',
      '10 problems:',
      '  folders whose names are not those of repositories; scan reads "--" in a name as "/"',
      '    models--\\u009b31m: \\u009b31m',
      '  snapshots that are not named after a commit',
      '    models--\\u009b31m/snapshots/x\\u0007',
      '  broken links; download or export the repository again, or build its cache again',
      ...['a', 'b', 'c', 'd', 'e'].map((name) => `    ${at}/${name}`),
      '    and 2 more',
      '  refs to a commit that is not in the cache; download it, or remove the ref',
      `    models--org--name/refs/main: ${'d'.repeat(40)}`,
      '',
    ]);
    const { problems } = (await scan(cache, NO_NIX, '--json')).json();
    expect(problems).toHaveLength(10);
    expect(problems).toContainEqual({ kind: 'broken-link', path: `${at}/g\u202e` });
  });

  it('ends when it is interrupted', async () => {
    const cache = await tempFolder('hub');
    await put(path.join(cache, 'models--x/snapshots', REV, 'y'), '');
    const signal = AbortSignal.abort();
    const { status } = await runCli(['scan'], {
      cwd: '/',
      env: { ...NO_NIX, HF_HUB_CACHE: cache },
      signal,
    });
    expect(status).toBe(130);
  });
});

describeNix('scan with Nix', (nix) => {
  const [client] = pythonClients;

  it.skipIf(client === undefined).each([{}, { HF_HUB_DISABLE_SYMLINKS: '1' }])(
    'shows which revisions are in the store (%j)',
    async (variables) => {
      if (client === undefined) throw new Error('skipped');
      const hub = await startHub();
      try {
        const seed = JSON.stringify(variables);
        const repo = await hub.createRepo({ type: 'model', id: 'org/tiny' });
        const files = { 'model.safetensors': lfs(`weights ${seed}`), 'a b/.ü.json': seed };
        const first = await repo.commit({ files });
        const home = await tempFolder('home');
        const settings = { home, endpoint: hub.endpoint, env: variables };
        const download = { call: 'snapshot_download', args: { repo_id: 'org/tiny' } };
        await callPython(client, settings, [download]);
        const second = await repo.commit({ files: { 'config.json': `new ${seed}` } });
        await callPython(client, settings, [download]);
        const cache = path.join(home, 'hub');
        const verdicts = async (ofFirst: boolean | null, ofSecond: boolean | null) => {
          const expected = [
            ['org/tiny', first.slice(0, 4), ofFirst],
            ['org/tiny', second.slice(0, 4), ofSecond],
          ];
          const got = await stored(cache, nix().environment);
          expect(new Set(got)).toEqual(new Set(expected));
        };
        await verdicts(false, false);

        const project = await createProject(
          hub.endpoint,
          `models: { m: { repo: org/tiny, ref: ${first} } }`,
        );
        const env = { ...nix().environment, HF_HOME: home, XDG_CACHE_HOME: home };
        for (const command of ['lock', 'fetch']) {
          expect((await project.run([command], { env })).status).toBe(0);
        }
        // The weights of the second revision are there now, and its new file is not.
        await verdicts(true, false);
        await project.manifest('models: { m: org/tiny }');
        for (const command of ['lock', 'fetch']) {
          expect((await project.run([command], { env })).status).toBe(0);
        }
        await verdicts(true, true);
        expect((await scan(cache, nix().environment)).stdout).toContain(', 2 in the store in ');
      } finally {
        await hub.close();
      }
    },
  );

  it('does not hash a large file without a known digest', async () => {
    const cache = await tempFolder('hub');
    const repo = path.join(cache, 'models--x');
    await put(path.join(repo, 'snapshots', REV, 'small'), '');
    expect(await stored(cache, nix().environment)).toEqual([['x', 'cccc', false]]);
    const large = await open(path.join(repo, 'snapshots', REV, 'large'), 'w');
    await large.truncate(1024 ** 4);
    await large.close();
    const tree = path.join(repo, `trees/${REV}.json`);
    for (const text of [undefined, 'not JSON', '[]', '{"format_version":2}']) {
      if (text !== undefined) await put(tree, text);
      expect(await stored(cache, nix().environment)).toEqual([['x', 'cccc', null]]);
    }
    const files = { large: { size: 1, blob_id: 'a'.repeat(40), lfs_sha256: 'b'.repeat(64) } };
    await put(tree, JSON.stringify({ format_version: 1, files }));
    expect(await stored(cache, nix().environment)).toEqual([['x', 'cccc', false]]);
  });

  it('finds files in a store below another root', async () => {
    const env = {
      ...nix().environment,
      NIX_REMOTE: await tempFolder('root'),
      NIX_STORE_DIR: '/of-another-root/store',
      NIX_STATE_DIR: '/of-another-root/var/nix',
      NIX_LOG_DIR: '/of-another-root/var/log/nix',
    };
    const cache = await tempFolder('hub');
    const file = path.join(cache, 'models--x/snapshots', REV, 'config.json');
    await put(file, 'elsewhere');
    expect(await stored(cache, env)).toEqual([['x', 'cccc', false]]);
    await promisify(execFile)('nix-store', ['--add-fixed', 'sha256', file], { env });
    expect(await stored(cache, env)).toEqual([['x', 'cccc', true]]);
  });

  it('takes links into the store for no problem, and those to elsewhere for one', async () => {
    const cache = await tempFolder('hub');
    const repo = path.join(cache, 'models--org--name');
    const elsewhere = path.join(await tempFolder(), 'file');
    await put(elsewhere, 'elsewhere');
    const file = await addToStore(nix(), 'config.json', 'in the store');
    await mkdir(path.join(repo, 'blobs'), { recursive: true });
    await mkdir(path.join(repo, 'snapshots', REV), { recursive: true });
    for (const [name, blob, target] of [
      ['config.json', 'a', file],
      ['other.json', 'b', elsewhere],
    ] as const) {
      await symlink(target, path.join(repo, 'blobs', blob.repeat(40)));
      await symlink(`../../blobs/${blob.repeat(40)}`, path.join(repo, 'snapshots', REV, name));
    }
    const { json } = await scan(cache, nix().environment, '--json');
    expect(json().problems).toEqual([
      {
        kind: 'outside',
        path: `models--org--name/snapshots/${REV}/other.json`,
        detail: elsewhere,
      },
    ]);
  });

  it('counts neither an empty revision nor a part of one as stored', async () => {
    const cache = await tempFolder('hub');
    await mkdir(path.join(cache, 'models--empty/snapshots', REV), { recursive: true });
    const file = await addToStore(nix(), 'config.json', 'a part');
    const part = path.join(cache, 'models--part/snapshots', REV);
    await put(path.join(part, 'config.json'), 'a part');
    expect(await stored(cache, nix().environment)).toEqual([
      ['empty', 'cccc', false],
      ['part', 'cccc', true],
    ]);
    await symlink('nowhere', path.join(part, 'broken'));
    await symlink(file, path.join(part, 'linked'));
    expect(await stored(cache, nix().environment)).toEqual([
      ['empty', 'cccc', false],
      ['part', 'cccc', false],
    ]);
    await rm(path.join(part, 'broken'));
    expect(await stored(cache, nix().environment)).toEqual([
      ['empty', 'cccc', false],
      ['part', 'cccc', true],
    ]);
  });

  it('shows every revision of a cache that Nix built as stored', async () => {
    const hub = await startHub();
    try {
      const repo = await hub.createRepo({ type: 'dataset', id: 'org/rows' });
      await repo.commit({ files: { 'data/ä b.csv': 'a,b', 'big.bin': lfs('rows') } });
      const project = await createProject(hub.endpoint, 'datasets: { rows: org/rows }');
      const env = { ...nix().environment, XDG_CACHE_HOME: await tempFolder() };
      for (const command of ['lock', 'fetch']) {
        expect((await project.run([command], { env })).status).toBe(0);
      }
      const lock = path.join(nix().folder, 'scan.lock.json');
      await writeFile(lock, (await project.lockText()) ?? '');
      const cache = await nix().build(
        `((${LIBRARY} { pkgs = ${PKGS}; }).importLock ${nixString(lock)}).cache`,
      );
      const { json, status } = await scan(cache, nix().environment, '--json');
      expect(status).toBe(0);
      expect(json()).toMatchObject({
        size: 'a,b'.length + 'rows'.length,
        revisions: [{ repo: 'org/rows', type: 'dataset', files: 2, inStore: true, refs: ['main'] }],
        problems: [],
      });
      // The same by a link of its own, as a user might make it.
      const linked = await tempFolder('hub');
      await symlink(`${cache}/datasets--org--rows`, `${linked}/datasets--org--rows`);
      expect(await stored(linked, nix().environment)).toEqual([
        ['org/rows', expect.any(String), true],
      ]);
    } finally {
      await hub.close();
    }
  });

  it('asks Nix about valid store paths only, whatever the cache links to', async () => {
    const cache = await tempFolder('hub');
    const { storeDir } = nix();
    await put(`${storeDir}/.links/secret`, 'x');
    await put(`${storeDir}/not a path`, 'x');
    await put(`${storeDir}/${'0'.repeat(32)}-never-built/x`, 'x');
    const links = ['.links/secret', 'not a path', `${'0'.repeat(32)}-never-built/x`];
    for (const [index, target] of links.entries()) {
      const snapshot = path.join(cache, `models--m${index}/snapshots`, REV);
      await mkdir(snapshot, { recursive: true });
      await symlink(path.join(storeDir, target), path.join(snapshot, '\u00fc "$(x)".json'));
    }
    expect(await stored(cache, nix().environment)).toEqual([
      ['m0', 'cccc', false],
      ['m1', 'cccc', false],
      ['m2', 'cccc', false],
    ]);
  });

  it('warns when Nix fails, and lists the cache', async () => {
    const cache = await tempFolder('hub');
    await put(path.join(cache, 'models--x/snapshots', REV, 'y'), '');
    const env = { ...nix().environment, NIX_REMOTE: 'unix:///nonexistent/socket' };
    const { status, stdout, stderr } = await scan(cache, env);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^warning: nix-\S+ --\S+ failed/u);
    expect(stdout).toMatch(/^x {2}model {2}c+ {2}0 B {2}1 file {2}-\n/u);
  });

  it('runs as a program', async () => {
    const cache = await tempFolder('hub');
    await put(path.join(cache, 'models--x/snapshots', REV, 'y'), '');
    const { ended } = spawnCli(['scan', '--json'], {
      cwd: cache,
      env: { ...nix().environment, HF_HUB_CACHE: '.' },
    });
    const { status, stdout } = await ended;
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ cache, revisions: [{ repo: 'x', inStore: false }] });
  });
});

/** Adds a file the way a fixed-output derivation does. */
async function addToStore(nix: Nix, name: string, content: string): Promise<string> {
  const file = path.join(await tempFolder(), name);
  await writeFile(file, content);
  const { status, stdout, stderr } = await nix.run('nix-store', '--add-fixed', 'sha256', file);
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}
