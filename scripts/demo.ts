// From a manifest to an offline model, with real parts: a Hub on loopback, nix-hug, Nix and the
// official Python client. Everything it makes lies in one temporary folder.
import { spawn } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createExampleRepos } from '../test/support/example-repos.ts';
import { startHub } from '../test/support/hub/index.ts';
import { createNix, LIBRARY, nixString, PKGS } from '../test/support/nix.ts';
import { callPython, type PythonCall, pythonClients } from '../test/support/python.ts';

const ROOT = path.join(import.meta.dirname, '..');
const EXAMPLE = path.join(ROOT, 'examples', 'minimal');

const say = (line: string) => void process.stdout.write(`${line}\n`);
const step = (line: string) => say(`\n▶ ${line}`);
const indent = (text: string) => text.trimEnd().replaceAll(/^/gmu, '    ');

/** Runs the built command line as a user would and shows what it prints. */
async function nixHug(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  say(`  $ nix-hug ${argv.join(' ')}`);
  const child = spawn(process.execPath, [path.join(ROOT, 'dist', 'bin.js'), ...argv], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  if (status !== 0) throw new Error(`nix-hug ended with ${String(status)}`);
}

step('A Hub on loopback, with a model and a dataset');
const hub = await startHub();
await createExampleRepos(hub);
say(`  ${hub.endpoint}, its CDN at ${hub.cdnOrigin}`);

const nix = await createNix();
const project = path.join(nix.folder, 'project');
await mkdir(project);
await copyFile(path.join(EXAMPLE, 'hug.yaml'), path.join(project, 'hug.yaml'));

step('A manifest becomes a lock');
say(indent(await readFile(path.join(project, 'hug.yaml'), 'utf8')));
await nixHug(['lock', '-C', project], { HF_ENDPOINT: hub.endpoint });
await nixHug(['lock', '--check', '-C', project], {});

step(`The lock becomes Nix derivations and one cache (Nix ${nix.version})`);
const lock = nixString(path.join(project, 'hug.lock.json'));
const endpoint = nixString(hub.endpoint);
hub.clearRequests();
const hug = `(${LIBRARY} { pkgs = ${PKGS}; endpoint = ${endpoint}; }).importLock ${lock}`;
const names = await nix.evaluate(
  `let hug = ${hug}; in map builtins.attrNames [ hug.models hug.datasets ]`,
);
say(`  evaluated ${JSON.stringify(names)} with ${hub.requests.length} requests`);
const cache = await nix.build(`(${hug}).cache`);
say(`  built ${cache}`);
say(`  with ${hub.requests.length} requests; each file was checked against the lock`);
await hub.close();
say('  the Hub is stopped now');

step('The official Python client loads it offline');
const calls: readonly PythonCall[] = [
  { call: 'snapshot_download', args: { repo_id: 'nix-hug-examples/tiny-llama' } },
  {
    call: 'snapshot_download',
    args: { repo_id: 'nix-hug-examples/rows', repo_type: 'dataset', revision: 'main' },
  },
];
for (const client of pythonClients) {
  const env = { HF_HUB_CACHE: cache, HF_HUB_OFFLINE: '1' };
  const outcomes = await callPython(
    client,
    { home: path.join(nix.folder, 'home'), endpoint: hub.endpoint, env },
    calls,
  );
  for (const [index, outcome] of outcomes.entries()) {
    if (!('value' in outcome)) throw new Error(`${outcome.error}: ${outcome.message}`);
    const files = await readdir(String(outcome.value), { recursive: true });
    say(`  huggingface_hub ${client.version}: ${String(calls[index]?.args['repo_id'])}`);
    say(indent(files.toSorted().join('\n')));
  }
}

step('Look around');
say(`  manifest and lock   ${project}`);
say(`  HF_HUB_CACHE        ${cache}`);
say(`  remove all of it    chmod -R u+w ${nix.folder} && rm -rf ${nix.folder}`);
