import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { inject } from '../support/inject.ts';
import { isolatedStore, storeObjects } from '../support/isolated-store.ts';
import { createProject } from '../support/project.ts';
import { startProxy } from '../support/proxy.ts';
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
    expect(stderr).toContain('SSL_CERT_FILE');
    expect(await project.lockText()).toBe(undefined);
  });

  it('is accepted with a certificate of NODE_EXTRA_CA_CERTS', async () => {
    const { status, project } = await run(['lock'], { NODE_EXTRA_CA_CERTS: CERTIFICATE });
    expect(status).toBe(0);
    expect(await project.lockText()).toContain('org/name');
  });

  it.each(['SSL_CERT_FILE', 'NIX_SSL_CERT_FILE'])(
    'is accepted with a certificate of %s among others',
    async (name) => {
      const bundle = path.join(await tempFolder('certificates'), 'bundle.pem');
      const own = await readFile(CERTIFICATE, 'utf8');
      await writeFile(bundle, `# A comment\n${rootCertificates[0]}\n${own}\n# End\n`);
      const { status, stderr } = await run(['lock'], { [name]: bundle });
      expect([status, stderr]).toEqual([0, expect.not.stringMatching(/certificate|_FILE/u)]);
    },
  );

  it('is accepted with a certificate of NODE_EXTRA_CA_CERTS beside another file', async () => {
    const other = path.join(await tempFolder('certificates'), 'other.pem');
    await writeFile(other, `${rootCertificates[0]}\n`);
    const env = { NODE_EXTRA_CA_CERTS: CERTIFICATE, SSL_CERT_FILE: other };
    expect((await run(['lock'], env)).status).toBe(0);
  });

  it('is accepted through a proxy, with a certificate of SSL_CERT_FILE', async () => {
    const proxy = await startProxy();
    const env = { HTTPS_PROXY: proxy.url, SSL_CERT_FILE: CERTIFICATE };
    expect((await run(['lock'], env)).status).toBe(0);
    expect(proxy.asked.length).toBeGreaterThan(0);
  });

  it('is accepted although another file of certificates is missing, with a warning', async () => {
    const env = { SSL_CERT_FILE: CERTIFICATE, NIX_SSL_CERT_FILE: '/no-cert-file.crt' };
    const { status, stderr } = await run(['lock'], env);
    expect([status, stderr]).toEqual([0, expect.stringContaining('warning: NIX_SSL_CERT_FILE')]);
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
