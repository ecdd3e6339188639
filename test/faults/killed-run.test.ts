import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addModels, start, throttle } from '../support/exports.ts';
import { folderFacts } from '../support/folder-facts.ts';
import { type HfUser, hfUser } from '../support/hf-user.ts';
import { type Hub, startHub } from '../support/hub/index.ts';
import { isolatedStore } from '../support/isolated-store.ts';
import { describeNix } from '../support/nix.ts';
import { randomMoments } from './moments.ts';

const MANIFEST = 'models: { one: org/one, two: org/two }';
const ARGV = ['run', '--', '/bin/sh', '-c', 'printf %s "$HF_HUB_CACHE"'];

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  await addModels(hub);
});
afterAll(() => hub.close());

/** What a view has, but for the place of the store: targets of blobs, and names of roots. */
async function factsOf(view: string): Promise<Readonly<Record<string, string>>> {
  const facts = Object.entries(await folderFacts(view));
  return Object.fromEntries(
    facts.map(([name, fact]) => [
      name.replace(/(roots\/[0-9a-f]{40})\..*$/u, '$1'),
      /\/blobs\/|roots\//u.test(name) ? '' : fact,
    ]),
  );
}

/** The view of an undisturbed run, and how long its making took, in ms. */
async function undisturbed(user: HfUser) {
  const before = performance.now();
  const { stdout, stderr } = await start(user, ARGV).ended;
  if (stdout === '') throw new Error(stderr);
  return { facts: await factsOf(stdout), ms: performance.now() - before };
}

const moments = randomMoments(6);

/** Kills runs at random moments; each time, the next run ends well, with the same view. */
async function killAndRepeat(newUser: () => Promise<HfUser>): Promise<void> {
  const { facts, ms } = await undisturbed(await newUser());
  throttle(hub);
  for (const { percent } of moments) {
    const user = await newUser();
    const { child, ended } = start(user, ARGV);
    await setTimeout((percent / 100) * ms);
    child.kill('SIGKILL');
    await ended;
    const views = path.join(user.home, 'xdg', 'nix-hug', 'views');
    const again = await start(user, ARGV).ended;
    expect(again).toMatchObject({ status: 0 });
    expect(await factsOf(again.stdout)).toMatchObject(facts);
    expect(existsSync(views) && (await readdir(views))).toEqual([path.basename(again.stdout)]);
  }
}

it('run, killed without Nix, is completed by the next run', { timeout: 300_000 }, () =>
  killAndRepeat(() => hfUser(hub.endpoint, MANIFEST)),
);

describeNix('run, killed with Nix', () => {
  it('is completed by the next run', { timeout: 300_000 }, () =>
    killAndRepeat(async () => hfUser(hub.endpoint, MANIFEST, (await isolatedStore()).env)),
  );
});
