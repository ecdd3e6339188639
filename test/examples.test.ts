import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createExampleRepos } from './support/example-repos.ts';
import { type Hub, startHub } from './support/hub/index.ts';
import { runCli } from './support/run-cli.ts';
import { tempFolder } from './support/temp.ts';

const EXAMPLES = path.join(import.meta.dirname, '..', 'examples');
const names = await readdir(EXAMPLES);

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  await createExampleRepos(hub);
});
afterAll(() => hub.close());

describe.each(names)('examples/%s', (name) => {
  const folder = path.join(EXAMPLES, name);

  it('has a lock that is current', async () => {
    const check = await runCli(['lock', '--check'], { cwd: folder });
    expect([check.status, check.stdout]).toEqual([0, 'hug.lock.json is up to date\n']);
  });

  it('is locked to the very bytes of its lock', async () => {
    const copy = path.join(await tempFolder(), name);
    await mkdir(copy);
    await copyFile(path.join(folder, 'hug.yaml'), path.join(copy, 'hug.yaml'));
    const { status } = await runCli(['lock'], { cwd: copy, env: { HF_ENDPOINT: hub.endpoint } });
    expect(status).toBe(0);
    const [made, committed] = await Promise.all(
      [copy, folder].map((place) => readFile(path.join(place, 'hug.lock.json'), 'utf8')),
    );
    expect(made).toBe(committed);
  });
});
