import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Hub, lfs, type Repository, startHub } from '../support/hub/index.ts';

// Trees of the loopback hub, compared with recorded responses.

interface Entry {
  readonly path: string;
  readonly [field: string]: unknown;
}

const TREE = '/api/models/org/tree/tree/main';
const ALL_PATHS = [
  'onnx',
  'onnx/ä b',
  '.gitattributes',
  '64-fp16.tflite',
  '64.tflite',
  'README.md',
  'config.json',
  'onnx/config.json',
  'onnx/ä b/x.json',
];

let hub: Hub;
let repo: Repository;
let first: string;

beforeAll(async () => {
  hub = await startHub();
  // The name is that of a route, which must not confuse the hub.
  repo = await hub.createRepo({ type: 'model', id: 'org/tree' });
  first = await repo.commit({
    message: 'First',
    files: {
      'config.json': '{}',
      'README.md': '# Tree',
      '.gitattributes': '',
      '64.tflite': lfs('64'),
      '64-fp16.tflite': lfs('64-fp16'),
      'onnx/config.json': '{"onnx":true}',
      'onnx/ä b/x.json': '[]',
    },
  });
});

afterAll(() => hub.close());

beforeEach(() => {
  Object.assign(hub.options, { pageSize: 1000, treeOrder: 'hub', extraTreeField: {} });
});

describe('a tree', () => {
  it('lists folders first, then files by bytes', async () => {
    const top = ALL_PATHS.filter((path) => !path.includes('/'));
    expect(await pathsAt(TREE)).toEqual(top);
    expect(await pathsAt(`${TREE}?recursive=true`)).toEqual(ALL_PATHS);
  });

  it('has entries of the recorded form', async () => {
    const body = await (await get(TREE)).text();
    expect(body).toContain(
      '{"type":"file","oid":"9e26dfeeb6e641a33dae4961196235bdb965b21b","size":2,"path":"config.json"}',
    );
    const entries: Entry[] = JSON.parse(body);
    const [folder, , , weights] = entries;
    expect(folder).toMatchObject({ type: 'directory', size: 0, path: 'onnx' });
    expect(Object.keys(folder ?? {}).join()).toBe('type,oid,size,path');
    const digest = await lfs('64').sha256();
    expect(weights).toMatchObject({ size: 2, lfs: { oid: digest, size: 2, pointerSize: 126 } });
    expect(Object.keys(weights ?? {}).join()).toBe('type,oid,size,lfs,path');
    expect(Object.keys(Object(weights?.['lfs'])).join()).toBe('oid,size,pointerSize');
  });

  it.for(['onnx/ä%20b', 'onnx%2F%C3%A4%20b', 'onnx/%C3%A4%20b/'])(
    'lists the folder %s',
    async (path) => {
      expect(await pathsAt(`${TREE}/${path}`)).toEqual(['onnx/ä b/x.json']);
    },
  );

  it.for(['config.json', 'none', 'onnx/none'])('has no folder %s', async (path) => {
    const response = await get(`${TREE}/${path}`);
    expect(response.status).toBe(404);
    expect(response.headers.get('x-error-code')).toBe('EntryNotFound');
    expect(await response.json()).toEqual({ error: `${path} does not exist on "main"` });
  });

  it('of a revision with slashes is found, encoded or not', async () => {
    const commit = await repo.commit({ branch: 'a/b', parent: first, files: { 'dir/f': '' } });
    await repo.pullRequest(7, commit);
    for (const revision of ['a%2Fb', 'a/b', 'refs%2Fpr%2F7', 'refs/pr/7', commit.slice(0, 10)]) {
      expect(await pathsAt(`/api/models/org/tree/tree/${revision}/dir`)).toEqual(['dir/f']);
    }
  });

  it('comes in pages whose next address is absolute and has every parameter', async () => {
    hub.options.pageSize = 4;
    const path = `${TREE}?recursive=true&expand=false&limit=100`;
    const response = await get(path);
    const [, next = ''] = /^<(.+)>; rel="next"$/u.exec(response.headers.get('link') ?? '') ?? [];
    expect(next).toContain(`${hub.endpoint}${path}&cursor=`);
    expect(await pathsAt(path)).toEqual(ALL_PATHS.slice(0, 4));
    expect(await allPathsFrom(path)).toEqual(ALL_PATHS);
    expect(await pathsAt(`${TREE}?recursive=true&limit=2`)).toEqual(ALL_PATHS.slice(0, 2));
  });

  it('has no next page when the last one is full', async () => {
    hub.options.pageSize = ALL_PATHS.length;
    expect((await get(`${TREE}?recursive=true`)).headers.has('link')).toBe(false);
  });

  it.for(['reversed', 'shuffled'] as const)('can be %s, the same over all pages', async (order) => {
    Object.assign(hub.options, { pageSize: 4, treeOrder: order });
    const paths = await allPathsFrom(`${TREE}?recursive=true`);
    expect(paths).not.toEqual(ALL_PATHS);
    expect(paths.toSorted()).toEqual(ALL_PATHS.toSorted());
  });

  it('can have unknown fields', async () => {
    hub.options.extraTreeField = { novel: { deep: 1 } };
    const entries: Entry[] = JSON.parse(await (await get(TREE)).text());
    expect(entries.every(({ novel }) => novel !== undefined)).toBe(true);
  });

  it('has the last commit of each path when expanded', async () => {
    const second = await repo.commit({
      branch: 'expanded',
      parent: first,
      message: 'Second',
      files: { 'onnx/config.json': 'new', 'README.md': null },
    });
    const entries: Entry[] = JSON.parse(
      await (await get('/api/models/org/tree/tree/expanded?expand=1')).text(),
    );
    expect(entries).toMatchObject([
      { path: 'onnx', lastCommit: { id: second, title: 'Second', date: expect.any(String) } },
      { path: '.gitattributes', lastCommit: { id: first, title: 'First' } },
      { path: '64-fp16.tflite', securityFileStatus: { status: 'safe' } },
      { path: '64.tflite' },
      { path: 'config.json' },
    ]);
  });

  it('has 50 entries on a page when expanded', async () => {
    const many = await hub.createRepo({ type: 'dataset', id: 'org/many' });
    await many.commit({ files: Array.from({ length: 51 }, (_, at) => [`f${at}`, ''] as const) });
    const tree = '/api/datasets/org/many/tree/main';
    expect(await pathsAt(`${tree}?expand=true`)).toHaveLength(50);
    expect(await pathsAt(tree)).toHaveLength(51);
  });
});

describe('paths-info', () => {
  const url = '/api/models/org/tree/paths-info/main';

  it('accepts a form and omits missing paths', async () => {
    const body = new URLSearchParams([
      ['paths', 'onnx/ä b/x.json'],
      ['paths', 'none'],
      ['paths', 'onnx'],
      ['expand', 'False'],
    ]);
    const entries: unknown = await (await get(url, { method: 'POST', body })).json();
    expect(entries).toEqual([
      { type: 'file', oid: expect.any(String), size: 2, path: 'onnx/ä b/x.json' },
      { type: 'directory', oid: expect.any(String), size: 0, path: 'onnx' },
    ]);
  });

  it('accepts JSON', async () => {
    const response = await postJson({ paths: ['config.json'], expand: true });
    expect(await response.json()).toMatchObject([
      { path: 'config.json', lastCommit: { id: first } },
    ]);
  });

  it('accepts at most 2000 paths', async () => {
    const paths = Array.from({ length: 2001 }, (_, at) => String(at));
    expect((await postJson({ paths: paths.slice(1) })).status).toBe(200);
    expect((await postJson({ paths })).status).toBe(400);
  });

  function postJson(body: object): Promise<Response> {
    const headers = { 'Content-Type': 'application/json' };
    return get(url, { method: 'POST', headers, body: JSON.stringify(body) });
  }
});

describe('treesize', () => {
  it('is the sum of all contents, including LFS files', async () => {
    const size = '/api/models/org/tree/treesize/main';
    expect(await (await get(size)).text()).toBe('{"path":"/","size":32}');
    expect(await (await get(`${size}/onnx`)).text()).toBe('{"path":"/onnx","size":15}');
  });
});

async function pathsAt(path: string): Promise<string[]> {
  const entries: Entry[] = JSON.parse(await (await get(path)).text());
  return entries.map((entry) => entry.path);
}

async function allPathsFrom(path: string): Promise<string[]> {
  const paths: string[] = [];
  let next: string | undefined = `${hub.endpoint}${path}`;
  while (next !== undefined) {
    const response: Response = await fetch(next);
    const entries: Entry[] = JSON.parse(await response.text());
    paths.push(...entries.map((entry) => entry.path));
    next = /^<(.+)>; rel="next"$/u.exec(response.headers.get('link') ?? '')?.[1];
  }
  return paths;
}

function get(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${hub.endpoint}${path}`, { redirect: 'manual', ...init });
}
