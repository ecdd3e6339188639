import { access, constants, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';

const REPOSITORY = path.join(import.meta.dirname, '..', '..');

it('is the script that a person can run, and the checks of the flake', async () => {
  const file = path.join(REPOSITORY, '.github', 'workflows', 'ci.yml');
  const { jobs } = parse(await readFile(file, 'utf8'));
  const runs = (job: any) => job.steps.flatMap(({ run }: any) => run ?? []);
  expect(runs(jobs.test)).toContain('.ci/run');
  await access(path.join(REPOSITORY, '.ci', 'run'), constants.X_OK);
  expect(runs(jobs.flake)).toEqual([
    'nix flake check --print-build-logs',
    'nix run . -- --version',
  ]);
});
