import { execFile } from 'node:child_process';
import { chmod, chown, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HfUser, hfUser } from '../support/hf-user.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { createNix } from '../support/nix.ts';
import { spawnCli } from '../support/spawn-cli.ts';
import { tempFolder } from '../support/temp.ts';

// `run` in a project that belongs to somebody else and is read-only, as another user than root.

const NOBODY = 65_534;
const exec = promisify(execFile);

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  const repo = await hub.createRepo({ type: 'model', id: 'org/name' });
  await repo.commit({ files: { 'config.json': '{"a":1}', 'w.safetensors': lfs('weights') } });
});
afterAll(() => hub.close());

/** The program: prints what is in the model, and that the project cannot be written to. */
const SCRIPT =
  '/bin/cat "$HF_HUB_CACHE"/models--org--name/snapshots/*/config.json; ! /bin/touch here 2>/dev/null';

/** A project of root that others may only read, and the environment of a user without a home yet. */
async function readOnlyProject() {
  const owner = await hfUser(hub.endpoint, 'models: { a: org/name }');
  await chmod(owner.folder, 0o555);
  await chmod(path.dirname(owner.folder), 0o755);
  const home = await tempFolder('home of nobody');
  await chmod(home, 0o755);
  await chown(home, NOBODY, NOBODY);
  const cache = path.join(home, '.cache');
  const env = {
    HF_ENDPOINT: hub.endpoint,
    HOME: home,
    XDG_CACHE_HOME: cache,
    HF_HOME: path.join(cache, 'huggingface'),
  };
  return { owner, env };
}

async function runAsNobody(
  { folder }: HfUser,
  env: Readonly<Record<string, string>>,
  ...argv: readonly string[]
) {
  const { ended } = spawnCli([...argv, 'run', '--', '/bin/sh', '-c', SCRIPT], {
    cwd: folder,
    env,
    uid: NOBODY,
    isBuilt: true,
  });
  return ended;
}

describe.skipIf(process.getuid?.() !== 0)('run in a read-only project, as a user', () => {
  it.each(['with Nix', 'without Nix'])('%s, with an empty and with a full cache', async (kind) => {
    const { owner, env } = await readOnlyProject();
    const nix = kind === 'with Nix' ? await createNix() : undefined;
    try {
      if (nix !== undefined) await exec('chown', ['-R', `${NOBODY}:${NOBODY}`, nix.folder]);
      if (nix !== undefined) await exec('chmod', ['755', nix.folder]);
      const own = { ...env, ...(nix === undefined ? { PATH: '/nowhere' } : nix.environment) };
      const first = await runAsNobody(owner, { ...own, ...env });
      expect(first, first.stderr).toMatchObject({ status: 0, stdout: '{"a":1}' });
      hub.clearRequests();
      const again = await runAsNobody(owner, { ...own, ...env }, '--offline');
      expect(again, again.stderr).toMatchObject({ status: 0, stdout: '{"a":1}' });
      expect(hub.requests).toEqual([]);
    } finally {
      await nix?.close();
    }
  });

  it('refuses a lock that is not current, and writes nothing', async () => {
    const { owner, env } = await readOnlyProject();
    await writeFile(path.join(owner.folder, 'hug.yaml'), 'models: { a: org/name, b: org/b }\n');
    const { status, stderr } = await runAsNobody(owner, { ...env, PATH: '/nowhere' });
    expect([status, stderr]).toEqual([3, expect.stringContaining('EHUG_LOCK_STALE')]);
  });
});
