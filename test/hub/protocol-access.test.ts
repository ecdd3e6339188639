import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';

// Access and error responses of the loopback hub, compared with recorded ones.

const GATED = 'OwnerOfTheGatedModel/tiny-gated-model';
const LOG_IN = `Access to model ${GATED} is restricted. You must have access to it and be authenticated to access it. Please log in.`;
const NOT_LISTED = `Access to model ${GATED} is restricted and you are not in the authorized list. Visit https://huggingface.co/${GATED} to ask for access.`;
const PENDING = `Your request to access model ${GATED} is awaiting a review from the repo authors.`;
const BAD_CREDENTIALS = 'Invalid username or password.';

const TOKENS = {
  anonymous: undefined,
  unknown: 'hf_test_unknown',
  reader: 'hf_test_reader',
  stranger: 'hf_test_stranger',
  waiting: 'hf_test_waiting',
} as const;
type Who = keyof typeof TOKENS;

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  hub.addToken(TOKENS.reader);
  hub.addToken(TOKENS.stranger, { repos: ['acme/other'] });
  hub.addToken(TOKENS.waiting, { pending: [GATED] });
  const gated = await hub.createRepo({
    type: 'model',
    id: GATED,
    gated: 'manual',
    aliases: ['moved/gated'],
  });
  await gated.commit({
    files: {
      'README.md': 'open',
      'config.json': 'closed',
      'sub/README.md': 'closed',
      'model.safetensors': lfs('closed'),
    },
  });
  const hidden = await hub.createRepo({
    type: 'model',
    id: 'acme/hidden',
    private: true,
    aliases: ['moved/hidden'],
  });
  await hidden.commit({ files: { 'config.json': '{}' } });
  const disabled = await hub.createRepo({ type: 'dataset', id: 'acme/disabled', disabled: true });
  await disabled.commit({ files: { 'config.json': '{}' } });
  const open = await hub.createRepo({ type: 'model', id: 'acme/open' });
  await open.commit({ files: { 'config.json': '{}' } });
});

afterAll(() => hub.close());

describe('refusals', () => {
  it.for<[Who, string, number, string | null, string]>([
    ['anonymous', '/api/models/acme/none', 401, null, BAD_CREDENTIALS],
    ['anonymous', '/acme/none/resolve/main/config.json', 401, null, BAD_CREDENTIALS],
    ['anonymous', '/api/models/acme/hidden', 401, null, BAD_CREDENTIALS],
    ['anonymous', '/api/models/moved/hidden', 401, null, BAD_CREDENTIALS],
    ['reader', '/api/models/acme/none', 404, 'RepoNotFound', 'Repository not found'],
    ['stranger', '/api/models/acme/hidden', 404, 'RepoNotFound', 'Repository not found'],
    [
      'stranger',
      '/acme/hidden/resolve/main/config.json',
      404,
      'RepoNotFound',
      'Repository not found',
    ],
    ['unknown', '/api/models/acme/open', 401, null, BAD_CREDENTIALS],
    ['unknown', '/acme/open/resolve/main/config.json', 401, null, BAD_CREDENTIALS],
    ['unknown', '/api/whoami-v2', 401, null, BAD_CREDENTIALS],
    ['anonymous', `/${GATED}/resolve/main/config.json`, 401, 'GatedRepo', LOG_IN],
    ['anonymous', `/${GATED}/resolve/main/model.safetensors`, 401, 'GatedRepo', LOG_IN],
    ['anonymous', `/${GATED}/resolve/main/none`, 401, 'GatedRepo', LOG_IN],
    ['anonymous', `/${GATED}/resolve/none/config.json`, 401, 'GatedRepo', LOG_IN],
    ['anonymous', `/${GATED}/resolve/main/readme.md`, 401, 'GatedRepo', LOG_IN],
    ['anonymous', `/${GATED}/resolve/main/sub/README.md`, 401, 'GatedRepo', LOG_IN],
    ['anonymous', `/${GATED}/raw/main/README.md`, 401, 'GatedRepo', LOG_IN],
    ['anonymous', `/api/models/${GATED}/auth-check`, 401, 'GatedRepo', LOG_IN],
    ['anonymous', `/${GATED}/resolve/main/LICENSE`, 404, 'EntryNotFound', 'Entry not found'],
    ['stranger', `/${GATED}/resolve/main/config.json`, 403, 'GatedRepo', NOT_LISTED],
    ['waiting', `/${GATED}/raw/main/README.md`, 403, 'GatedRepo', PENDING],
    [
      'anonymous',
      '/api/datasets/acme/disabled/tree/main',
      403,
      null,
      'Access to this resource is disabled.',
    ],
    [
      'reader',
      '/datasets/acme/disabled/resolve/main/x',
      403,
      null,
      'Access to this resource is disabled.',
    ],
  ])('%s at %s: %i %s', async ([who, path, status, code, message]) => {
    const response = await get(path, who);
    expect(response.status).toBe(status);
    expect(response.headers.get('x-error-code')).toBe(code);
    expect(response.headers.get('x-error-message')).toBe(message);
    expect(response.headers.get('www-authenticate')).toBe(
      status === 401 ? 'Bearer realm="Authentication required", charset="UTF-8"' : null,
    );
    const isApi = path.startsWith('/api/');
    expect(await response.text()).toBe(isApi ? JSON.stringify({ error: message }) : message);
  });

  it('have the recorded bodies', async () => {
    const etag = async (who: Who, path: string) => (await get(path, who)).headers.get('etag');
    expect(await etag('anonymous', `/${GATED}/raw/main/README.md`)).toBe(
      'W/"91-I8Noec5XnJwfK+8rFmeeSlcfqb8"',
    );
    expect(await etag('waiting', `/${GATED}/raw/main/README.md`)).toBe(
      'W/"6e-eH3a92vV6IehZTFL2b3XO3+iVn4"',
    );
    expect(await etag('reader', '/api/models/acme/none')).toBe(
      'W/"20-bITJowpdmeRi6flSV9yCp5Fkq5k"',
    );
  });
});

describe('a gated repository', () => {
  const tree = `/api/models/${GATED}/tree/main`;

  it('is visible without access', async () => {
    expect(await (await get(`/api/models/${GATED}`, 'anonymous')).json()).toMatchObject({
      gated: 'manual',
      siblings: expect.arrayContaining([{ rfilename: 'config.json' }]),
    });
    const redirect = await get('/api/models/moved/gated', 'anonymous');
    expect(redirect.headers.get('location')).toBe(`/api/models/${GATED}`);
  });

  it.for<Who>(['anonymous', 'stranger', 'waiting'])('masks its digests from %s', async (who) => {
    const lfsEntry = { size: 6, pointerSize: 126 };
    const masked = { ...lfsEntry, oid: '*'.repeat(64) };
    const seen: unknown[] = JSON.parse(await (await get(tree, who)).text());
    const real: unknown[] = JSON.parse(await (await get(tree, 'reader')).text());
    expect(real).toContainEqual(
      expect.objectContaining({ lfs: { ...lfsEntry, oid: await lfs('closed').sha256() } }),
    );
    expect(seen).toEqual(
      real.map((entry) =>
        Object.hasOwn(Object(entry), 'lfs') ? { ...Object(entry), lfs: masked } : entry,
      ),
    );
    const blobs = await get(`/api/models/${GATED}?blobs=true`, who);
    expect(await blobs.text()).not.toContain(await lfs('closed').sha256());
  });

  it('serves its README without access', async () => {
    const response = await get(`/${GATED}/resolve/main/README.md`, 'anonymous');
    expect([response.status, await response.text()]).toEqual([200, 'open']);
  });

  it('serves plain files without a redirect to callers with access', async () => {
    const response = await get(`/${GATED}/resolve/main/config.json`, 'reader');
    expect([response.status, await response.text()]).toEqual([200, 'closed']);
    expect(response.headers.get('etag')).toMatch(/^"[0-9a-f]{40}"$/u);
    expect(response.headers.has('x-repo-commit')).toBe(true);
    expect(response.headers.has('x-hf-warning')).toBe(false);
    expect((await get(`/${GATED}/resolve/main/model.safetensors`, 'reader')).status).toBe(302);
    expect(await (await get(`/api/models/${GATED}/auth-check`, 'reader')).text()).toBe('OK');
  });
});

describe('a private repository', () => {
  it('is visible only with access', async () => {
    expect(await (await get('/api/models/acme/hidden', 'reader')).json()).toMatchObject({
      private: true,
    });
    expect((await get('/acme/hidden/resolve/main/config.json', 'reader')).status).toBe(200);
  });
});

describe('a disabled repository', () => {
  it('is visible as disabled', async () => {
    const info = await get('/api/datasets/acme/disabled', 'anonymous');
    expect(await info.json()).toMatchObject({ disabled: true });
  });
});

describe('whoami', () => {
  it('knows the tokens', async () => {
    expect(await (await get('/api/whoami-v2', 'reader')).json()).toMatchObject({
      type: 'user',
      auth: { type: 'access_token', accessToken: { role: 'read' } },
    });
  });
});

function get(path: string, who: Who): Promise<Response> {
  const token = TOKENS[who];
  const headers: Record<string, string> =
    token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return fetch(`${hub.endpoint}${path}`, { redirect: 'manual', headers });
}
