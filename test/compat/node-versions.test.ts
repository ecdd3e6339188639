import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ended } from '../support/ended.ts';
import { type Hub, lfs, startHub } from '../support/hub/index.ts';
import { type IsolatedStore, isolatedStore, storeObjects } from '../support/isolated-store.ts';
import { createProject, type Project } from '../support/project.ts';
import { tempFolder } from '../support/temp.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
/** Lines of Node.js that `scripts/setup-newer-node.sh` installs. */
const NEWER = [22, 24];
const NOTHING_INSTALLED = 'There is no newer Node.js: run scripts/setup-newer-node.sh';

const nodeOf = (line: number): string =>
  path.join(ROOT, `.cache/node-${line}/node_modules/node-linux-${process.arch}/bin/node`);

const isMissing = !NEWER.every((line) => existsSync(nodeOf(line))) && reportMissing();

function reportMissing(): true {
  if (process.env['CI'] === 'true') throw new Error(NOTHING_INSTALLED);
  console.warn(`Tests are skipped: ${NOTHING_INSTALLED}`);
  return true;
}

const MANIFEST = `models:
  large: { repo: org/large, ref: v1.0.0 }
  part: { repo: org/large, include: ["*.safetensors"], exclude: ["extra*"] }
datasets:
  rows: org/rows
`;

/** Calls in one project, in this order, each with its exit status. */
const CALLS: readonly (readonly [argv: string, status: number])[] = [
  ['--version', 0],
  ['--help', 0],
  ['fetch --help', 0],
  ['completion bash', 0],
  ['completion zsh', 0],
  ['completion fish', 0],
  ['lock --check', 3],
  ['lock', 0],
  ['lock --check', 0],
  ['ls', 0],
  ['ls --json', 0],
  ['fetch --json', 0],
  ['export --json', 0],
  ['verify --json', 0],
  ['lock --no-such-option', 2],
];

describe.skipIf(isMissing)('the built command', () => {
  let hub: Hub;
  let command: string;
  beforeAll(async () => {
    const { bin } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'));
    command = path.join(ROOT, bin['nix-hug']);
    hub = await startHub();
    const large = await hub.createRepo({ type: 'model', id: 'org/large' });
    const weights = lfs.generated({ size: 3_000_000, seed: 'weights' });
    const rev = await large.commit({
      files: { 'config.json': '{}', 'w.safetensors': weights, 'extra.bin': lfs('extra') },
    });
    await large.tag('v1.0.0', rev);
    const rows = await hub.createRepo({ type: 'dataset', id: 'org/rows' });
    await rows.commit({ files: { 'README.md': '# ü\n', 'train.parquet': lfs('rows') } });
  });
  afterAll(() => hub.close());

  /** What a user sees of all calls with one Node.js, from an empty cache and an empty store. */
  async function callAll(node: string, { folder, lockText }: Project, store: IsolatedStore) {
    const home = path.join(folder, 'home');
    const env = {
      ...store.env,
      HOME: home,
      TMPDIR: await tempFolder('tmp'),
      HF_HOME: path.join(home, 'hf'),
      XDG_CACHE_HOME: path.join(home, 'cache'),
      HF_ENDPOINT: hub.endpoint,
    };
    const calls = [];
    for (const [argv] of CALLS) {
      const { status, stdout, stderr } = await ended(
        spawn(node, [command, ...argv.split(' ')], {
          cwd: folder,
          env,
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      );
      // Node itself warns of what it deprecates.
      expect(stderr).not.toContain('Warning: ');
      calls.push({ argv, status, stdout });
    }
    const seen = { calls, lock: await lockText(), objects: await storeObjects(store) };
    await rm(path.join(folder, 'hug.lock.json'));
    await rm(home, { recursive: true });
    await store.nix('nix-store', '--gc');
    return seen;
  }

  it.each(NEWER)('does with Node.js %s the same as with the one of these tests', async (line) => {
    const node = nodeOf(line);
    const version = await ended(spawn(node, ['--version'], { stdio: ['ignore', 'pipe', 'pipe'] }));
    expect(version.stdout).toMatch(new RegExp(`^v${line}\\.`, 'u'));
    const project = await createProject(hub.endpoint, MANIFEST);
    const store = await isolatedStore();
    const expected = await callAll(process.execPath, project, store);
    expect(expected.calls.map(({ argv, status }) => [argv, status])).toEqual(CALLS);
    expect(expected.objects.length).toBe(5);
    expect(await callAll(node, project, store)).toEqual(expected);
  });

  it.each(NEWER)('keeps compiled code with Node.js %s where the user has a cache', async (line) => {
    const call = (HOME: string) =>
      ended(
        spawn(nodeOf(line), [command, '--version'], {
          env: { HOME },
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      );
    const home = await tempFolder('home');
    expect((await call(home)).status).toBe(0);
    expect(await readdir(home)).toEqual([]);
    await mkdir(path.join(home, '.cache'));
    expect((await call(home)).status).toBe(0);
    expect((await readdir(path.join(home, '.cache/nix-hug/node'))).length).toBe(1);
  });
});
