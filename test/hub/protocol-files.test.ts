import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';

// Files of the loopback hub and its CDN, compared with recorded responses.

const CONFIG = '{"model_type":"gpt2"}';
const WEIGHTS = 'weights of the model';

let hub: Hub;
let repo: Repository;
let sha: string;

beforeAll(async () => {
  hub = await startHub();
  repo = await hub.createRepo({ type: 'model', id: 'wzshiming/gpt2' });
  sha = await repo.commit({
    files: {
      'config.json': CONFIG,
      'sub dir/größe #1.txt': 'big',
      'empty.txt': '',
      'model.safetensors': lfs(WEIGHTS),
      'zero.bin': lfs(''),
      'large.bin': lfs.generated({ size: 3_000_000, seed: 'large' }),
    },
  });
  const dataset = await hub.createRepo({ type: 'dataset', id: 'wzshiming/fixtures_image_utils' });
  await dataset.commit({ files: { 'README.md': '# Images' } });
});

afterAll(() => hub.close());

afterEach(() => {
  vi.useRealTimers();
});

describe('a plain file', () => {
  // The lengths are the recorded ones: ids of commits and blobs always have 40 digits.
  it.for([
    ['/wzshiming/gpt2/resolve/main/config.json', 'models/wzshiming/gpt2', '232'],
    [
      '/datasets/wzshiming/fixtures_image_utils/resolve/main/README.md',
      'datasets/wzshiming/fixtures_image_utils',
      '273',
    ],
  ] as const)('%s is redirected to the resolve cache', async ([path, id, length]) => {
    const response = await get(path, { method: 'HEAD' });
    expect(response.status).toBe(307);
    const { location, ...headers } = Object.fromEntries(response.headers);
    expect(headers).toMatchObject({
      'accept-ranges': 'bytes',
      'content-disposition': expect.stringMatching(/^inline; filename\*=UTF-8''/u),
      'content-length': length,
      'content-type': 'text/plain; charset=utf-8',
      vary: 'Origin, Accept',
      'x-hf-warning': expect.stringMatching(/^unauthenticated; /u),
      'x-linked-etag': expect.stringMatching(/^"[0-9a-f]{40}"$/u),
      'x-repo-commit': expect.stringMatching(/^[0-9a-f]{40}$/u),
    });
    expect(headers).not.toHaveProperty('etag');
    const name = path.split('/').at(-1);
    const etag = headers['x-linked-etag']?.replaceAll('"', '%22');
    expect(location).toBe(
      `/api/resolve-cache/${id}/${headers['x-repo-commit']}/${name}?${encodeURIComponent(path)}=&etag=${etag}`,
    );
  });

  it('is served there with its blob id as ETag', async () => {
    const response = await fetch(`${hub.endpoint}/wzshiming/gpt2/resolve/main/config.json`);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'accept-ranges': 'bytes',
      'content-disposition': `inline; filename*=UTF-8''config.json; filename="config.json";`,
      'content-length': String(CONFIG.length),
      'content-type': 'text/plain; charset=utf-8',
      etag: '"681c693376013230a961d427942459a2ac613f60"',
      vary: 'Origin',
      'x-repo-commit': sha,
    });
    expect(await response.text()).toBe(CONFIG);
  });

  it('may have any name and no content', async () => {
    const named = encodeURIComponent('größe #1.txt');
    const response = await fetch(`${hub.endpoint}/wzshiming/gpt2/resolve/main/sub%20dir/${named}`);
    expect(await response.text()).toBe('big');
    expect(response.headers.get('content-disposition')).toBe(
      `inline; filename*=UTF-8''${named}; filename="gr??e #1.txt";`,
    );
    const empty = await fetch(`${hub.endpoint}/wzshiming/gpt2/resolve/main/empty.txt`);
    expect([empty.status, empty.headers.get('content-length')]).toEqual([200, '0']);
  });

  it.for([
    [{ Range: 'bytes=2-4' }, 206, CONFIG.slice(2, 5), 'bytes 2-4/21'],
    [{ Range: 'bytes=0-0' }, 206, '{', 'bytes 0-0/21'],
    [{ Range: 'bytes=15-' }, 206, CONFIG.slice(15), 'bytes 15-20/21'],
    [{ Range: 'bytes=-3' }, 206, CONFIG.slice(-3), 'bytes 18-20/21'],
    [{ Range: 'bytes=20-99' }, 206, '}', 'bytes 20-20/21'],
    [{ Range: 'bytes=21-' }, 416, '', 'bytes */21'],
    [{ Range: 'bytes=0-1,3-4' }, 200, CONFIG, null],
    [{ Range: 'bytes=0-0', 'If-Range': '"other"' }, 200, CONFIG, null],
    [{ 'If-Match': '"other"' }, 412, '', null],
    [{ 'If-Match': '*' }, 200, CONFIG, null],
    [{ 'If-None-Match': '"other"' }, 200, CONFIG, null],
  ] as const)('answers %o with %i', async ([headers, status, text, contentRange]) => {
    const response = await fetch(`${hub.endpoint}/wzshiming/gpt2/resolve/main/config.json`, {
      headers,
    });
    expect([response.status, await response.text()]).toEqual([status, text]);
    expect(response.headers.get('content-range')).toBe(contentRange);
  });

  it('is an attachment on demand', async () => {
    const path = '/wzshiming/gpt2/resolve/main/config.json?download=true';
    const response = await get(path);
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; /u);
  });

  it('is 304 for its own ETag, before any redirect', async () => {
    const path = '/wzshiming/gpt2/resolve/main/config.json';
    const etag = (await get(path)).headers.get('x-linked-etag') ?? '';
    const response = await get(path, { headers: { 'If-None-Match': `W/${etag}` } });
    expect([response.status, response.headers.get('etag')]).toEqual([304, etag]);
  });

  it('that is missing has the commit header on HEAD only', async () => {
    const path = '/wzshiming/gpt2/resolve/main/none';
    for (const method of ['HEAD', 'GET']) {
      const response = await get(path, { method });
      expect(response.status).toBe(404);
      expect(response.headers.get('x-error-code')).toBe('EntryNotFound');
      expect(response.headers.get('x-repo-commit')).toBe(method === 'HEAD' ? sha : null);
    }
    expect(
      (await get('/wzshiming/gpt2/resolve/none/config.json')).headers.get('x-error-code'),
    ).toBe('RevisionNotFound');
  });
});

describe('an LFS file', () => {
  it('is redirected to the CDN', async () => {
    const response = await get('/wzshiming/gpt2/resolve/main/model.safetensors', {
      method: 'HEAD',
    });
    expect(response.status).toBe(302);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'accept-ranges': 'bytes',
      'cache-control': 'no-store',
      location: expect.stringContaining(`${hub.cdnOrigin}/xet-bridge-us/${repo.internalId}/`),
      vary: 'Origin, Accept',
      'x-linked-etag': `"${await lfs(WEIGHTS).sha256()}"`,
      'x-linked-size': String(WEIGHTS.length),
      'x-repo-commit': sha,
    });
    expect(response.headers.has('etag')).toBe(false);
    expect(response.headers.has('link')).toBe(false);
    expect(response.headers.has('x-xet-hash')).toBe(false);
  });

  it('is served there with an ETag that is not its digest', async () => {
    expect(new URL(hub.cdnOrigin).origin).not.toBe(new URL(hub.endpoint).origin);
    const response = await fetch(`${hub.endpoint}/wzshiming/gpt2/resolve/main/model.safetensors`);
    expect(response.url.startsWith(hub.cdnOrigin)).toBe(true);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'accept-ranges': 'bytes',
      'content-disposition': expect.stringContaining('filename="model.safetensors"'),
      'content-length': String(WEIGHTS.length),
      'content-type': 'application/octet-stream',
      etag: expect.stringMatching(/^"[0-9a-f]{64}"$/u),
    });
    expect(response.headers.has('x-repo-commit')).toBe(false);
    expect(response.headers.get('etag')).not.toBe(`"${await lfs(WEIGHTS).sha256()}"`);
    expect(await response.text()).toBe(WEIGHTS);
  });

  it('can be read in ranges, generated ones too', async () => {
    const url = `${hub.endpoint}/wzshiming/gpt2/resolve/main/large.bin`;
    const whole = Buffer.from(await (await fetch(url)).arrayBuffer());
    expect(whole).toHaveLength(3_000_000);
    for (const [start, end] of [
      [0, 1],
      [17, 1_048_600],
      [2_999_999, 3_000_000],
    ] as const) {
      const response = await fetch(url, { headers: { Range: `bytes=${start}-${end - 1}` } });
      const part = Buffer.from(await response.arrayBuffer());
      expect(response.status).toBe(206);
      expect(part.equals(whole.subarray(start, end))).toBe(true);
    }
  });

  it('may be empty', async () => {
    const url = `${hub.endpoint}/wzshiming/gpt2/resolve/main/zero.bin`;
    expect((await fetch(url, { redirect: 'manual' })).headers.get('x-linked-size')).toBe('0');
    expect(await (await fetch(url)).text()).toBe('');
    expect((await fetch(url, { headers: { Range: 'bytes=0-' } })).status).toBe(416);
  });

  it('is a pointer as git holds it', async () => {
    const response = await get('/wzshiming/gpt2/raw/main/model.safetensors', {
      headers: { 'If-None-Match': '*', Range: 'bytes=0-0' },
    });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(
      `version https://git-lfs.github.com/spec/v1\noid sha256:${await lfs(WEIGHTS).sha256()}\nsize 20\n`,
    );
  });

  it('has a signed address that expires in an hour', async () => {
    const path = '/wzshiming/gpt2/resolve/main/model.safetensors';
    const location = (await get(path)).headers.get('location') ?? '';
    const forged = location.replace(/Expires=\d+/u, 'Expires=99999999999');
    expect((await fetch(forged)).status).toBe(403);
    const unknown = location.replace(/[0-9a-f]{64}/u, '0'.repeat(64));
    expect((await fetch(unknown)).status).toBe(404);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3599_000 });
    expect((await fetch(location)).status).toBe(200);
    vi.setSystemTime(Date.now() + 2000);
    expect((await fetch(location)).status).toBe(403);
  });
});

function get(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${hub.endpoint}${path}`, { redirect: 'manual', ...init });
}
