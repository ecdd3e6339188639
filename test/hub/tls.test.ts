import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { inject } from '../support/inject.ts';
import { isolatedStore, storeObjects } from '../support/isolated-store.ts';
import { createProject } from '../support/project.ts';
import { spawnCli } from '../support/spawn-cli.ts';
import { tempFolder } from '../support/temp.ts';
import { CERTIFICATE, serveTls } from '../support/tls.ts';

describe('a Hub behind TLS', () => {
  let hub: Hub;
  beforeAll(async () => {
    hub = await startHub();
    const repo = await hub.createRepo({ type: 'model', id: 'org/name' });
    await repo.commit({ files: { 'config.json': '{}\n', 'model.gguf': lfs('weights') } });
  });
  afterAll(() => hub.close());

  async function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const endpoint = await serveTls(hub.endpoint);
    const home = await tempFolder('home');
    const project = await createProject(endpoint, 'models: { m: org/name }\n');
    const all = { HF_ENDPOINT: endpoint, HOME: home, XDG_CACHE_HOME: home, ...env };
    const locked = spawnCli(argv, { cwd: project.folder, env: all });
    return { ...(await locked.ended), project, all };
  }

  it('is refused without a trusted certificate', async () => {
    const { status, stderr, project } = await run(['lock']);
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/error EHUG_NETWORK: .*the certificate of .* is not trusted/u),
    });
    expect(stderr).toContain('NODE_EXTRA_CA_CERTS');
    expect(await project.lockText()).toBe(undefined);
  });

  it('is accepted with a certificate of NODE_EXTRA_CA_CERTS', async () => {
    const { status, project } = await run(['lock'], { NODE_EXTRA_CA_CERTS: CERTIFICATE });
    expect(status).toBe(0);
    expect(await project.lockText()).toContain('org/name');
  });

  it('may not redirect a download to plain HTTP', async () => {
    const store = await isolatedStore();
    const env = { ...store.env, NODE_EXTRA_CA_CERTS: CERTIFICATE };
    const { project, all } = await run(['lock'], env);
    const { status, stderr } = await spawnCli(['fetch'], { cwd: project.folder, env: all }).ended;
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/EHUG_PROTOCOL: .*redirects from HTTPS to/u),
    });
    // The plain file came by TLS.
    expect(await storeObjects(store)).toEqual([expect.stringMatching(/-config\.json$/u)]);
  });

  it('may not redirect to plain HTTP and back', async () => {
    const endpoint = await serveTls(hub.endpoint);
    const plain = createServer(({ url = '' }, response) =>
      response.writeHead(302, { location: `${endpoint}${url}?again` }).end(),
    );
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    onTestFinished(() => void plain.close());
    const { port } = plain.address() as AddressInfo;
    const location = `http://127.0.0.1:${port}/api/models/org/name/revision/main`;
    const detour = { kind: 'redirect', location } as const;
    inject(hub, { match: '/revision/', fault: detour });
    const env = { HF_ENDPOINT: endpoint, NODE_EXTRA_CA_CERTS: CERTIFICATE };
    const { status, stderr } = await run(['lock'], env);
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`redirects from HTTPS to http://127.0.0.1:${port}`),
    });
  });
});
