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
    isWhole: true,
  });
  expect((await history(revs[1] ?? '', 'rows')).commits.map(({ rev }) => rev)).toEqual(
    revs.slice(1),
  );
});

it('reports that the history has more than one page', async () => {
  hub.options.pageSize = 2;
  onTestFinished(() => void (hub.options.pageSize = 1000));
  const { commits, isWhole } = await history(revs[0] ?? '');
  expect([commits.length, isWhole]).toEqual([2, false]);
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
