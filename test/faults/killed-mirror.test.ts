import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addModels, start, throttle } from '../support/exports.ts';
import { hfUser } from '../support/hf-user.ts';
import { type Hub, startHub } from '../support/hub/index.ts';
import { silenceLeases } from '../support/silence.ts';
import { randomMoments } from './moments.ts';

const FILES = 12;

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  await addModels(hub);
});
afterAll(() => hub.close());

/** Names in a mirror, each of which must be the SHA-256 of its content. */
async function wholeContents(folder: string): Promise<string[]> {
  const contents = path.join(folder, 'sha256');
  const names = (await readdir(contents).catch(() => [])).filter((name) => !name.startsWith('.'));
  for (const name of names) {
    const content = await readFile(path.join(contents, name));
    expect(createHash('sha256').update(content).digest('hex')).toBe(name);
  }
  return names;
}

it.each(randomMoments(10))(
  'mirror, killed $wait ms after $percent % of its requests, leaves whole contents, and the next run completes them',
  async ({ percent, wait }) => {
    throttle(hub);
    const user = await hfUser(hub.endpoint, 'models: { one: org/one }');
    hub.clearRequests();
    const { child, ended } = start(user, ['mirror', 'm']);
    while (hub.requests.length < (percent / 100) * FILES && child.exitCode === null) {
      await setTimeout(1);
    }
    await setTimeout(wait);
    child.kill('SIGKILL');
    await ended;
    const folder = path.join(user.folder, 'm');
    await wholeContents(folder);
    // The lease of the killed process still looks alive.
    expect((await user.run(['mirror', 'm'])).status).toBe(0);
    expect(await wholeContents(folder)).toHaveLength(FILES);
    await silenceLeases(folder);
    expect((await user.run(['mirror', 'm'])).status).toBe(0);
    expect(await readdir(path.join(folder, 'sha256'))).toHaveLength(FILES);
  },
);
