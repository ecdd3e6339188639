import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addModels, assertWhole, start, throttle, undisturbedExport } from '../support/exports.ts';
import { folderFacts } from '../support/folder-facts.ts';
import { hfUser } from '../support/hf-user.ts';
import { type Hub, startHub } from '../support/hub/index.ts';
import { pythonClients } from '../support/python.ts';
import { randomMoments } from './moments.ts';
import { silenceLeases } from '../support/silence.ts';

const MANIFEST = 'models: { one: org/one }';

let hub: Hub;
let revision: string;
beforeAll(async () => {
  hub = await startHub();
  revision = await addModels(hub);
});
afterAll(() => hub.close());

it.skipIf(pythonClients.length === 0).each(randomMoments(10))(
  'export, killed $wait ms after $percent % of its requests, leaves a complete snapshot or none, and the next run completes it',
  async ({ percent, wait }) => {
    const { facts, requests } = await undisturbedExport(hub, MANIFEST);
    throttle(hub);
    const user = await hfUser(hub.endpoint, MANIFEST);
    hub.clearRequests();
    const { child, ended } = start(user, ['export']);
    while (hub.requests.length < (percent / 100) * requests && child.exitCode === null)
      await setTimeout(1);
    await setTimeout(wait);
    child.kill('SIGKILL');
    await ended;
    await assertWhole(hub, revision, user, facts);
    // The lease of the killed process still looks alive.
    expect((await user.run(['export'])).status).toBe(0);
    await assertWhole(hub, revision, user, facts);
    await silenceLeases(user.cache);
    expect((await user.run(['export'])).status).toBe(0);
    expect(await folderFacts(user.cache)).toEqual(facts);
  },
);
