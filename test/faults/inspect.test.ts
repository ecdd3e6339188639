import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp.ts';
import { plansFor } from './plan.ts';
import { useFaultyWorld } from './world.ts';

const world = useFaultyWorld();

const COMMANDS = [
  ['ls', 'org/tiny'],
  ['ls', 'datasets/org/rows', '--include', '*.parquet'],
  ['fetch', 'org/tiny', '--dry-run'],
  ['fetch', 'hf:tiny', '--dry-run', '--exclude', 'extra*'],
];

describe('ls and fetch --dry-run of a repository', () => {
  it.each(plansFor('inspect'))('%s', async (_title, plan) => {
    const { hub, surroundings, underFaults } = world();
    const cwd = await tempFolder();
    const argv = COMMANDS[plan.variant % COMMANDS.length] ?? [];
    const truth = await runCli([...argv, '--json'], { ...surroundings, cwd });
    expect(truth.status).toBe(0);

    const { ok, wasLiedTo, run } = await underFaults(plan, (signal) =>
      runCli([...argv, '--json'], { ...surroundings, cwd, signal }),
    );
    // That is what a private repository answers to Nix, which has no token.
    const isClosed = hub.requests.some(
      ({ url, authorization, status }) =>
        url.includes('/tree/') && authorization === undefined && [401, 403, 404].includes(status),
    );
    if (ok && !wasLiedTo && !isClosed) expect(run.json()).toEqual(truth.json());
    if (ok && !wasLiedTo && isClosed) {
      const { expression, obstacle } = truth.json();
      expect({ ...run.json(), expression, obstacle }).toEqual(truth.json());
      expect(run.json().obstacle).toContain('it is gated or private');
    }
    expect(await readdir(cwd)).toEqual([]);
  });
});
