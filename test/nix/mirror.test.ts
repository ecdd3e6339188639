import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { describeNix, LIBRARY, nixString, PKGS } from '../support/nix.ts';
import { createProject } from '../support/project.ts';
import { serve } from '../support/served.ts';
import { tempFolder } from '../support/temp.ts';
import { serveFiles } from './file-server.ts';

const MANIFEST = 'models: { tiny: org/tiny, other: org/other, served: org/served }';

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  const tiny = await hub.createRepo({ type: 'model', id: 'org/tiny' });
  await tiny.commit({
    files: { 'config.json': '{}\n', 'empty.txt': '', 'model.safetensors': lfs('weights') },
  });
  const other = await hub.createRepo({ type: 'model', id: 'org/other' });
  await other.commit({ files: { 'w.bin': lfs('other') } });
  const served = await hub.createRepo({ type: 'model', id: 'org/served' });
  await served.commit({ files: { 'served.json': '{"s":1}\n', 's.bin': lfs('served') } });
});
afterAll(() => hub.close());

describeNix('a mirror behind a web server', (nix) => {
  it('gives Nix every file of the lock when the Hub is gone', async () => {
    const made = await createProject(hub.endpoint, MANIFEST);
    const env = { XDG_CACHE_HOME: await tempFolder(), HF_HOME: await tempFolder() };
    expect((await made.run(['lock'], { env })).status).toBe(0);
    const folder = await tempFolder('mirror');
    expect((await made.run(['mirror', folder], { env })).status).toBe(0);
    const names = (await readdir(path.join(folder, 'sha256'))).toSorted();
    const files = await Promise.all(
      names.map(async (name) => {
        const address = `/sha256/${name}`;
        return [address, await readFile(path.join(folder, address))] as const;
      }),
    );
    const server = await serveFiles(new Map(files));
    onTestFinished(() => server.close());
    const lock = path.join(nix().folder, 'mirrored.lock.json');
    await writeFile(lock, (await made.lockText()) ?? '');
    const library = `(${LIBRARY} { pkgs = ${PKGS}; endpoint = "http://127.0.0.1:9"; })`;
    const expression = `(${library}.importLock ${nixString(lock)}).cache`;
    const options = ['hashed-mirrors', server.endpoint, 'download-attempts', '1'];
    const flags = [0, 2].flatMap((at) => ['--option', ...options.slice(at, at + 2)]);
    const { status, stdout, stderr } = await nix().run(
      'nix-build',
      '--no-out-link',
      '--expr',
      expression,
      ...flags,
    );
    expect(status, stderr).toBe(0);
    const refs = path.join(stdout.trim(), 'models--org--tiny', 'snapshots');
    const [rev = ''] = await readdir(refs);
    expect(await readFile(path.join(refs, rev, 'model.safetensors'), 'utf8')).toBe('weights');
    expect([...new Set(server.requests)].toSorted()).toEqual(
      names.map((name) => `/sha256/${name}`),
    );
  });

  it('is also what serve is, from the Hugging Face cache of this machine', async () => {
    const made = await createProject(hub.endpoint, MANIFEST);
    const env = { XDG_CACHE_HOME: await tempFolder(), HF_HOME: await tempFolder() };
    for (const command of ['lock', 'export']) {
      expect((await made.run([command], { env })).status).toBe(0);
    }
    const { address } = await serve({ cwd: made.folder, env });
    const lock = path.join(nix().folder, 'served.lock.json');
    await writeFile(lock, (await made.lockText()) ?? '');
    const library = `(${LIBRARY} { pkgs = ${PKGS}; endpoint = "http://127.0.0.1:9"; })`;
    // Another name than above, so that the store has no file yet.
    const expression = `(${library}.importLock ${nixString(lock)}).models.served`;
    const flags = ['--option', 'hashed-mirrors', address, '--option', 'download-attempts', '1'];
    const build = ['--no-out-link', '--expr', expression, ...flags];
    const { status, stdout, stderr } = await nix().run('nix-build', ...build);
    expect(status, stderr).toBe(0);
    expect(await readFile(path.join(stdout.trim(), 's.bin'), 'utf8')).toBe('served');
    expect(await readFile(path.join(stdout.trim(), 'served.json'), 'utf8')).toBe('{"s":1}\n');
  });
});
