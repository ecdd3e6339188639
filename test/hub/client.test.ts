import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createHubApi, type HubApi } from '../../src/hub/api.ts';
import { createHttp, type HttpOptions } from '../../src/hub/http.ts';
import type { Wait } from '../../src/hub/retry.ts';
import { type Fault, type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';
import { inject } from '../support/inject.ts';

const TOKEN = 'test-token-of-the-owner';
const STRANGER = 'test-token-of-a-stranger';
const IMPATIENT = { retries: 3, baseMs: 1, longestWaitMs: 5_000 };

let hub: Hub;
let tiny: Repository;
let sha: string;
let waits: Wait[];

async function withApi<T>(
  use: (api: HubApi) => Promise<T>,
  over: Partial<HttpOptions> = {},
): Promise<T> {
  const http = createHttp({
    endpoint: hub.endpoint,
    userAgent: 'test',
    retry: IMPATIENT,
    onWait: (wait) => waits.push(wait),
    ...over,
  });
  try {
    return await use(createHubApi(http));
  } finally {
    await http.close();
  }
}

const coded = (code: string, message = '') =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

beforeAll(async () => {
  hub = await startHub();
  hub.addToken(TOKEN);
  hub.addToken(STRANGER, { repos: [], pending: ['org/pending'] });
  tiny = await hub.createRepo({ type: 'model', id: 'org/tiny', aliases: ['tiny'] });
  sha = await tiny.commit({ files: { 'config.json': '{}', 'w.bin': lfs('weights') } });
  for (const [id, options] of Object.entries({
    'org/gated': { gated: 'manual' },
    'org/pending': { gated: 'manual' },
    'org/private': { private: true },
    'org/disabled': { disabled: true },
  } as const)) {
    const repo = await hub.createRepo({ type: 'model', id, ...options });
    await repo.commit({ files: { 'config.json': '{}', 'w.bin': lfs('weights') } });
  }
});
afterAll(() => hub.close());
beforeEach(() => {
  hub.clearRequests();
  waits = [];
});

describe('closing a client', () => {
  it.each<[string, Fault]>([
    ['a response', { kind: 'stall', afterBytes: 0 }],
    ['a retry', { kind: 'status', status: 503, headers: { 'retry-after': '4' } }],
  ])('aborts requests that wait for %s, and retries none', async (_what, fault) => {
    inject(hub, { match: () => true, fault, times: Infinity });
    const http = createHttp({
      endpoint: hub.endpoint,
      userAgent: 'test',
      retry: IMPATIENT,
      onWait: (wait) => waits.push(wait),
    });
    const subject = { type: 'model', id: 'org/tiny' } as const;
    const asked = http.json(`${hub.endpoint}/api/models/org/tiny`, subject, 1_000);
    const ended = expect(asked).rejects.toThrow('abort');
    while (hub.requests.length === 0) await sleep(5);
    await sleep(50);
    const told = waits.length;
    await http.close();
    await ended;
    expect(hub.requests.length).toBe(1);
    expect(waits.length).toBe(told);
  });
});

describe('revisions', () => {
  it('resolves branch, tag, pull request, branch with a slash, commit and canonical id', async () => {
    await tiny.tag('v1.0', sha, { annotated: true });
    await tiny.pullRequest(1, sha);
    await tiny.branch('feat/x', sha);
    const expected = { id: 'org/tiny', rev: sha, repoId: tiny.internalId };
    await withApi(async (api) => {
      for (const ref of ['main', 'v1.0', 'refs/pr/1', 'feat/x', sha]) {
        expect(await api.revision('model', 'org/tiny', ref)).toEqual(expected);
      }
      expect(await api.revision('model', 'tiny', 'main')).toEqual(expected);
      expect(await api.tags('model', 'tiny')).toEqual(['v1.0']);
    });
  });

  it.each([
    ['org/tiny', 'nope', undefined, 'EHUG_REVISION_NOT_FOUND'],
    ['org/nope', 'main', undefined, 'EHUG_REPO_NOT_FOUND'],
    ['org/nope', 'main', TOKEN, 'EHUG_REPO_NOT_FOUND'],
    ['org/private', 'main', undefined, 'EHUG_REPO_NOT_FOUND'],
    ['org/private', 'main', STRANGER, 'EHUG_REPO_NOT_FOUND'],
    ['org/tiny', 'main', 'unknown-token', 'EHUG_TOKEN'],
  ])('%s at %s with token %s is %s', async (id, ref, token, code) => {
    const asked = withApi((api) => api.revision('model', id, ref), { token });
    await expect(asked).rejects.toEqual(coded(code));
    expect(waits).toEqual([]);
  });

  it('refuses another commit than the requested one', async () => {
    const other = (info: object) => ({ ...info, sha: 'f'.repeat(40) });
    inject(hub, { match: '/revision/', fault: { kind: 'json', body: other } });
    const asked = withApi((api) => api.revision('model', 'org/tiny', sha));
    await expect(asked).rejects.toEqual(
      coded('EHUG_PROTOCOL', `it is for commit ${'f'.repeat(40)}`),
    );
  });

  it('reads a private repository with a token that has access', async () => {
    const { id } = await withApi((api) => api.revision('model', 'org/private', 'main'), {
      token: TOKEN,
    });
    expect(id).toBe('org/private');
  });
});

describe('files', () => {
  const config = { path: 'config.json', size: 2, oid: '9e26dfeeb6e641a33dae4961196235bdb965b21b' };
  const hashOf = (id: string, token?: string) =>
    withApi(
      async (api) => {
        const { rev } = await api.revision('model', id, 'main');
        return api.hashOf('model', id, rev, config);
      },
      { token },
    );

  it('are hashed and checked', async () => {
    expect(await hashOf('org/tiny')).toBe('sha256-RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=');
  });

  it.each([
    ['org/gated', undefined, 'EHUG_GATED'],
    ['org/gated', STRANGER, 'EHUG_GATED'],
    ['org/pending', STRANGER, 'EHUG_GATED'],
    ['org/disabled', undefined, 'EHUG_DISABLED'],
  ])('of %s with token %s end in %s', async (id, token, code) => {
    await expect(hashOf(id, token)).rejects.toEqual(coded(code));
  });

  it('of a gated repository name the page to request access on', async () => {
    await expect(hashOf('org/gated')).rejects.toEqual(
      expect.objectContaining({ hint: expect.stringContaining(`${hub.endpoint}/org/gated`) }),
    );
  });

  it('that are missing are named', async () => {
    const missing = withApi((api) =>
      api.hashOf('model', 'org/tiny', sha, { ...config, path: 'no such' }),
    );
    await expect(missing).rejects.toEqual(coded('EHUG_FILE_NOT_FOUND', '"no such"'));
  });

  it.each<[string, Fault, string]>([
    ['flipped', { kind: 'corrupt' }, 'git blob id'],
    ['short', { kind: 'truncate', bytes: 1 }, 'has 1 of 2 bytes'],
    ['long', { kind: 'extend', bytes: 5_000_000 }, 'more than 2 bytes'],
  ])('with %s bytes are refused', async (_what, fault, message) => {
    inject(hub, { match: '/api/resolve-cache/', fault });
    await expect(hashOf('org/tiny')).rejects.toEqual(coded('EHUG_INTEGRITY', message));
  });

  it.each<[string, Fault]>([
    ['a reset', { kind: 'reset' }],
    ['a cut body', { kind: 'cut', afterBytes: 1 }],
    ['a stalled body', { kind: 'stall', afterBytes: 1 }],
    ['a 503', { kind: 'status', status: 503 }],
    ['a 408', { kind: 'status', status: 408 }],
    ['gzip without a length', { kind: 'gzip' }],
  ])('survive %s', async (_what, fault) => {
    const injected = inject(hub, { match: '/config.json', fault, times: 2 });
    const hash = withApi((api) => api.hashOf('model', 'org/tiny', sha, config), {
      readTimeoutMs: 300,
    });
    expect(await hash).toContain('sha256-');
    expect(injected.hits).toBeGreaterThan(0);
  });
});

describe('trees', () => {
  const tree = (over: Partial<HttpOptions> = {}) =>
    withApi((api) => api.tree('model', 'org/tiny', sha), over);

  it('are read from many pages, and unknown fields are ignored', async () => {
    const many = await hub.createRepo({ type: 'dataset', id: 'org/many' });
    const names = Array.from({ length: 25 }, (_, index) => `folder ${index % 3}/ä ${index}.txt`);
    const rev = await many.commit({ files: names.map((name) => [name, name]) });
    hub.options.pageSize = 4;
    hub.options.extraTreeField = { new: { field: [1] } };
    const files = await withApi((api) => api.tree('dataset', 'org/many', rev));
    hub.options.pageSize = 1000;
    hub.options.extraTreeField = {};
    expect(files.map(({ path }) => path).toSorted()).toEqual(names.toSorted());
    expect(hub.requests.filter(({ url }) => url.includes('/tree/')).length).toBe(7);
  });

  it('of gated weights have masked digests', async () => {
    const files = await withApi(async (api) => {
      const { rev } = await api.revision('model', 'org/gated', 'main');
      return api.tree('model', 'org/gated', rev);
    });
    expect(files.map(({ path, lfs: object }) => [path, object])).toEqual([
      ['config.json', undefined],
      ['w.bin', 'masked'],
    ]);
  });

  const entry = (over: object) => ({
    type: 'file',
    path: 'a',
    oid: 'f'.repeat(40),
    size: 1,
    ...over,
  });
  it.each<[string, Fault, string, string]>([
    ['a page that repeats', { kind: 'paging', next: 'same' }, 'EHUG_PROTOCOL', 'repeats'],
    [
      'a next page that is no web address',
      { kind: 'headers', headers: { link: '<file:///etc/passwd>; rel="next"' } },
      'EHUG_PROTOCOL',
      'invalid address of the next page',
    ],
    ['HTML', { kind: 'html' }, 'EHUG_PROTOCOL', 'not JSON'],
    ['a damaged byte', { kind: 'corrupt', at: 30 }, 'EHUG_PROTOCOL', 'not UTF-8'],
    [
      'an unsupported encoding',
      { kind: 'headers', headers: { 'content-encoding': 'br' } },
      'EHUG_PROTOCOL',
      'encoding br',
    ],
    [
      'a body that is not gzip',
      { kind: 'headers', headers: { 'content-encoding': 'gzip' } },
      'EHUG_NETWORK',
      'incorrect header check',
    ],
    [
      'no list',
      { kind: 'json', body: {} },
      'EHUG_PROTOCOL',
      'an invalid response for model org/tiny',
    ],
    ['a bad id', { kind: 'json', body: [entry({ oid: 'x' })] }, 'EHUG_PROTOCOL', '0.oid'],
    ['a bad size', { kind: 'json', body: [entry({ size: -1 })] }, 'EHUG_PROTOCOL', '0.size'],
    [
      'a bad digest',
      { kind: 'json', body: [entry({ lfs: { oid: '*'.repeat(63), size: 1 } })] },
      'EHUG_PROTOCOL',
      '0.lfs.oid',
    ],
    [
      'two sizes',
      { kind: 'json', body: [entry({ lfs: { oid: '0'.repeat(64), size: 2 } })] },
      'EHUG_PROTOCOL',
      'two sizes',
    ],
    ['a path twice', { kind: 'json', body: [entry({}), entry({})] }, 'EHUG_PROTOCOL', 'twice'],
    [
      'a file that is a folder',
      { kind: 'json', body: [entry({}), entry({ path: 'a/b' })] },
      'EHUG_PROTOCOL',
      'both a file and a folder',
    ],
    ['a path with ..', { kind: 'json', body: [entry({ path: '../a' })] }, 'EHUG_UNSAFE_PATH', '..'],
    ['an absolute path', { kind: 'json', body: [entry({ path: '/a' })] }, 'EHUG_UNSAFE_PATH', '/a'],
    ['too much JSON', { kind: 'hugeJson', bytes: 8_400_000 }, 'EHUG_PROTOCOL', 'more than'],
    [
      'a redirect loop',
      { kind: 'redirect', location: '/api/models/org/tiny/tree/loop' },
      'EHUG_PROTOCOL',
      'redirect',
    ],
    [
      'an endless chain of redirects',
      { kind: 'redirect', location: './x/next' },
      'EHUG_PROTOCOL',
      'redirects more than 10 times',
    ],
    [
      'a redirect without a location',
      { kind: 'status', status: 302 },
      'EHUG_PROTOCOL',
      'unexpected status 302',
    ],
    [
      'the status of a conditional request',
      { kind: 'status', status: 304 },
      'EHUG_PROTOCOL',
      'unexpected status 304',
    ],
    [
      'a redirect to a file',
      { kind: 'redirect', location: 'file:///etc/passwd' },
      'EHUG_PROTOCOL',
      'redirect',
    ],
  ])('with %s are refused', async (_what, fault, code, message) => {
    inject(hub, { match: '/tree/', times: 50, fault });
    await expect(tree()).rejects.toEqual(coded(code, message));
  });

  it('stop after the page limit', async () => {
    inject(hub, { match: '/tree/', times: Infinity, fault: { kind: 'paging', next: 'endless' } });
    await expect(tree()).rejects.toEqual(coded('EHUG_PROTOCOL', 'do not end'));
  });
});

describe('limits and faults of the API', () => {
  const ask = (over: Partial<HttpOptions> = {}) =>
    withApi((api) => api.revision('model', 'org/tiny', 'main'), over);
  const limited = (headers: Record<string, string>): Fault => ({
    kind: 'status',
    status: 429,
    headers,
  });

  it('waits as Retry-After and RateLimit request, and announces it', async () => {
    inject(hub, { match: '/revision/', fault: limited({ 'retry-after': '1' }) });
    await ask();
    inject(hub, { match: '/revision/', fault: limited({ ratelimit: '"api";r=0;t=1' }) });
    await ask();
    expect(waits.map(({ ms }) => ms)).toEqual([1_000, 2_000]);
    expect(waits[0]?.reason).toContain('rate limit');
  });

  it('gives up when the wait is too long', async () => {
    inject(hub, { match: '/revision/', fault: limited({ 'retry-after': '3600' }) });
    await expect(ask()).rejects.toEqual(coded('EHUG_RATE_LIMIT'));
    expect(waits).toEqual([]);
  });

  it('gives up after the last retry, with the message of the Hub', async () => {
    const injected = inject(hub, {
      match: '/revision/',
      times: Infinity,
      fault: { kind: 'status', status: 500, body: 'our fault' },
    });
    await expect(ask()).rejects.toEqual(
      coded('EHUG_HUB', 'answers 500 for model org/tiny: our fault'),
    );
    expect(injected.hits).toBe(4);
  });

  it('reports a missing permission apart from a missing repository', async () => {
    const body = JSON.stringify({ error: 'You have read access only' });
    inject(hub, { match: '/revision/', fault: { kind: 'status', status: 403, body } });
    await expect(ask()).rejects.toEqual(coded('EHUG_FORBIDDEN', 'You have read access only'));
  });

  it('names a Hub that cannot be reached', async () => {
    const gone = ask({ endpoint: 'http://127.0.0.1:9' });
    await expect(gone).rejects.toEqual(coded('EHUG_NETWORK', 'http://127.0.0.1:9'));
    expect(waits.length).toBe(3);
  });

  it('sends no more requests at once than the limit', async () => {
    hub.options.latencyMs = 30;
    const parallel = { now: 0, most: 0 };
    await withApi(
      (api) =>
        Promise.all(
          Array.from({ length: 12 }, async () => api.revision('model', 'org/tiny', 'main')),
        ),
      {
        apiConcurrency: 3,
        onExchange: () => {
          parallel.now += 1;
          parallel.most = Math.max(parallel.most, parallel.now);
          setTimeout(() => (parallel.now -= 1), 15);
        },
      },
    );
    hub.options.latencyMs = 0;
    expect(parallel.most).toBe(3);
  });
});

describe('the token', () => {
  it('goes to the endpoint only, and not on to the CDN', async () => {
    await withApi(
      async (api) => {
        const { rev } = await api.revision('model', 'org/tiny', 'main');
        const weights = (await api.tree('model', 'org/tiny', rev)).find(({ lfs: l }) => l);
        if (weights === undefined) throw new Error('no weights in the tree');
        await api.hashOf('model', 'org/tiny', rev, weights).catch(() => undefined);
      },
      { token: TOKEN },
    );
    const cdn = hub.requests.filter(({ origin }) => origin === 'cdn');
    expect(cdn.map(({ authorization }) => authorization)).toEqual([undefined]);
    const seen = hub.requests.filter(({ origin }) => origin === 'hub');
    expect(new Set(seen.map(({ authorization }) => authorization))).toEqual(
      new Set([`Bearer ${TOKEN}`]),
    );
  });
});
