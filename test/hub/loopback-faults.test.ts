import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Fault, type Hub, lfs, startHub } from '../support/hub/index.ts';

// Faults that the loopback hub injects.

const WEIGHTS = 'weights of the model';
const CDN = ({ origin }: { origin: string }): boolean => origin === 'cdn';
const TREE = '/api/models/org/name/tree/main';

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  const repo = await hub.createRepo({ type: 'model', id: 'org/name' });
  await repo.commit({ files: { 'a.json': '{}', 'b.json': '[]', w: lfs(WEIGHTS) } });
});

afterAll(() => hub.close());

beforeEach(() => {
  hub.clearRequests();
});

describe('rules', () => {
  const fault: Fault = { kind: 'status', status: 503 };
  const statuses = async (count: number): Promise<number[]> => {
    const seen: number[] = [];
    while (seen.length < count) seen.push((await get(TREE)).status);
    return seen;
  };

  it('apply once by default, and can skip requests before', async () => {
    hub.inject({ match: '/tree/', fault });
    expect(await statuses(2)).toEqual([503, 200]);
    const injection = hub.inject({ match: /tree\/ma/u, skip: 1, times: 2, fault });
    expect(await statuses(4)).toEqual([200, 503, 503, 200]);
    expect(injection.hits).toBe(2);
  });

  it('apply to matching requests, until they are removed', async () => {
    const match = ({ origin, method, url }: { origin: string; method: string; url: string }) =>
      origin === 'hub' && method === 'GET' && url === TREE;
    const injection = hub.inject({ match, times: Infinity, fault });
    expect((await get('/api/models/org/name')).status).toBe(200);
    expect(await statuses(3)).toEqual([503, 503, 503]);
    injection.remove();
    expect(await statuses(1)).toEqual([200]);
  });

  it('apply in order: the first match wins', async () => {
    hub.inject({ match: TREE, fault: { kind: 'status', status: 500 } });
    hub.inject({ match: TREE, fault: { kind: 'status', status: 502 } });
    expect(await statuses(3)).toEqual([500, 502, 200]);
  });
});

describe('faults', () => {
  it('status: any status, headers and body', async () => {
    const headers = { 'Retry-After': '7', RateLimit: '"api";r=0;t=3' };
    hub.inject({ match: TREE, fault: { kind: 'status', status: 429, headers, body: 'slow down' } });
    const response = await get(TREE);
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(response.headers.get('ratelimit')).toBe('"api";r=0;t=3');
    expect(await response.text()).toBe('slow down');
  });

  it('reset: no response at all', async () => {
    hub.inject({ match: TREE, fault: { kind: 'reset' } });
    await expect(get(TREE)).rejects.toThrow('fetch failed');
    expect(hub.requests).toMatchObject([{ url: TREE, status: 0 }]);
  });

  it('reset: within the body, which ends without its last bytes', async () => {
    hub.inject({ match: CDN, fault: { kind: 'reset', afterBytes: 7 } });
    const { complete } = await weights()
      .then(receive)
      .catch(() => ({ complete: false }));
    expect(complete).toBe(false);
    expect(hub.requests.at(-1)).toMatchObject({ origin: 'cdn', bodyBytesSent: 7 });
  });

  it('delay: the true response, after the timeout', async () => {
    hub.inject({ match: TREE, fault: { kind: 'delay', ms: 60_000 } });
    const abort = new AbortController();
    const late = get(TREE, { signal: abort.signal });
    expect(await Promise.race([late, sleep(50, 'silence')])).toBe('silence');
    abort.abort();
    await expect(late).rejects.toThrow('aborted');
    hub.inject({ match: TREE, fault: { kind: 'delay', ms: 1 } });
    expect(await (await get(TREE)).json()).toHaveLength(3);
  });

  it('cut: the connection ends within the body', async () => {
    hub.inject({ match: CDN, fault: { kind: 'cut', afterBytes: 7 } });
    const response = await weights();
    expect(response.headers.get('content-length')).toBe('20');
    const received = await receive(response);
    expect(received).toEqual({ text: 'weights', complete: false });
    expect(hub.requests.at(-1)).toMatchObject({ origin: 'cdn', status: 200, bodyBytesSent: 7 });
  });

  it('cut: right after the headers, and counted in the range of a 206', async () => {
    hub.inject({ match: CDN, fault: { kind: 'cut', afterBytes: 0 } });
    expect(await receive(await weights())).toEqual({ text: '', complete: false });
    hub.inject({ match: CDN, fault: { kind: 'cut', afterBytes: 2 } });
    const response = await weights({ headers: { Range: 'bytes=8-' } });
    expect(response.status).toBe(206);
    expect(await receive(response)).toEqual({ text: 'of', complete: false });
    expect(hub.requests.at(-1)).toMatchObject({ range: 'bytes=8-', bodyBytesSent: 2 });
  });

  it('stall: no more bytes, until the client gives up', async () => {
    hub.inject({ match: CDN, fault: { kind: 'stall', afterBytes: 7 } });
    const abort = new AbortController();
    const response = await weights({ signal: abort.signal });
    const reader = response.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    expect(Buffer.from(value ?? []).toString()).toBe('weights');
    const next = reader?.read();
    expect(await Promise.race([next, sleep(50, 'silence')])).toBe('silence');
    abort.abort();
    await expect(next).rejects.toThrow('aborted');
  });

  it('corrupt: one byte is wrong', async () => {
    hub.inject({ match: CDN, fault: { kind: 'corrupt', at: 8 } });
    const body = Buffer.from(await (await weights()).arrayBuffer());
    expect(body).toHaveLength(WEIGHTS.length);
    expect([...body].flatMap((byte, at) => (byte === WEIGHTS.charCodeAt(at) ? [] : [at]))).toEqual([
      8,
    ]);
  });

  it('truncate and extend: another length, cleanly', async () => {
    hub.inject({ match: CDN, fault: { kind: 'truncate', bytes: 7 } });
    hub.inject({ match: CDN, fault: { kind: 'extend', bytes: 3 } });
    const [short, long] = [await weights(), await weights()];
    expect(short.headers.get('content-length')).toBe('7');
    expect(await receive(short)).toEqual({ text: 'weights', complete: true });
    expect(long.headers.get('content-length')).toBe('23');
    expect(await receive(long)).toEqual({ text: `${WEIGHTS}xxx`, complete: true });
  });

  it('gzip: compressed without a length', async () => {
    hub.inject({ match: CDN, fault: { kind: 'gzip' } });
    const response = await weights();
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(response.headers.has('content-length')).toBe(false);
    expect(await response.text()).toBe(WEIGHTS);
  });

  it('slow: small chunks', async () => {
    hub.inject({ match: CDN, fault: { kind: 'slow', bytesPerSecond: 100 } });
    const response = await weights();
    const parts: number[] = [];
    for await (const part of response.body ?? []) parts.push(part.length);
    expect(parts).toEqual([5, 5, 5, 5]);
  });

  it('html: a page in place of JSON', async () => {
    hub.inject({ match: TREE, fault: { kind: 'html' } });
    const response = await get(TREE);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
    expect(await response.text()).toMatch(/^<!doctype html>/u);
  });

  it('json: another value, or a change to the true one', async () => {
    hub.inject({ match: TREE, fault: { kind: 'json', body: { not: ['a', 'tree'] } } });
    expect(await (await get(TREE)).json()).toEqual({ not: ['a', 'tree'] });
    const hostile = (entries: { path: string }[]) =>
      entries.map((entry) => ({ ...entry, path: `../${entry.path}` }));
    hub.inject({ match: TREE, fault: { kind: 'json', body: hostile } });
    expect(await (await get(TREE)).json()).toMatchObject([
      { type: 'file', path: '../a.json' },
      { path: '../b.json' },
      { path: '../w' },
    ]);
  });

  it('headers: set or removed', async () => {
    const headers = { 'X-Repo-Commit': 'wrong', 'x-linked-etag': undefined };
    hub.inject({ match: '/resolve/', fault: { kind: 'headers', headers } });
    const response = await get('/org/name/resolve/main/w');
    expect(response.headers.get('x-repo-commit')).toBe('wrong');
    expect(response.headers.has('x-linked-etag')).toBe(false);
    expect(response.headers.get('x-linked-size')).toBe('20');
  });

  it('paging: the same page again', async () => {
    hub.inject({ match: TREE, fault: { kind: 'paging', next: 'same' } });
    expect((await get(TREE)).headers.get('link')).toBe(`<${hub.endpoint}${TREE}>; rel="next"`);
  });

  it('paging: always one more page, with paths of its own', async () => {
    const fault: Fault = { kind: 'paging', next: 'endless' };
    const injection = hub.inject({ match: TREE, times: Infinity, fault });
    const urls: string[] = [];
    const paths: string[] = [];
    let next = `${hub.endpoint}${TREE}`;
    while (urls.length < 5) {
      urls.push(next);
      const response: Response = await fetch(next);
      const entries: { path: string }[] = JSON.parse(await response.text());
      paths.push(...entries.map(({ path }) => path));
      next = /^<(.+)>; rel="next"$/u.exec(response.headers.get('link') ?? '')?.[1] ?? '';
    }
    injection.remove();
    expect(new Set(urls).size).toBe(5);
    expect(new Set(paths).size).toBe(15);
  });

  it('redirect: to anywhere', async () => {
    hub.inject({
      match: '/resolve/',
      fault: { kind: 'redirect', location: 'http://example.invalid/' },
    });
    const response = await get('/org/name/resolve/main/w');
    expect([response.status, response.headers.get('location')]).toEqual([
      302,
      'http://example.invalid/',
    ]);
  });

  it('expired: the CDN refuses its own address', async () => {
    hub.inject({ match: CDN, fault: { kind: 'expired' } });
    const response = await weights();
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('<Code>AccessDenied</Code>');
  });

  it('hugeJson: a valid response of any length', async () => {
    hub.inject({ match: TREE, fault: { kind: 'hugeJson', bytes: 3_000_000 } });
    const text = await (await get(TREE)).text();
    expect(text).toHaveLength(3_000_000);
    expect(JSON.parse(text)).toEqual(['x'.repeat(2_999_996)]);
  });

  it('hugeJson: the same in few bytes', async () => {
    hub.inject({ match: TREE, fault: { kind: 'hugeJson', bytes: 3_000_000, compressed: true } });
    const response = await get(TREE);
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(await response.text()).toHaveLength(3_000_000);
    expect(hub.requests.at(-1)?.bodyBytesSent).toBeLessThan(10_000);
  });

  it('an exception in a function of a test gives a 500 with its message', async () => {
    const body = () => {
      throw new Error('defect of the test');
    };
    hub.inject({ match: TREE, fault: { kind: 'json', body } });
    const response = await get(TREE);
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('defect of the test');
  });
});

function get(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${hub.endpoint}${path}`, { redirect: 'manual', ...init });
}

function weights(init: RequestInit = {}): Promise<Response> {
  return fetch(`${hub.endpoint}/org/name/resolve/main/w`, init);
}

/** The received bytes of a body, and whether it ended as announced. */
async function receive(response: Response): Promise<{ text: string; complete: boolean }> {
  const chunks: Uint8Array[] = [];
  let complete = true;
  try {
    for await (const chunk of response.body ?? []) chunks.push(chunk);
  } catch {
    complete = false;
  }
  return { text: Buffer.concat(chunks).toString(), complete };
}
