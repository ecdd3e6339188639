import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createHubApi } from '../../src/hub/api.ts';
import { createHttp } from '../../src/hub/http.ts';
import { downloadFile, publish } from '../support/download.ts';
import { type Fault, type Hub, lfs, startHub } from '../support/hub/index.ts';
import { inject, injectAlways } from '../support/inject.ts';
import { createProject } from '../support/project.ts';
import { spawnCli } from '../support/spawn-cli.ts';
import { tempFolder } from '../support/temp.ts';

// Answers of a Hub or a mirror that wants to waste memory, time or secrets, or that lacks a part of
// the API.

const TOKEN = 'hf_0123456789abcdefghijklmnopqrstuvwx';
const MANIFEST = 'models: { m: org/name }\n';
const RETRY = { retries: 1, baseMs: 1, longestWaitMs: 5_000 };

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  hub.addToken(TOKEN);
  const repo = await hub.createRepo({ type: 'model', id: 'org/name' });
  const rev = await repo.commit({
    files: { 'config.json': '{}\n', 'README.md': '# m\n', 'sub/model.gguf': lfs('weights') },
  });
  await repo.tag('v1.0.0', rev);
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

/** Serves something on loopback until the test ends; returns its address. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/**
 * Answers a request as the hub does.
 *
 * @param change headers to pass on in another form
 */
function passOn(
  url: string,
  change: (headers: Headers) => Readonly<Record<string, string | undefined>> = () => ({}),
): (response: ServerResponse) => Promise<void> {
  return async (response) => {
    const answer = await fetch(hub.endpoint + url, { redirect: 'manual' });
    const changed = Object.entries(change(answer.headers));
    const headers = changed.filter((pair): pair is [string, string] => pair[1] !== undefined);
    response.writeHead(answer.status, Object.fromEntries(headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  };
}

/** Writes the same again and again, at an even pace, until the connection ends. */
function drip(response: ServerResponse, write: () => void): void {
  const timer = setInterval(write, 20);
  response.once('close', () => clearInterval(timer));
}

const json = (body: string): Fault => ({
  kind: 'status',
  status: 200,
  headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'identity' },
  body,
});

describe('memory', () => {
  it.each(['/revision/', '/tree/', '/refs'])(
    'is not filled by the answer of %s, however small it is on the way',
    async (route) => {
      const size = 60 * 1024 * 1024;
      const packed = gzipSync(`[${'{},'.repeat(size / 3)}{}]`);
      const mirror = await serve(({ url = '' }, response) => {
        if (url.includes(route)) {
          response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed);
        } else {
          passOn(url)(response).catch(() => response.destroy());
        }
      });
      const manifest = 'models: { m: { repo: org/name, version: "*" } }\n';
      const { folder } = await createProject(mirror, manifest);
      const home = await tempFolder('home');
      const NODE_OPTIONS = '--max-old-space-size=192';
      const env = { HF_ENDPOINT: mirror, HOME: home, XDG_CACHE_HOME: home, NODE_OPTIONS };
      const { status, stderr } = await spawnCli(['lock'], { cwd: folder, env }).ended;
      expect([status, stderr]).toEqual([1, expect.stringContaining('error EHUG_PROTOCOL')]);
    },
  );

  it('is not filled by a list of wrong items that is no larger than it may be', async () => {
    injectAlways(hub, '/tree/', json(`[${'{},'.repeat(2_700_000)}{}]`));
    const { folder } = await createProject(hub.endpoint, MANIFEST);
    const home = await tempFolder('home');
    const NODE_OPTIONS = '--max-old-space-size=384';
    const env = { HF_ENDPOINT: hub.endpoint, HOME: home, XDG_CACHE_HOME: home, NODE_OPTIONS };
    const { status, stderr } = await spawnCli(['lock'], { cwd: folder, env }).ended;
    expect([status, stderr]).toEqual([1, expect.stringContaining('0.type')]);
  });
});

describe('a slow answer is a fault', () => {
  const PATIENCE = { HF_HUB_ETAG_TIMEOUT: '0.3', HF_HUB_DOWNLOAD_TIMEOUT: '0.3' };

  it('JSON at 20 bytes a second', async () => {
    injectAlways(hub, '/revision/', { kind: 'slow', bytesPerSecond: 20 });
    const { run } = await createProject(hub.endpoint, MANIFEST);
    const { status, stderr } = await run(['lock'], { env: PATIENCE, retry: RETRY });
    expect([status, stderr]).toEqual([1, expect.stringContaining('took longer than 1.2 s')]);
    expect(hub.requests.length).toBe(2);
  });

  it('an error response that does not end', async () => {
    const mirror = await serve((_request, response) => {
      response.writeHead(500);
      drip(response, () => response.write('x'));
    });
    const { run } = await createProject(mirror, MANIFEST);
    const { status, stderr } = await run(['lock'], { env: PATIENCE, retry: RETRY });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/EHUG_(?:HUB|NETWORK)/u)]);
  });

  it('a flow of 103', async () => {
    const mirror = await serve((_request, response) => {
      drip(response, () => response.writeEarlyHints({ link: '<a>; rel=b' }));
    });
    const { run } = await createProject(mirror, MANIFEST);
    const { status, stderr } = await run(['lock'], { env: PATIENCE, retry: RETRY });
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_NETWORK')]);
  });

  it('a file of a few bytes a second', async () => {
    const file = await publish(hub, 'org/slow', 'w.bin', lfs('w'.repeat(5_000)));
    injectAlways(hub, ({ origin }) => origin === 'cdn', { kind: 'slow', bytesPerSecond: 100 });
    const options = { endpoint: hub.endpoint, folder: await tempFolder(), retry: RETRY };
    const brought = downloadFile(file, { ...options, readTimeoutMs: 300 });
    await expect(brought).rejects.toMatchObject({
      code: 'EHUG_NETWORK',
      message: expect.stringContaining('fewer than 65536 bytes arrived in 0.6 s'),
    });
  });

  it('a compressed file that never has a first byte', async () => {
    const start = gzipSync('').subarray(0, 10);
    const mirror = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.write(start);
      // An empty block that is not the last one.
      drip(response, () => response.write(Buffer.from([0, 0, 0, 0xff, 0xff])));
    });
    const http = createHttp({
      endpoint: mirror,
      userAgent: 'test',
      retry: RETRY,
      readTimeoutMs: 300,
    });
    const file = { path: 'config.json', size: 2, oid: 'f'.repeat(40) };
    const hash = createHubApi(http).hashOf('model', 'org/name', 'f'.repeat(40), file);
    await expect(hash).rejects.toMatchObject({ code: 'EHUG_NETWORK' });
    await http.close();
  });

  it('a 206 of one byte for each request', async () => {
    const content = Buffer.from('w'.repeat(3_000));
    let asked = 0;
    const cdn = await serve(({ headers }, response) => {
      asked += 1;
      const at = Number(/^bytes=(\d+)-/u.exec(headers.range ?? '')?.[1] ?? 0);
      const range = `bytes ${at}-${at}/${content.length}`;
      response.writeHead(206, { 'content-range': range, 'content-length': 1 });
      response.end(content.subarray(at, at + 1));
    });
    const file = await publish(hub, 'org/bytes', 'w.bin', lfs(content));
    injectAlways(hub, '/resolve/', { kind: 'redirect', location: `${cdn}/w` });
    const brought = downloadFile(file, { endpoint: hub.endpoint, folder: await tempFolder() });
    await expect(brought).rejects.toMatchObject({ code: 'EHUG_NETWORK' });
    expect(asked).toBe(6);
  });

  it('but not a file whose reader takes its time', async () => {
    const http = createHttp({ endpoint: hub.endpoint, userAgent: 'test', readTimeoutMs: 300 });
    onTestFinished(() => http.close());
    const { url, subject } = await publish(hub, 'org/read', 'w.bin', lfs('w'.repeat(50_000)));
    const size = await http.download(url, subject, async (body) => {
      let bytes = 0;
      for await (const chunk of body) {
        bytes += chunk.length;
        await new Promise((resolve) => setTimeout(resolve, 900));
      }
      return bytes;
    });
    expect(size).toBe(50_000);
  });
});

describe('a next page of another origin', () => {
  it.each([
    ['', 'http://127.0.0.3:9'],
    ['', 'https://me:secret@huggingface.co'],
    ['/hub', 'http://127.0.0.3:9'],
    ['/hub', 'http://127.0.0.3:9/hub'],
  ])('is asked of the endpoint with the path "%s" instead of %s', async (base, behind) => {
    hub.options.pageSize = 2;
    onTestFinished(() => void (hub.options.pageSize = 1000));
    const asked: (string | undefined)[] = [];
    const mirror = await serve(({ url = '', headers }, response) => {
      asked.push(headers.authorization);
      if (!url.startsWith(base)) {
        response.writeHead(500).end();
        return;
      }
      const answered = passOn(url.slice(base.length), (sent) => ({
        link: sent.get('link')?.replace(hub.endpoint, behind),
        location: sent.get('location')?.replace(/^\//u, `${base}/`),
      }));
      answered(response).catch(() => response.destroy());
    });
    const { run, lockText } = await createProject(mirror + base, MANIFEST);
    const { status, stderr } = await run(['lock'], { env: { HF_TOKEN: TOKEN } });
    expect([status, stderr]).toEqual([0, expect.anything()]);
    const { models } = JSON.parse((await lockText()) ?? '');
    expect(Object.keys(models.m.files)).toEqual(['README.md', 'config.json', 'sub/model.gguf']);
    expect(hub.requests.filter(({ url }) => url.includes('cursor=')).length).toBeGreaterThan(0);
    expect(new Set(asked)).toEqual(new Set([`Bearer ${TOKEN}`]));
  });
});

describe('an endpoint without a route is named', () => {
  const bare: Fault = { kind: 'status', status: 404, body: 'Not Found' };

  it.each([
    ['/tree/', MANIFEST],
    ['/resolve/', MANIFEST],
    ['/refs', 'models: { m: { repo: org/name, version: "*" } }\n'],
  ])('%s', async (route, manifest) => {
    injectAlways(hub, route, bare);
    const { run } = await createProject(hub.endpoint, manifest);
    const { status, stderr } = await run(['lock']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_NOT_SERVED')]);
    expect(stderr).toContain(`the endpoint ${hub.endpoint} does not serve /`);
    expect(stderr).toContain(route);
  });

  it('/resolve/, when weights are downloaded', async () => {
    const file = await publish(hub, 'org/routes', 'w.bin', lfs('w'));
    injectAlways(hub, '/resolve/', bare);
    const known = { ...file, subject: { ...file.subject, isKnown: true } };
    const brought = downloadFile(known, { endpoint: hub.endpoint, folder: await tempFolder() });
    await expect(brought).rejects.toMatchObject({ code: 'EHUG_NOT_SERVED' });
  });

  it('/commits/', async () => {
    injectAlways(hub, '/commits/', bare);
    const http = createHttp({ endpoint: hub.endpoint, userAgent: 'test', retry: RETRY });
    onTestFinished(() => http.close());
    const history = createHubApi(http).history('model', 'org/name', 'f'.repeat(40));
    await expect(history).rejects.toMatchObject({ code: 'EHUG_NOT_SERVED' });
  });

  it('but a repository that does not exist is not blamed on it', async () => {
    injectAlways(hub, 'org/none', bare);
    for (const entry of ['org/none', '{ repo: org/none, version: "*" }']) {
      const { run } = await createProject(hub.endpoint, `models: { m: ${entry} }\n`);
      const { status, stderr } = await run(['lock']);
      expect([status, stderr]).toEqual([1, expect.stringContaining('EHUG_REPO_NOT_FOUND')]);
    }
  });
});

describe('entries of a tree that are no files', () => {
  it('are skipped with one warning, and folders without', async () => {
    const others = ['unknown', 'commit', 'symlink', 'symlink', 'directory'].map((type, at) => ({
      type,
      path: `other ${at}`,
      oid: at === 0 ? null : 'f'.repeat(40),
    }));
    const body = (entries: readonly object[]) => [...others, ...entries];
    inject(hub, { match: '/tree/', fault: { kind: 'json', body } });
    const { run, lockText } = await createProject(hub.endpoint, MANIFEST);
    const { status, stderr } = await run(['lock']);
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining(
        'warning: skipped entries that are no files in model org/name: 4 of type "unknown", "commit", "symlink"\n',
      ),
    ]);
    const { models } = JSON.parse((await lockText()) ?? '');
    expect(Object.keys(models.m.files)).toEqual(['README.md', 'config.json', 'sub/model.gguf']);
  });
});

describe('a token that the Hub sends back', () => {
  it.each([165, 170, 175, 180, 185, 188])(
    'is hidden where the message is cut, after %s characters',
    async (at) => {
      const body = `${'x'.repeat(at)}${TOKEN} and more`;
      injectAlways(hub, '/revision/', { kind: 'status', status: 403, body });
      const { run } = await createProject(hub.endpoint, MANIFEST);
      for (const argv of [['lock'], ['lock', '--json'], ['lock', '--debug']]) {
        const { stdout, stderr } = await run(argv, { env: { HF_TOKEN: TOKEN } });
        expect(stdout + stderr).toContain('EHUG_FORBIDDEN');
        expect(stdout + stderr).not.toContain(TOKEN.slice(0, 4));
      }
    },
  );

  it('is hidden in progress, as a name of a file that has no room', async () => {
    const repo = await hub.createRepo({ type: 'model', id: 'org/named' });
    await repo.commit({ files: { [`${TOKEN}.bin`]: lfs('w'), [`${TOKEN}.json`]: '{}' } });
    const { run } = await createProject(hub.endpoint, 'models: { m: org/named }\n');
    const home = await tempFolder('home');
    const env = { HF_TOKEN: TOKEN, HF_HOME: home, XDG_CACHE_HOME: home };
    expect((await run(['lock'], { env })).status).toBe(0);
    const { status, stdout, stderr } = await run(['export', '--verbose'], { env });
    expect([status, stderr]).toEqual([0, expect.stringContaining('***.bin')]);
    expect(stdout + stderr).not.toContain(TOKEN.slice(0, 8));
  });
});
