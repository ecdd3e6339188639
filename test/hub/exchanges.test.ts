import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Exchange } from '../../src/hub/exchange-log.ts';
import { createHttp } from '../../src/hub/http.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';

const SUBJECT = { type: 'model', id: 'org/tiny' } as const;

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  const repo = await hub.createRepo({ type: 'model', id: 'org/tiny' });
  await repo.commit({ files: { 'config.json': '{}', 'weights.bin': lfs('w'.repeat(70_000)) } });
});
afterAll(() => hub.close());
beforeEach(() => hub.clearRequests());

/** Every exchange of some work with the hub. */
async function exchangesOf(
  work: (http: ReturnType<typeof createHttp>) => Promise<unknown>,
  endpoint = hub.endpoint,
): Promise<Exchange[]> {
  const exchanges: Exchange[] = [];
  const retry = { retries: 0, baseMs: 1, longestWaitMs: 1 };
  const onExchange = (exchange: Exchange) => void exchanges.push(exchange);
  const http = createHttp({ endpoint, userAgent: 'test', retry, onExchange });
  await work(http).catch(() => undefined);
  await http.close();
  return exchanges;
}

describe('exchanges', () => {
  it('are logged one by one, redirects too, with the bytes of each response and no signature', async () => {
    const url = `${hub.endpoint}/org/tiny/resolve/main/weights.bin`;
    const exchanges = await exchangesOf((http) =>
      http.download(url, SUBJECT, async (body) => {
        for await (const _ of body);
      }),
    );
    expect(exchanges).toMatchObject(
      hub.requests.map(({ method, url: asked, status, bodyBytesSent }) => ({
        method,
        path: asked.split('?', 1)[0],
        status,
        bytes: bodyBytesSent,
      })),
    );
    expect(exchanges.map(({ status }) => status)).toEqual([302, 200]);
    expect(exchanges.at(-1)).toMatchObject({ bytes: 70_000, ms: expect.any(Number) });
    expect(JSON.stringify(exchanges)).not.toContain('?');
  });

  it('are logged when they fail, break off, or get no response', async () => {
    const missing = await exchangesOf((http) =>
      http.json(`${hub.endpoint}/api/models/org/none`, SUBJECT, 1_000),
    );
    expect(missing).toMatchObject([{ status: 401, path: '/api/models/org/none' }]);
    const left = await exchangesOf((http) =>
      http.download(`${hub.endpoint}/org/tiny/resolve/main/weights.bin`, SUBJECT, async () => 1),
    );
    expect(left).toMatchObject([{ status: 302 }, { status: 200 }]);
    const nobody = 'http://127.0.0.1:9';
    const unanswered = await exchangesOf(
      (http) => http.json(`${nobody}/api`, SUBJECT, 1_000),
      nobody,
    );
    expect(unanswered).toMatchObject([{ status: undefined, path: '/api', bytes: 0 }]);
  });
});
