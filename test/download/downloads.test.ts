import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import {
  createServer,
  type OutgoingHttpHeaders,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { HttpOptions } from '../../src/hub/http.ts';
import { digestText } from '../../src/digest.ts';
import type { RemoteFile } from '../../src/download/response.ts';
import { type Fault, type FaultRule, type Hub, lfs, startHub } from '../support/hub/index.ts';
import { inject } from '../support/inject.ts';
import { bytesAskedFor, type Downloaded, downloadFile, publish } from '../support/download.ts';
import { tempFolder } from '../support/temp.ts';

const MIB = 1024 * 1024;
const TOKEN = 'test-token-of-the-owner';

let hub: Hub;
/** A plain git file. */
let config: RemoteFile;
/** An LFS file that is downloaded over one connection. */
let small: RemoteFile;
/** An LFS file that is downloaded over several. */
let large: RemoteFile;

const onCdn: FaultRule['match'] = ({ origin }) => origin === 'cdn';

/** Downloads a file of the hub, into a folder of its own unless one is named. */
async function fetchOf(
  file: RemoteFile,
  over: Partial<HttpOptions> & { folder?: string; onBytes?: (present: number) => void } = {},
): Promise<Downloaded> {
  const { folder = await tempFolder(), ...options } = over;
  return downloadFile(file, { endpoint: hub.endpoint, folder, ...options });
}

const coded = (code: string, message = '') =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

const resolves = () => hub.requests.filter(({ url }) => url.includes('/resolve/')).length;

beforeAll(async () => {
  hub = await startHub();
  hub.addToken(TOKEN);
  config = await publish(hub, 'org/config', 'config ü.json', '{"model_type": "llama"}');
  small = await publish(hub, 'org/small', 'w.bin', lfs.generated({ size: 5 * MIB + 7, seed: 1 }));
  large = await publish(hub, 'org/large', 'w.bin', lfs.generated({ size: 96 * MIB + 7, seed: 2 }));
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

describe('a file', () => {
  it.each([
    ['without bytes', ''],
    ['of one byte', 'x'],
    ['of some bytes', 'x'.repeat(1000)],
    ['of LFS, without bytes', lfs('')],
    ['of LFS, of one byte', lfs('x')],
    ['of exactly a batch', lfs.generated({ size: MIB, seed: 3 })],
    ['of exactly what one connection downloads', lfs.generated({ size: 64 * MIB, seed: 3 })],
    ['of one byte more', lfs.generated({ size: 64 * MIB + 1, seed: 3 })],
  ])('%s is downloaded whole', async (what, content) => {
    const file = await publish(hub, `org/${what.replaceAll(/\W/gu, '-')}`, 'f', content);
    const { digest, presents } = await fetchOf(file);
    expect(digest).toEqual(file.digest);
    expect(presents.at(-1)).toBe(file.size);
    expect(presents).toEqual(presents.toSorted((a, b) => a - b));
  });

  it('that is small takes one request to the Hub and one to the CDN, without a range', async () => {
    await fetchOf(small);
    expect(hub.requests.map(({ origin, range }) => [origin, range])).toEqual([
      ['hub', undefined],
      ['cdn', undefined],
    ]);
  });

  it('that is large takes one redirect for all its ranges', async () => {
    await fetchOf(large);
    expect(resolves()).toBe(1);
    expect(hub.requests.filter(({ origin }) => origin === 'cdn').length).toBe(4);
    expect(bytesAskedFor(hub.requests, large.size)).toBe(large.size);
  });

  it('uses no more connections than configured', async () => {
    inject(hub, { match: onCdn, fault: { kind: 'stall', afterBytes: 2 * MIB }, times: Infinity });
    await interrupt(large, await tempFolder(), 2 * MIB, { downloadConcurrency: 2 });
    expect(hub.requests.filter(({ origin }) => origin === 'cdn').length).toBe(2);
  });

  it.each(['', 'identity, Identity', 'aws-chunked', 'aws-chunked,identity'])(
    'is taken as it is in the encoding "%s"',
    async (encoding) => {
      const headers = { 'content-encoding': encoding };
      inject(hub, { match: onCdn, fault: { kind: 'headers', headers }, times: Infinity });
      expect((await fetchOf(large)).digest).toEqual(large.digest);
      expect(hub.requests.filter(({ origin }) => origin === 'cdn').length).toBe(4);
    },
  );

  it.each(['GZIP', 'x-gzip', 'gzip, identity'])(
    'is unzipped in the encoding "%s"',
    async (encoding) => {
      const content = gzipSync(await contentOf(config));
      const location = await serve((_request, response) =>
        response.writeHead(200, { 'content-encoding': encoding }).end(content),
      );
      inject(hub, { match: '/resolve/', fault: { kind: 'redirect', location }, times: Infinity });
      expect((await fetchOf(config)).digest).toEqual(config.digest);
    },
  );

  it('is brought with a token that the CDN does not see', async () => {
    await fetchOf(large, { token: TOKEN });
    const seen = (at: string) =>
      new Set(
        hub.requests
          .filter(({ origin }) => origin === at)
          .map(({ authorization }) => authorization),
      );
    expect(seen('hub')).toEqual(new Set([`Bearer ${TOKEN}`]));
    expect(seen('cdn')).toEqual(new Set([undefined]));
  });

  it('can be downloaded twice at once', async () => {
    const folder = await tempFolder();
    const both = await Promise.all([1, 2].map(() => fetchOf(small, { folder })));
    expect(both.map(({ digest }) => digest)).toEqual([small.digest, small.digest]);
  });
});

describe('a transient fault', () => {
  const faults: [string, Fault][] = [
    ['a reset', { kind: 'reset' }],
    ['a body cut at once', { kind: 'cut', afterBytes: 0 }],
    ['a body cut', { kind: 'cut', afterBytes: MIB + 1 }],
    ['a stalled body', { kind: 'stall', afterBytes: MIB + 1 }],
    ['a 503', { kind: 'status', status: 503 }],
    ['a 429', { kind: 'status', status: 429, headers: { 'retry-after': '0' } }],
    ['an address that has expired', { kind: 'expired' }],
  ];

  it.each(faults)('of a small file: %s', async (_what, fault) => {
    const injected = inject(hub, { match: onCdn, fault, times: 2 });
    expect((await fetchOf(small, { readTimeoutMs: 300 })).digest).toEqual(small.digest);
    expect(injected.hits).toBe(2);
    expect(resolves()).toBe(3);
  });

  it.each(faults)('of a large file: %s', async (_what, fault) => {
    const injected = inject(hub, { match: onCdn, fault, skip: 1, times: 2 });
    expect((await fetchOf(large, { readTimeoutMs: 300 })).digest).toEqual(large.digest);
    expect(injected.hits).toBe(2);
    expect(resolves()).toBe(3);
  });

  it.each<[string, Fault]>([
    ['shorter than its range', { kind: 'truncate', bytes: MIB }],
    ['longer than its range', { kind: 'extend', bytes: MIB }],
    ['compressed', { kind: 'gzip' }],
    ['of another range', { kind: 'headers', headers: { 'content-range': 'bytes 7-9/*' } }],
    ['of no bytes', { kind: 'headers', headers: { 'content-range': 'bytes 33554432-33554431/*' } }],
    ['a part only', { kind: 'headers', headers: { 'content-range': 'bytes 33554432-33554440/*' } }],
    ['without a range', { kind: 'headers', headers: { 'content-range': undefined } }],
    ['416', { kind: 'status', status: 416 }],
  ])('an answer that is %s', async (_what, fault) => {
    inject(hub, { match: onCdn, fault, skip: 1 });
    expect((await fetchOf(large)).digest).toEqual(large.digest);
  });

  it('before the redirect is retried', async () => {
    inject(hub, { match: '/resolve/', fault: { kind: 'status', status: 502 }, times: 3 });
    expect((await fetchOf(small)).digest).toEqual(small.digest);
  });

  it('of gzip without a length is unpacked', async () => {
    inject(hub, { match: '/resolve-cache/', fault: { kind: 'gzip' }, times: Infinity });
    expect((await fetchOf(config)).digest).toEqual(config.digest);
  });

  it.each<[string, (content: Buffer, response: ServerResponse) => void]>([
    ['a page', (_content, response) => response.writeHead(200).end('login')],
    [
      'a body cut',
      (content, response) =>
        response.write(content.subarray(0, 2 * MIB), () => response.socket?.destroySoon()),
    ],
  ])('of %s without a length leaves no bytes', async (_what, answer) => {
    const content = await contentOf(small);
    let wrong = 3;
    const location = await serve((_request, response) => {
      if (wrong === 0) return response.writeHead(200).end(content);
      wrong -= 1;
      return answer(content, response);
    });
    inject(hub, { match: '/resolve/', fault: { kind: 'redirect', location }, times: Infinity });
    expect((await fetchOf(small)).digest).toEqual(small.digest);
    expect(wrong).toBe(0);
  });

  it('after the last byte does not matter', async () => {
    const content = await contentOf(large);
    const asked: (string | undefined)[] = [];
    const location = await serve(({ headers: { range } }, response) => {
      asked.push(range);
      sendRange(response, content, range).write('', () => response.socket?.destroySoon());
    });
    inject(hub, { match: '/resolve/', fault: { kind: 'redirect', location }, times: Infinity });
    expect((await fetchOf(large)).digest).toEqual(large.digest);
    expect(asked.length).toBe(4);
  });

  it('of an expired address on the Hub itself is retried', async () => {
    const content = await contentOf(large);
    let signed = 0;
    let uses = 0;
    const url = await serve(({ url: asked = '', headers: { range } }, response) => {
      if (asked === '/file') {
        signed += 1;
        uses = 0;
        return response.writeHead(302, { location: `/object?signature=${signed}` }).end();
      }
      uses += 1;
      if (uses > 2) return response.writeHead(403).end('Request has expired');
      return sendRange(response, content, range).end();
    });
    const { digest } = await fetchOf({ ...large, url }, { endpoint: new URL(url).origin });
    expect(digest).toEqual(large.digest);
    expect(signed).toBeGreaterThan(1);
  });

  it('after 1 MiB of progress counts as the first one again', async () => {
    // Every second answer reaches the next MiB.
    const retry = { retries: 2, baseMs: 1, longestWaitMs: 10 };
    const cut = inject(hub, {
      match: onCdn,
      fault: { kind: 'cut', afterBytes: MIB / 2 },
      times: 8,
    });
    expect((await fetchOf(small, { retry })).digest).toEqual(small.digest);
    expect(cut.hits).toBe(8);
    expect(bytesAskedFor(hub.requests.slice(-1), small.size)).toBe(small.size - 4 * MIB);
  });
});

describe('a permanent fault', () => {
  it.each<[string, FaultRule['match'], Fault, string, string]>([
    ['a 503', onCdn, { kind: 'status', status: 503 }, 'EHUG_HUB', 'answers 503'],
    ['a CDN that refuses', onCdn, { kind: 'expired' }, 'EHUG_HUB', 'answers 403 for "w.bin"'],
    [
      'bodies that end',
      onCdn,
      { kind: 'cut', afterBytes: 0 },
      'EHUG_NETWORK',
      'failed (request for "w.bin" of model org/large): ',
    ],
    [
      'bodies of some bytes',
      onCdn,
      { kind: 'cut', afterBytes: 13 },
      'EHUG_NETWORK',
      'failed (request for "w.bin" of model org/large): ',
    ],
    [
      'a rate limit',
      '/resolve/',
      { kind: 'status', status: 429, headers: { 'retry-after': '60' } },
      'EHUG_RATE_LIMIT',
      'rate limit',
    ],
  ])('%s ends in its own error', async (_what, match, fault, code, message) => {
    inject(hub, { match, fault, times: Infinity });
    await expect(fetchOf(large)).rejects.toEqual(coded(code, message));
    // Four connections, six tries of two requests each.
    expect(hub.requests.length).toBeLessThanOrEqual(48);
  });

  it.each<[string, Fault, string]>([
    ['401', { kind: 'status', status: 401 }, 'EHUG_REPO_NOT_FOUND'],
    [
      '403',
      { kind: 'status', status: 403, headers: { 'x-error-code': 'GatedRepo' } },
      'EHUG_GATED',
    ],
    [
      '404',
      { kind: 'status', status: 404, headers: { 'x-error-code': 'EntryNotFound' } },
      'EHUG_FILE_NOT_FOUND',
    ],
  ])('a %s of the Hub is final at once', async (_status, fault, code) => {
    const folder = await tempFolder();
    inject(hub, { match: '/resolve/', fault, times: Infinity });
    await expect(fetchOf(small, { folder })).rejects.toEqual(coded(code));
    expect(hub.requests.length).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a mirror that redirects to the Hub', () => {
  it('passes on a refusal of the Hub at once', async () => {
    const headers = { 'x-error-code': 'GatedRepo' };
    inject(hub, { match: onCdn, fault: { kind: 'status', status: 403, headers }, times: Infinity });
    await expect(fetchOf(small)).rejects.toEqual(coded('EHUG_GATED'));
    expect(hub.requests.length).toBe(2);
  });
});

describe('a refused range', () => {
  it('ends the other ranges of the file', async () => {
    const headers = { 'x-error-code': 'GatedRepo' };
    const fault: Fault = { kind: 'status', status: 403, headers };
    inject(hub, { match: onCdn, fault, skip: 1, times: Infinity });
    const fetching = fetchOf(large, { downloadConcurrency: 1 });
    await expect(fetching).rejects.toEqual(coded('EHUG_GATED'));
    // The first range, the second one at the address of the first, and once more at a new one.
    expect(hub.requests.filter(({ origin }) => origin === 'cdn').length).toBe(3);
  });
});

describe('wrong content', () => {
  it.each(['small', 'large'])('of a %s file is removed, and not requested again', async (which) => {
    const file = which === 'small' ? small : large;
    const folder = await tempFolder();
    inject(hub, { match: onCdn, fault: { kind: 'corrupt', at: 1000 } });
    const failed = fetchOf(file, { folder });
    await expect(failed).rejects.toEqual(
      coded('EHUG_INTEGRITY', `"w.bin" of model org/${which} has the digest sha256-`),
    );
    await expect(failed).rejects.toThrow(`expected ${digestText(file.digest)}`);
    expect(resolves()).toBe(1);
    expect(await readdir(folder)).toEqual([]);
    expect((await fetchOf(file, { folder })).digest).toEqual(file.digest);
  });

  it.each<[string, Fault, string]>([
    ['fewer', { kind: 'truncate', bytes: MIB }, `has ${MIB} bytes, expected ${5 * MIB + 7}`],
    ['more', { kind: 'extend', bytes: 1 }, `has ${5 * MIB + 8} bytes, expected ${5 * MIB + 7}`],
  ])('of %s bytes is refused', async (_what, fault, message) => {
    const folder = await tempFolder();
    inject(hub, { match: onCdn, fault });
    await expect(fetchOf(small, { folder })).rejects.toEqual(coded('EHUG_INTEGRITY', message));
    expect(await readdir(folder)).toEqual([]);
  });

  it('of another size is refused at the first range', async () => {
    const headers = { 'content-range': 'bytes 0-33554431/200000000' };
    inject(hub, { match: onCdn, fault: { kind: 'headers', headers } });
    await expect(fetchOf(large)).rejects.toEqual(
      coded('EHUG_INTEGRITY', `has 200000000 bytes, expected ${large.size}`),
    );
  });
});

/** Interrupts a download when so many bytes are there. */
async function interrupt(
  file: RemoteFile,
  folder: string,
  atBytes: number,
  over: Partial<HttpOptions> = {},
): Promise<void> {
  const controller = new AbortController();
  const interrupted = fetchOf(file, {
    ...over,
    folder,
    signal: controller.signal,
    onBytes: (present) => {
      if (present >= atBytes) controller.abort();
    },
  });
  await expect(interrupted).rejects.toThrow('abort');
}

/** Leaves a file without a table, thus a complete one, as an earlier run does. */
async function leaveBehind(file: RemoteFile, folder: string, content: Uint8Array): Promise<void> {
  await writeFile(path.join(folder, `${file.digest.hex}-${file.size}.part`), content);
}

const contentOf = async ({ url }: RemoteFile) =>
  Buffer.from(await (await fetch(url)).arrayBuffer());

/** A server that answers in its own way; returns the address of a file there. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.3');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.3:${port}/file`;
}

/** Begins the answer to a range request, with all bytes of it. */
function sendRange(response: ServerResponse, content: Buffer, range = ''): ServerResponse {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/u.exec(range) ?? [];
  response.writeHead(206, { 'content-range': `bytes ${first}-${last}/${content.length}` });
  response.write(content.subarray(Number(first), Number(last) + 1));
  return response;
}

describe('an interrupted download', () => {
  it.each(['small', 'large'])('of a %s file continues where it ended', async (which) => {
    const file = which === 'small' ? small : large;
    const folder = await tempFolder();
    await interrupt(file, folder, 0.5 * file.size);
    expect(await readdir(folder)).toEqual([`${file.digest.hex}-${file.size}.part`]);
    hub.clearRequests();
    const { digest, presents } = await fetchOf(file, { folder });
    expect(digest).toEqual(file.digest);
    expect(presents[0]).toBeGreaterThanOrEqual(0.5 * file.size);
    expect(bytesAskedFor(hub.requests, file.size)).toBe(file.size - (presents[0] ?? 0));
    expect(await readdir(folder)).toEqual([]);
  });

  it('ends at once while the body stalls', async () => {
    inject(hub, { match: onCdn, fault: { kind: 'stall', afterBytes: 2 * MIB }, times: Infinity });
    await interrupt(large, await tempFolder(), MIB);
  });

  it.each(['small', 'large'])(
    'of a %s file starts again when the server stops serving ranges',
    async (which) => {
      const file = which === 'small' ? small : large;
      const folder = await tempFolder();
      await interrupt(file, folder, 0.3 * file.size);
      const content = await contentOf(file);
      const location = await serve((_request, response) => response.end(content));
      inject(hub, { match: '/resolve/', fault: { kind: 'redirect', location }, times: Infinity });
      const { digest, presents } = await fetchOf(file, { folder });
      expect(digest).toEqual(file.digest);
      expect(presents.slice(1)).toContain(0);
    },
  );

  it.each<[string, OutgoingHttpHeaders, string]>([
    ['with a length', { 'content-length': 5 }, 'EHUG_INTEGRITY'],
    ['without a length', {}, 'EHUG_PROTOCOL'],
    ['that is gzip', { 'content-encoding': 'gzip', 'content-length': 5 }, 'EHUG_PROTOCOL'],
  ])('keeps its bytes when a page %s is sent instead', async (_what, headers, code) => {
    const folder = await tempFolder();
    await interrupt(small, folder, 0.5 * small.size);
    const location = await serve((_request, response) =>
      response.writeHead(200, headers).end('login'),
    );
    const page = inject(hub, {
      match: '/resolve/',
      fault: { kind: 'redirect', location },
      times: Infinity,
    });
    await expect(fetchOf(small, { folder })).rejects.toEqual(coded(code));
    page.remove();
    const { digest, presents } = await fetchOf(small, { folder });
    expect(digest).toEqual(small.digest);
    expect(presents[0]).toBeGreaterThanOrEqual(0.5 * small.size);
  });

  it('that was complete takes no request', async () => {
    const folder = await tempFolder();
    await leaveBehind(small, folder, await contentOf(small));
    hub.clearRequests();
    expect((await fetchOf(small, { folder })).digest).toEqual(small.digest);
    expect(hub.requests).toEqual([]);
  });

  it('ends at once while its bytes are hashed', async () => {
    const folder = await tempFolder();
    await leaveBehind(large, folder, await contentOf(large));
    await interrupt(large, folder, large.size);
    expect(await readdir(folder)).toEqual([`${large.digest.hex}-${large.size}.part`]);
  });

  it('that was damaged since is brought anew', async () => {
    const folder = await tempFolder();
    await leaveBehind(small, folder, (await contentOf(small)).fill(0, 1000, 2000));
    expect((await fetchOf(small, { folder })).digest).toEqual(small.digest);
  });

  it('that was damaged, and comes wrong too, is refused', async () => {
    const folder = await tempFolder();
    await leaveBehind(small, folder, Buffer.alloc(small.size));
    inject(hub, { match: onCdn, fault: { kind: 'corrupt' } });
    await expect(fetchOf(small, { folder })).rejects.toEqual(coded('EHUG_INTEGRITY'));
    expect(await readdir(folder)).toEqual([]);
  });

  it('of an impossible length starts again', async () => {
    const folder = await tempFolder();
    await leaveBehind(small, folder, Buffer.alloc(10));
    expect((await fetchOf(small, { folder })).digest).toEqual(small.digest);
  });

  it('does not begin when it is interrupted before', async () => {
    const folder = await tempFolder();
    await expect(fetchOf(small, { folder, signal: AbortSignal.abort() })).rejects.toThrow('abort');
    expect(hub.requests).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });
});
