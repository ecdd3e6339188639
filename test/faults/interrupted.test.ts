import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addModels, start } from '../support/exports.ts';
import { hfUser } from '../support/hf-user.ts';
import { type Hub, startHub } from '../support/hub/index.ts';

const MANIFEST = 'models: { one: org/one }';

/** Runs of each command. */
const RUNS = Math.ceil(Number(process.env['FAULT_RUNS']) / 12);

const COMMANDS: readonly (readonly string[])[] = [
  ['lock'],
  ['export'],
  ['export', 'hf:org/two'],
  ['add', 'hf:org/two'],
];

/** What is left of a file that is written in one step. */
const TEMPORARY = /\.tmp$|(?:^|\/)\.nix-hug\./u;

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  await addModels(hub);
});
afterAll(() => hub.close());

describe.each(COMMANDS)('%s %s', (...words) => {
  const argv = words.filter((word) => typeof word === 'string');
  const moments = fc.sample(
    fc.noBias(
      fc.record({
        signal: fc.constantFrom('SIGINT' as const, 'SIGTERM' as const, 'SIGHUP' as const),
        requests: fc.nat(24),
        wait: fc.nat(40),
      }),
    ),
    { seed: Number(process.env['FAULT_SEED']) + argv.join(' ').length, numRuns: RUNS },
  );
  it.each(moments)(
    '$signal after $requests requests and $wait ms leaves no stack, no wrong status, no scratch',
    async ({ signal, requests, wait }) => {
      const user = await hfUser(hub.endpoint, MANIFEST);
      if (argv[0] === 'lock') await rm(path.join(user.folder, 'hug.lock.json'));
      hub.clearRequests();
      const { child, ended } = start(user, argv);
      while (hub.requests.length < Math.max(1, requests) && child.exitCode === null) {
        await setTimeout(1);
      }
      await setTimeout(wait);
      child.kill(signal);
      const { status, stderr } = await ended;
      expect([0, 130], stderr).toContain(status);
      expect(stderr).not.toMatch(/^ +at |EHUG_INTERNAL|Warning/mu);
      const left = [user.folder, path.join(user.home, 'hf')].map((folder) =>
        readdir(folder, { recursive: true }).catch(() => []),
      );
      const names = (await Promise.all(left)).flat();
      expect(names.filter((name) => TEMPORARY.test(name))).toEqual([]);
    },
  );
});
