import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createHubApi, type HubApi } from '../../src/hub/api.ts';
import { createHttp } from '../../src/hub/http.ts';
import { type Hub, startHub } from '../support/hub/index.ts';

let hub: Hub;
let api: HubApi;
let revs: string[];

beforeAll(async () => {
  hub = await startHub();
  const retry = { retries: 0, baseMs: 1, longestWaitMs: 1 };
  api = createHubApi(createHttp({ endpoint: hub.endpoint, userAgent: 'test', retry }));
  const repo = await hub.createRepo({ type: 'dataset', id: 'org/rows', aliases: ['rows'] });
  revs = [];
  for (const text of ['1', '2', '3']) revs.unshift(await repo.commit({ files: { a: text } }));
});
afterAll(async () => {
  await api.close();
  await hub.close();
});

const history = (rev: string, id = 'org/rows') => api.history('dataset', id, rev);

it('lists commits, newest first, with their dates', async () => {
  expect(await history(revs[0] ?? '')).toEqual({
    commits: revs.map((rev, index) => ({ rev, date: `2024-01-01T00:0${2 - index}:00.000Z` })),
    next: undefined,
  });
  expect((await history(revs[1] ?? '', 'rows')).commits.map(({ rev }) => rev)).toEqual(
    revs.slice(1),
  );
});

it('reports that the history has more than one page', async () => {
  hub.options.pageSize = 2;
  onTestFinished(() => void (hub.options.pageSize = 1000));
  const { commits, next } = await history(revs[0] ?? '');
  expect([commits.length, next]).toEqual([2, expect.stringContaining('/commits/')]);
});

it('finds the newest commit up to a date, on any page, with few requests', async () => {
  hub.options.pageSize = 1;
  onTestFinished(() => void (hub.options.pageSize = 1000));
  const upTo = (date: string) => api.commitUpTo('dataset', 'org/rows', revs[0] ?? '', date);
  hub.clearRequests();
  expect(await upTo('2024-01-01T00:02:00.000Z')).toMatchObject({ rev: revs[0] });
  expect(hub.requests.length).toBe(1);
  expect(await upTo('2024-01-01T00:01:59.000Z')).toMatchObject({ rev: revs[1] });
  expect(await upTo('2024-01-01T00:00:59.000Z')).toMatchObject({ rev: revs[2] });
  expect(await upTo('2023-12-31T00:00:00.000Z')).toBeUndefined();
});

it('ends a search in a history without end', async () => {
  const page = `${hub.endpoint}/api/datasets/org/rows/commits/${revs[0]}?limit=100`;
  const injection = hub.inject({
    match: '/commits/',
    fault: { kind: 'headers', headers: { Link: `<${page}>; rel="next"` } },
    times: Infinity,
  });
  onTestFinished(() => injection.remove());
  await expect(
    api.commitUpTo('dataset', 'org/rows', revs[0] ?? '', '2023-01-01T00:00:00Z'),
  ).rejects.toMatchObject({ code: 'EHUG_PROTOCOL', message: expect.stringContaining('10000') });
  expect(injection.hits).toBe(100);
});

it('reports a missing commit', async () => {
  await expect(history('0'.repeat(40))).rejects.toMatchObject({ code: 'EHUG_REVISION_NOT_FOUND' });
});

it.each([
  ['of another commit', [{ id: '1'.repeat(40), date: '2024-01-01T00:00:00.000Z' }]],
  ['without commits', []],
  ['with an invalid date', [{ id: '1'.repeat(40), date: 'yesterday' }]],
  ['that is not a list', { error: 'x' }],
])('refuses a history %s', async (_, body) => {
  const injection = hub.inject({ match: '/commits/', fault: { kind: 'json', body } });
  onTestFinished(() => injection.remove());
  await expect(history(revs[0] ?? '')).rejects.toMatchObject({ code: 'EHUG_PROTOCOL' });
});
