import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';

// Info of the loopback hub about a repository, compared with recorded responses of the real Hub.

let hub: Hub;
let repo: Repository;
let sha: string;

beforeAll(async () => {
  hub = await startHub();
  repo = await hub.createRepo({
    type: 'model',
    id: 'wzshiming/gpt2',
    aliases: ['gpt2', 'old-org/old-name'],
    cardData: { license: 'mit' },
  });
  sha = await repo.commit({
    message: 'Duplicate from openai-community/gpt2\n\nAll of it',
    files: {
      'config.json': '{}',
      'README.md': '# GPT-2',
      '.gitattributes': '',
      '64.tflite': lfs('64'),
      '64-fp16.tflite': lfs('64-fp16'),
      'onnx/config.json': '{"onnx":true}',
      'onnx/ä b/x.json': '{}',
    },
  });
  const dataset = await hub.createRepo({ type: 'dataset', id: 'wzshiming/fixtures_image_utils' });
  await dataset.commit({ files: { 'README.md': '' } });
});

afterAll(() => hub.close());

beforeEach(() => {
  Object.assign(hub.options, { pageSize: 1000, treeOrder: 'hub', extraTreeField: {} });
  hub.clearRequests();
});

describe('every response', () => {
  // The weak ETag is a digest of the body, so an equal one means an equal body.
  it.for([
    ['/api/whoami-v2', 401, 'W/"29-dEMcHWfJi78ZR1aqzb1ELAhp3Us"'],
    [
      '/api/models/wzshiming/gpt2/revision/does-not-exist',
      404,
      'W/"2a-TQAfhukuCBO4wOfjXb5rePuXRN0"',
    ],
    [
      '/api/models/wzshiming/gpt2/tree/main/does-not-exist',
      404,
      'W/"35-jZQ7A3f4ZSHOkgDs8j0Aact1hjE"',
    ],
    ['/wzshiming/gpt2/resolve/main/does-not-exist.txt', 404, 'W/"f-mY2VvLxuxB7KhsoOdQTlMTccuAQ"'],
  ] as const)('%s has the recorded status and body', async ([path, status, etag]) => {
    const response = await get(path);
    expect(response.status).toBe(status);
    expect(response.headers.get('etag')).toBe(etag);
  });

  it('has the headers of the real hub', async () => {
    const { headers } = await get('/api/models/wzshiming/gpt2');
    expect(Object.fromEntries(headers)).toMatchObject({
      'access-control-expose-headers': expect.stringContaining('X-Linked-ETag'),
      'content-type': 'application/json; charset=utf-8',
      'ratelimit-policy': '"fixed window";"api";q=500;w=300',
      'referrer-policy': 'strict-origin-when-cross-origin',
      'strict-transport-security': 'max-age=31536000',
      ratelimit: expect.stringMatching(/^"api";r=\d+;t=\d+$/u),
      vary: 'Origin',
      'x-powered-by': 'huggingface-moon',
      'x-request-id': expect.stringMatching(/^Root=1-/u),
    });
    const resolved = await get('/wzshiming/gpt2/resolve/main/config.json');
    expect(resolved.headers.get('ratelimit')).toMatch(/^"resolvers";r=\d+;t=\d+$/u);
  });

  it('is 304 for its own ETag', async () => {
    const { headers } = await get('/api/models/wzshiming/gpt2');
    const etag = headers.get('etag') ?? '';
    const again = await get('/api/models/wzshiming/gpt2', { headers: { 'If-None-Match': etag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  it('is logged, also for an unknown address', async () => {
    await get('/nowhere/at/all?x=1');
    await get('/api/models/wzshiming/gpt2/tree/main', { method: 'DELETE' });
    expect(hub.requests).toMatchObject([
      { origin: 'hub', method: 'GET', url: '/nowhere/at/all?x=1', status: 404 },
      { origin: 'hub', method: 'DELETE', status: 404 },
    ]);
  });

  it.for([
    ['/api/models/gpt2', '/api/models/wzshiming/gpt2'],
    [
      '/api/models/gpt2/tree/main?recursive=true',
      '/api/models/wzshiming/gpt2/tree/main?recursive=true',
    ],
    ['/api/models/WZshiming/GPT2/refs', '/api/models/wzshiming/gpt2/refs'],
    ['/gpt2/resolve/refs%2Fpr%2F1/a%20b', '/wzshiming/gpt2/resolve/refs%2Fpr%2F1/a%20b'],
    ['/old-org/old-name/raw/main/x', '/wzshiming/gpt2/raw/main/x'],
  ] as const)('%s is redirected to %s', async ([path, location]) => {
    const response = await get(path);
    expect(response.status).toBe(307);
    expect(response.headers.get('location')).toBe(location);
    expect(response.headers.has('etag')).toBe(false);
    expect(response.headers.has('x-repo-commit')).toBe(false);
    expect(await response.text()).toBe(`Temporary Redirect. Redirecting to ${location}`);
  });
});

describe('repo info', () => {
  it('of a model has the recorded keys in their order', async () => {
    const info = await object('/api/models/wzshiming/gpt2');
    expect(Object.keys(info).join()).toBe(
      '_id,id,private,tags,downloads,likes,modelId,author,sha,lastModified,gated,disabled,' +
        'model-index,config,cardData,siblings,spaces,createdAt,usedStorage',
    );
    expect(info).toMatchObject({
      id: 'wzshiming/gpt2',
      sha,
      tags: ['license:mit', 'region:us'],
      lastModified: '2024-01-01T00:00:00.000Z',
      usedStorage: 9,
    });
  });

  it('of a dataset has the recorded keys in their order, and no card', async () => {
    const info = await object('/api/datasets/wzshiming/fixtures_image_utils');
    expect(Object.keys(info).join()).toBe(
      '_id,id,author,sha,lastModified,private,gated,disabled,tags,downloads,likes,siblings,' +
        'createdAt,usedStorage',
    );
  });

  it('lists files by bytes, with digests on demand', async () => {
    const { siblings } = await object('/api/models/wzshiming/gpt2/revision/main?blobs=true');
    expect(siblings).toMatchObject([
      { rfilename: '.gitattributes', size: 0, blobId: 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391' },
      { rfilename: '64-fp16.tflite', lfs: { size: 7, pointerSize: 126 } },
      { rfilename: '64.tflite', size: 2, lfs: { sha256: await lfs('64').sha256(), size: 2 } },
      { rfilename: 'README.md' },
      { rfilename: 'config.json' },
      { rfilename: 'onnx/config.json' },
      { rfilename: 'onnx/ä b/x.json' },
    ]);
    const plain = await object('/api/models/wzshiming/gpt2');
    expect(plain['siblings']).toContainEqual({ rfilename: 'config.json' });
  });

  it('has only the requested fields with expand', async () => {
    const path = '/api/models/wzshiming/gpt2?expand[]=gated&expand=sha';
    expect(await object(path)).toEqual({
      _id: repo.internalId,
      id: 'wzshiming/gpt2',
      sha,
      gated: false,
    });
    expect((await get(`${path}&blobs=true`)).status).toBe(400);
  });

  it('has the outcome of the security scans on demand', async () => {
    const path = '/api/models/wzshiming/gpt2';
    const status = { scansDone: true, filesWithIssues: [] };
    expect(await object(`${path}?securityStatus=true`)).toMatchObject({
      securityRepoStatus: status,
    });
    expect(await object(path)).not.toHaveProperty('securityRepoStatus');
  });

  it('resolves every kind of revision to its commit', async () => {
    const next = await repo.commit({ branch: 'feat/x', parent: sha, files: { new: '' } });
    await repo.tag('v1.0', next, { annotated: true });
    await repo.pullRequest(1, next);
    await repo.convert('parquet', next);
    const revisions = ['feat%2Fx', 'v1.0', 'refs%2Fpr%2F1', 'refs%2Fconvert%2Fparquet'];
    for (const revision of [...revisions, next, next.slice(0, 7), 'feat/x']) {
      const info = await object(`/api/models/wzshiming/gpt2/revision/${revision}`);
      expect(info['sha']).toBe(next);
    }
    expect((await get('/api/models/wzshiming/gpt2/revision/abc')).status).toBe(404);
  });
});

describe('refs', () => {
  it('has the recorded shape, with pull requests on demand', async () => {
    const other = await hub.createRepo({ type: 'model', id: 'refs/model' });
    const commit = await other.commit({ files: { a: '1' } });
    const main = { name: 'main', ref: 'refs/heads/main', targetCommit: commit };
    const plain = await get('/api/models/refs/model/refs');
    expect(plain.headers.get('content-length')).toBe('136');
    expect(await plain.json()).toEqual({ tags: [], branches: [main], converts: [] });

    await other.tag('v1.0', commit);
    await other.branch('v1.1.a1', commit);
    await other.pullRequest(12, commit);
    await other.convert('parquet', commit);
    expect(await object('/api/models/refs/model/refs?include_prs=1')).toEqual({
      tags: [{ name: 'v1.0', ref: 'refs/tags/v1.0', targetCommit: commit }],
      branches: [main, { name: 'v1.1.a1', ref: 'refs/heads/v1.1.a1', targetCommit: commit }],
      converts: [{ name: 'parquet', ref: 'refs/convert/parquet', targetCommit: commit }],
      pullRequests: [{ name: '12', ref: 'refs/pr/12', targetCommit: commit }],
    });
  });
});

describe('commits', () => {
  it('come in pages, newest first', async () => {
    const other = await hub.createRepo({ type: 'model', id: 'commits/model' });
    const ids = [];
    for (const text of ['a', 'b', 'c']) {
      ids.unshift(await other.commit({ message: `${text}\n\nmore`, files: { a: text } }));
    }
    const first = await get('/api/models/commits/model/commits/main?limit=2');
    expect(first.headers.get('x-total-count')).toBe('3');
    const next = `${hub.endpoint}/api/models/commits/model/commits/main?limit=2&p=1`;
    expect(first.headers.get('link')).toBe(`<${next}>; rel="next"`);
    expect(await first.json()).toMatchObject([
      { id: ids[0], title: 'c', message: '\nmore', date: '2024-01-01T00:02:00.000Z' },
      { id: ids[1] },
    ]);
    const second = await fetch(next);
    expect(second.headers.has('link')).toBe(false);
    expect(await second.json()).toMatchObject([{ id: ids[2], authors: [{ user: 'hub' }] }]);
  });
});

async function object(path: string): Promise<Record<string, unknown>> {
  const value: Record<string, unknown> = JSON.parse(await (await get(path)).text());
  return value;
}

function get(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${hub.endpoint}${path}`, { redirect: 'manual', ...init });
}
