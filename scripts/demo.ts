// From a manifest to an offline model, with real parts: a Hub on loopback, nix-hug, Nix and the
// official Python client. Everything it makes lies in one temporary folder.
import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { messageOf } from '../src/errors.ts';
import { createExampleRepos } from '../test/support/example-repos.ts';
import { type Hub, startHub } from '../test/support/hub/index.ts';
import { createNix, LIBRARY, type Nix, nixString, PKGS } from '../test/support/nix.ts';
import { callPython, type PythonCall, pythonClients } from '../test/support/python.ts';

const ROOT = path.join(import.meta.dirname, '..');
const EXAMPLES = path.join(ROOT, 'examples');

const say = (line: string) => void process.stdout.write(`${line}\n`);
const step = (line: string) => say(`\n▶ ${line}`);
const indent = (text: string) => text.trimEnd().replaceAll(/^/gmu, '    ');

const snapshot = (repo_id: string, more: object = {}): PythonCall => ({
  call: 'snapshot_download',
  args: { repo_id, ...more },
});

/** What each example makes loadable. */
const CALLS = {
  minimal: [
    snapshot('nix-hug-examples/tiny-llama'),
    snapshot('nix-hug-examples/rows', { repo_type: 'dataset', revision: 'main' }),
  ],
  adapter: [snapshot('nix-hug-examples/tiny-lora'), snapshot('nix-hug-examples/tiny-base')],
} as const;

type Example = keyof typeof CALLS;

/** Runs the built command line as a user would and shows what it prints. */
async function nixHug(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  say(`  $ nix-hug ${argv.join(' ')}`);
  const child = spawn(process.execPath, [path.join(ROOT, 'dist', 'launch.cjs'), ...argv], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  if (status !== 0) throw new Error(`nix-hug ended with ${String(status)}`);
}

/** Builds the cache with Nix, from the Hub that still runs. */
async function buildCache(nix: Nix, hub: Hub, project: string): Promise<string> {
  const lock = nixString(path.join(project, 'hug.lock.json'));
  const endpoint = nixString(hub.endpoint);
  hub.clearRequests();
  const hug = `(${LIBRARY} { pkgs = ${PKGS}; endpoint = ${endpoint}; }).importLock ${lock}`;
  const names = `let hug = ${hug}; in map builtins.attrNames [ hug.models hug.datasets ]`;
  const entries = JSON.stringify(await nix.evaluate(names));
  say(`  evaluated ${entries} with ${hub.requests.length} requests`);
  const cache = await nix.build(`(${hug}).cache`);
  say(`  built ${cache}`);
  say(`  with ${hub.requests.length} requests; each file was checked against the lock`);
  return cache;
}

/** Loads a model and a dataset from the cache with each installed version of the client. */
async function loadOffline(
  example: Example,
  cache: string,
  home: string,
  endpoint: string,
): Promise<void> {
  const calls = CALLS[example];
  for (const client of pythonClients) {
    const env = { HF_HUB_CACHE: cache, HF_HUB_OFFLINE: '1' };
    const outcomes = await callPython(client, { home, endpoint, env }, calls);
    for (const [index, outcome] of outcomes.entries()) {
      if (!('value' in outcome)) throw new Error(`${outcome.error}: ${outcome.message}`);
      const files = await readdir(String(outcome.value), { recursive: true });
      say(`  huggingface_hub ${client.version}: ${String(calls[index]?.args['repo_id'])}`);
      say(indent(files.toSorted().join('\n')));
    }
  }
}

step('A Hub on loopback, with a model and a dataset');
const hub = await startHub();
await createExampleRepos(hub);
say(`  ${hub.endpoint}, its CDN at ${hub.cdnOrigin}`);

const nix = await createNix().catch((error: unknown) => {
  say(`  ${messageOf(error)}`);
  return undefined;
});
const folder = nix?.folder ?? (await mkdtemp(path.join(tmpdir(), 'nix-hug-')));

/** Locks an example in a project of its own, and builds its cache. */
async function lockAndBuild(example: Example): Promise<string | undefined> {
  const project = path.join(folder, example);
  await mkdir(project);
  await copyFile(path.join(EXAMPLES, example, 'hug.yaml'), path.join(project, 'hug.yaml'));
  say(indent(await readFile(path.join(project, 'hug.yaml'), 'utf8')));
  await nixHug(['lock', '-C', project], { HF_ENDPOINT: hub.endpoint });
  await nixHug(['lock', '--check', '-C', project], {});
  if (nix !== undefined) return buildCache(nix, hub, project);
  say('  SKIPPED: there is no Nix here, see above');
  return undefined;
}

step('A manifest becomes a lock, and the lock Nix derivations and one cache');
const cache = await lockAndBuild('minimal');

step('An adapter: one line, and its base model comes with it');
const adapterCache = await lockAndBuild('adapter');
await hub.close();
say('  the Hub is stopped now');

step('The official Python client loads both offline');
if (pythonClients.length === 0) say('  SKIPPED: the client is not installed, see above');
const home = path.join(folder, 'home');
if (cache !== undefined) await loadOffline('minimal', cache, home, hub.endpoint);
if (adapterCache !== undefined) await loadOffline('adapter', adapterCache, home, hub.endpoint);

step('Look around');
say(`  manifests and locks ${folder}/minimal, ${folder}/adapter`);
if (cache !== undefined) say(`  HF_HUB_CACHE        ${cache}`);
say(`  remove all of it    chmod -R u+w ${folder} && rm -rf ${folder}`);
